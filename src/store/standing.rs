//! How devices stand with what they ask for.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::rows::{Cell, insert};
use super::{Store, StoreError};
use crate::event::{Failing, Ledger, Standing, Version};

const SELECT: &str = "select device, path, address, firmware, request, touched, given, given_at, confirmed, confirmed_at, \
    failing, error, told, proven from standing where device in";

const UPSERT: &str = "insert into standing \
    (device, path, address, firmware, request, touched, given, given_at, confirmed, confirmed_at, failing, error, told, proven)";

const AGAIN: &str = " on conflict (device, path) do update set address = excluded.address, firmware = excluded.firmware, \
    request = excluded.request, touched = excluded.touched, given = excluded.given, given_at = excluded.given_at, \
    confirmed = excluded.confirmed, confirmed_at = excluded.confirmed_at, failing = excluded.failing, \
    error = excluded.error, told = excluded.told, proven = excluded.proven";

impl Store {
    /// How these devices stand, each path by itself.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn standings_of(&self, devices: &[i64]) -> Result<Vec<Standing>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            self.standings(&mut connection, devices.to_vec()).await
        })
        .await
    }

    /// The same, on a connection that is there.
    pub(super) async fn standings(
        &self,
        connection: &mut AnyConnection,
        devices: Vec<i64>,
    ) -> Result<Vec<Standing>, StoreError> {
        let cells = devices.into_iter().map(Cell::Number).collect();
        let rows = self.of(connection, SELECT, cells).await?;
        rows.iter().map(|row| standing(row).map_err(|error| self.error(error))).collect()
    }

    /// Writes what news have changed.
    pub(super) async fn stand(&self, connection: &mut AnyConnection, ledger: Ledger) -> Result<(), StoreError> {
        let (changed, dropped) = ledger.into_changes();
        for (device, path) in dropped {
            let gone = sqlx::query("delete from standing where device = $1 and path = $2").bind(device).bind(path);
            gone.execute(&mut *connection).await.map_err(|error| self.error(error))?;
        }
        let rows = changed.into_iter().map(cells).collect();
        insert(connection, (UPSERT, AGAIN), rows).await.map_err(|error| self.error(error))
    }
}

fn standing(row: &AnyRow) -> Result<Standing, sqlx::Error> {
    let time = |at: usize| -> Result<Timestamp, sqlx::Error> {
        Ok(Timestamp::from_millisecond(row.try_get(at)?).unwrap_or_default())
    };
    let version = |at: usize| -> Result<Option<Version>, sqlx::Error> {
        let hash: Option<String> = row.try_get(at)?;
        hash.map(|hash| Ok(Version { hash, at: time(at + 1)? })).transpose()
    };
    let (since, told, proven): (i64, i64, i64) = (row.try_get(10)?, row.try_get(12)?, row.try_get(13)?);
    let failing = Failing { since: time(10)?, error: row.try_get(11)?, told: told != 0 };
    Ok(Standing {
        device: row.try_get(0)?,
        path: row.try_get(1)?,
        address: row.try_get(2)?,
        proven: proven != 0,
        firmware: row.try_get(3)?,
        request: row.try_get(4)?,
        touched: time(5)?,
        given: version(6)?,
        confirmed: version(8)?,
        failing: (since != 0).then_some(failing),
    })
}

fn cells(standing: Standing) -> [Cell; 14] {
    let Standing { device, path, address, proven, firmware, request, touched, given, confirmed, failing } = standing;
    let time = |at: Timestamp| Cell::Number(at.as_millisecond());
    let version = |version: Option<Version>| match version {
        Some(Version { hash, at }) => [hash.into(), time(at)],
        None => [Cell::Text(None), Cell::Number(0)],
    };
    let ([given, given_at], [confirmed, confirmed_at]) = (version(given), version(confirmed));
    let [failing, error, told] = match failing {
        Some(Failing { since, error, told }) => [time(since), error.into(), Cell::Number(told.into())],
        None => [Cell::Number(0), String::new().into(), Cell::Number(0)],
    };
    [
        device.into(),
        path.into(),
        address.into(),
        firmware.into(),
        request.into(),
        time(touched),
        given,
        given_at,
        confirmed,
        confirmed_at,
        failing,
        error,
        told,
        Cell::Number(proven.into()),
    ]
}
