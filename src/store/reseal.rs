//! Sealing all secrets under another key, in one change; and under which keys they are.

use serde::Serialize;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::history::{Layer, Snapshot};
use super::seal::Place;
use super::{Defaults, Store, StoreError, Writing};
use crate::cipher::seal::{SealingKey, id_of};
use crate::device::VariableValue;

/// How many secrets are sealed under one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// What tells the key from others.
    pub key: String,
    /// Whether it is at hand, and is the one that seals.
    pub known: Known,
    /// Variables of defaults, groups and devices, and keys of devices.
    pub secrets: i64,
}

/// Whether a key is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// It is the first: what is sealed from now on is under it.
    Seals,
    /// It opens what is under it.
    Opens,
    /// It is not there: what is under it cannot be opened.
    Missing,
}

/// What a re-sealing has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Variables and keys of devices that are under the new key now.
    pub secrets: usize,
    /// Changes of the history likewise.
    pub changes: usize,
}

/// Rows that are read at once.
const PAGE: i64 = 500;

/// A sealed value is `{"$sealed":"v1.KEY…`: the key's eight digits begin at the sixteenth character.
const COUNTS: &str = "select id, count(*) from ( \
        select substr(value, 16, 8) as id from variable where value like '{\"$sealed\"%' \
        union all select substr(secret, 4, 8) as id from device_key where secret <> '' \
    ) as sealed group by id order by id";

const VARIABLES: &str = "select layer, owner, name, value from variable where value like '{\"$sealed\"%' \
    and (layer, owner, name) > ($1, $2, $3) order by layer, owner, name limit $4";

const CHANGES: &str = "select revision, place, layer, owner, before, after from history \
    where (revision, place) > ($1, $2) and (before like '%{\"$sealed\"%' or after like '%{\"$sealed\"%') \
    order by revision, place limit $3";

impl Store {
    /// Under which keys the secrets are.
    ///
    /// # Errors
    /// The store does not answer, or the keys cannot be read.
    pub async fn sealed(&self) -> Result<Vec<Sealed>, StoreError> {
        let keys = match self.sealer.keys() {
            Ok(keys) => keys.iter().map(|key| key.id().to_owned()).collect(),
            Err(StoreError::NoSealingKey) => Vec::new(),
            Err(error) => return Err(error),
        };
        let rows =
            self.within(async { sqlx::query(COUNTS).fetch_all(&self.pool).await.map_err(|error| self.error(error)) });
        let read = |row: &AnyRow| -> Result<(String, i64), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
        let counts: Result<Vec<_>, _> = rows.await?.iter().map(read).collect();
        let mut sealed: Vec<Sealed> = counts
            .map_err(|error| self.error(error))?
            .into_iter()
            .map(|(key, secrets)| Sealed { key, known: Known::Missing, secrets })
            .collect();
        for (at, key) in keys.into_iter().enumerate() {
            let known = if at == 0 { Known::Seals } else { Known::Opens };
            match sealed.iter_mut().find(|sealed| sealed.key == key) {
                Some(sealed) => sealed.known = known,
                None => sealed.push(Sealed { key, known, secrets: 0 }),
            }
        }
        Ok(sealed)
    }
}

impl Writing<'_> {
    /// Seals every secret under the first of the keys, also those of the history. Nothing of it is there before the
    /// commit, so that a process which ends in the middle leaves all under the key before.
    ///
    /// # Errors
    /// One cannot be opened, or the store cannot be written.
    pub async fn reseal(&mut self) -> Result<Resealed, StoreError> {
        let secrets = self.reseal_variables().await? + self.reseal_keys().await?;
        let resealed = Resealed { secrets, changes: self.reseal_history().await? };
        let defaults = self.defaults().await?;
        self.looked(Layer::Defaults, 0, "secrets", &defaults).await?;
        Ok(resealed)
    }

    /// Notes that somebody was shown the secrets of an owner, or sealed them anew: no change, but one for the history.
    pub(super) async fn looked<T: Serialize>(
        &mut self,
        layer: Layer,
        owner: i64,
        subject: &str,
        thing: &T,
    ) -> Result<(), StoreError> {
        self.note(vec![Snapshot::of(layer, owner, subject.to_owned(), Some(thing), Some(thing))]).await
    }

    /// Notes that somebody was shown the secrets of every device.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn saw_every_secret(&mut self) -> Result<(), StoreError> {
        let defaults: Defaults = self.defaults().await?;
        self.looked(Layer::Defaults, 0, "every device", &defaults).await
    }

    async fn reseal_variables(&mut self) -> Result<usize, StoreError> {
        let store = self.store;
        let (mut count, mut last) = (0, (String::new(), i64::MIN, String::new()));
        loop {
            let page = sqlx::query(VARIABLES).bind(last.0).bind(last.1).bind(last.2).bind(PAGE);
            let rows = page.fetch_all(&mut *self.transaction).await.map_err(|error| store.error(error))?;
            let Some(end) = rows.last() else { return Ok(count) };
            let read = |row: &AnyRow| -> Result<(String, i64, String, String), sqlx::Error> {
                Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
            };
            let (layer, owner, name, _) = read(end).map_err(|error| store.error(error))?;
            last = (layer, owner, name);
            for row in &rows {
                let (layer, owner, name, value) = read(row).map_err(|error| store.error(error))?;
                let place = Place { layer: &layer, owner, name: &name };
                let Some(value) = resealed(store, place, &parsed(&name, &value)?)? else { continue };
                let text = "update variable set value = $1 where layer = $2 and owner = $3 and name = $4";
                let written = sqlx::query(text).bind(value.to_string()).bind(layer).bind(owner).bind(name);
                written.execute(&mut *self.transaction).await.map_err(|error| store.error(error))?;
                count += 1;
            }
        }
    }

    async fn reseal_history(&mut self) -> Result<usize, StoreError> {
        let store = self.store;
        let (mut count, mut last) = (0, (i64::MIN, i64::MIN));
        loop {
            let page = sqlx::query(CHANGES).bind(last.0).bind(last.1).bind(PAGE);
            let rows = page.fetch_all(&mut *self.transaction).await.map_err(|error| store.error(error))?;
            if rows.is_empty() {
                return Ok(count);
            }
            for row in &rows {
                let read = || -> Result<_, sqlx::Error> {
                    let sides: [Option<String>; 2] = [row.try_get(4)?, row.try_get(5)?];
                    Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get::<String, _>(2)?, row.try_get(3)?, sides))
                };
                let (place, layer, owner, [before, after]) = read().map_err(|error| store.error(error))?;
                last = place;
                let same = before == after;
                let before = before.map(|side| reseal_side(store, (&layer, owner), &side)).transpose()?;
                let after = match (after, same) {
                    (Some(after), false) => Some(reseal_side(store, (&layer, owner), &after)?),
                    (_, true) => before.clone(),
                    (None, false) => None,
                };
                let text = "update history set before = $1, after = $2 where revision = $3 and place = $4";
                let written = sqlx::query(text).bind(before).bind(after).bind(place.0).bind(place.1);
                written.execute(&mut *self.transaction).await.map_err(|error| store.error(error))?;
                count += 1;
            }
        }
    }
}

/// One side of a change with its secrets under the first key.
fn reseal_side(store: &Store, (layer, owner): (&str, i64), side: &str) -> Result<String, StoreError> {
    let mut side = parsed("history", side)?;
    if let Some(Value::Object(variables)) = side.get_mut("variables") {
        for (name, value) in variables {
            if let Some(sealed) = resealed(store, Place { layer, owner, name }, value)? {
                *value = sealed;
            }
        }
    }
    Ok(side.to_string())
}

/// A sealed value under the first key; none where it is that already, or no sealed value.
fn resealed(store: &Store, place: Place<'_>, value: &Value) -> Result<Option<Value>, StoreError> {
    let VariableValue::Sealed(sealed) = VariableValue::from(value.clone()) else { return Ok(None) };
    let keys = store.sealer.keys()?;
    if keys.first().map(SealingKey::id) == id_of(&sealed) {
        return Ok(None);
    }
    let secret = store.sealer.open(place, &sealed)?;
    let value = VariableValue::Sealed(store.sealer.seal(place, &secret)?);
    Ok(Some(serde_json::to_value(value).expect("a sealed value is JSON")))
}

fn parsed(what: &str, text: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::damaged(what, error))
}
