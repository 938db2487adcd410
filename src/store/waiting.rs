//! Devices that the store does not have, and that asked for a profile which they could have had: they wait for somebody to
//! approve of them.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::read::parsed;
use super::rows::{Cell, insert};
use super::{Store, StoreError, Writing};
use crate::device::{DeviceName, Model};
use crate::inventory::Stranger;

/// A device that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What it says that it is.
    pub name: DeviceName,
    /// Its product, where it says that too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Model>,
    /// Whether it has proven to be this device, by a certificate or password.
    pub proven: bool,
    /// When it asked for the first time.
    pub first: Timestamp,
    /// When it asked last.
    pub last: Timestamp,
    /// How often it has been noted.
    pub times: i64,
    /// Where it was.
    pub address: String,
    /// What it asked for.
    pub path: String,
}

/// Those that wait at the most: anybody may ask where a rule wants no proof.
const MOST: i64 = 10_000;

const WAITING: &str = "insert into waiting (name, product, proven, first, last, times, address, path)";

const AGAIN: &str = " on conflict (name) do update set product = coalesce(excluded.product, waiting.product), \
    proven = case when excluded.proven > waiting.proven then excluded.proven else waiting.proven end, \
    last = excluded.last, times = waiting.times + 1, address = excluded.address, path = excluded.path";

const KNOWN: &str = "delete from waiting where exists (select 1 from device d where d.mac = waiting.name) \
    or exists (select 1 from alias a where a.mac = waiting.name) \
    or exists (select 1 from device d where waiting.name like 'sn:%' and d.serial = substr(waiting.name, 4))";

const LIST: &str = "select name, product, proven, first, last, times, address, path from waiting \
    where name > $1 order by name limit $2";

const ONE: &str = "select name, product, proven, first, last, times, address, path from waiting where name = $1";

impl Store {
    /// Those that wait, by name, after this one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn waiting(&self, after: &str, limit: i64) -> Result<Vec<Waiting>, StoreError> {
        self.within(async {
            let rows = sqlx::query(LIST).bind(after.to_owned()).bind(limit).fetch_all(&self.pool).await;
            rows.map_err(|error| self.error(error))?.iter().map(|row| self.waits(row)).collect()
        })
        .await
    }

    /// Notes who asked. Past the bound, nobody new: returns how many were left out.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn asked(&self, strangers: Vec<Stranger>) -> Result<usize, StoreError> {
        self.within(async {
            let mut transaction = self.pool.begin_with(self.engine.begin()).await.map_err(|error| self.error(error))?;
            let names = strangers.iter().map(|stranger| stranger.name.to_string().into()).collect();
            let known = self.of(&mut transaction, "select name from waiting where name in", names).await?.len();
            let all = sqlx::query_scalar("select count(*) from waiting").fetch_one(&mut *transaction).await;
            let all: i64 = all.map_err(|error| self.error(error))?;
            let room = usize::try_from(MOST - all).unwrap_or_default() + known;
            let (given, now) = (strangers.len(), Timestamp::now().as_millisecond());
            let rows: Vec<[Cell; 8]> = strangers.into_iter().take(room).map(|stranger| row(stranger, now)).collect();
            let left_out = given - rows.len();
            insert(&mut transaction, (WAITING, AGAIN), rows).await.map_err(|error| self.error(error))?;
            // One that was added a moment ago may have been met by a node that did not know yet.
            let known = sqlx::query(KNOWN).execute(&mut *transaction).await;
            known.map_err(|error| self.error(error))?;
            transaction.commit().await.map_err(|error| self.error(error))?;
            Ok(left_out)
        })
        .await
    }

    fn waits(&self, row: &AnyRow) -> Result<Waiting, StoreError> {
        let read = || -> Result<_, sqlx::Error> {
            let numbers: [i64; 4] = [row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?];
            let texts: [String; 3] = [row.try_get(0)?, row.try_get(6)?, row.try_get(7)?];
            Ok((texts, row.try_get::<Option<String>, _>(1)?, numbers))
        };
        let ([name, address, path], product, [proven, first, last, times]) =
            read().map_err(|error| self.error(error))?;
        let time = |at| Timestamp::from_millisecond(at).unwrap_or_default();
        Ok(Waiting {
            name: parsed("a device's name", &name)?,
            product: product.map(|product| parsed("a product name", &product)).transpose()?,
            proven: proven != 0,
            first: time(first),
            last: time(last),
            times,
            address,
            path,
        })
    }
}

impl Writing<'_> {
    /// Who waits under this name.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn waiting(&mut self, name: &DeviceName) -> Result<Option<Waiting>, StoreError> {
        let store = self.store;
        let row = sqlx::query(ONE).bind(name.to_string()).fetch_optional(&mut *self.transaction).await;
        row.map_err(|error| store.error(error))?.map(|row| store.waits(&row)).transpose()
    }

    /// Lets nobody wait any more under these names, or with `None` at all; one that asks again waits again.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn dismiss(&mut self, names: Option<&[DeviceName]>) -> Result<(), StoreError> {
        let store = self.store;
        if let Some(names) = names {
            let names = names.iter().map(|name| name.to_string().into()).collect();
            return store.of(&mut self.transaction, "delete from waiting where name in", names).await.map(drop);
        }
        let all = sqlx::query("delete from waiting").execute(&mut *self.transaction).await;
        all.map(drop).map_err(|error| store.error(error))
    }
}

fn row(stranger: Stranger, now: i64) -> [Cell; 8] {
    let Stranger { name, product, proven, address, path } = stranger;
    [
        name.to_string().into(),
        product.map(|product| product.to_string()).into(),
        i64::from(proven).into(),
        now.into(),
        now.into(),
        1.into(),
        address.to_string().into(),
        path.into(),
    ]
}
