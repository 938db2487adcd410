//! Keys of devices for their profiles: made, handed over, and retired when the phone has asked under the next one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::history::{Layer, Snapshot};
use super::read::parsed;
use super::rows::{Cell, insert};
use super::seal::Place;
use super::{Entry, Filter, Store, StoreError, Writing};
use crate::device::{DeviceKey, KeyKind, KeyPair, KeyRing, Secret};
use crate::inventory::Asked;

/// What is known of a key, without what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyState {
    /// What it is for.
    pub kind: KeyKind,
    /// Its number among the device's keys of the kind.
    pub generation: i64,
    /// How far it is.
    pub stage: Stage,
    /// What a phone says that has it.
    pub id: String,
    /// Since when it is there.
    pub made: Timestamp,
    /// Since when the phone has it; none where it has never asked under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    #[serde(skip)]
    secret: String,
}

/// How far a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The phone has it.
    Current,
    /// Profiles hand it to the phone.
    Next,
    /// The phone has a newer one.
    Retired,
}

/// Retired keys that are remembered.
const REMEMBERED: i64 = 3;

/// Octets of a key.
const OCTETS: usize = 32;

const KEYS: &str = "select device, kind, generation, state, print, secret, made, used from device_key \
    where device in () order by device, kind, generation";

const INSERT: &str = "insert into device_key (device, kind, generation, state, print, secret, made)";

impl Stage {
    /// As the store has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
            Self::Retired => "retired",
        }
    }
}

impl Store {
    /// The keys of these devices, the oldest of each kind first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn keys(&self, ids: &[i64]) -> Result<HashMap<i64, Vec<KeyState>>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            self.keys_of(&mut connection, ids).await
        })
        .await
    }

    /// The keys of one device, opened. Of those that do not open, the device has none.
    pub(super) fn ring_of(&self, entry: &Entry, states: &[KeyState]) -> KeyRing {
        let mut ring = KeyRing::default();
        for state in states {
            let key = match state.stage {
                Stage::Retired => continue,
                Stage::Current | Stage::Next => self.key(entry.id, state),
            };
            let key = match key {
                Ok(key) => key,
                Err(error) => {
                    tracing::error!(device = %entry.device.name(), %error, "a key does not open");
                    continue;
                }
            };
            match (state.stage, ring.place(state.kind)) {
                (Stage::Next, Some(pair)) => pair.next = Some(key),
                (_, place) => *place = Some(KeyPair { current: key, is_used: state.used.is_some(), next: None }),
            }
        }
        ring
    }

    fn key(&self, device: i64, state: &KeyState) -> Result<DeviceKey, StoreError> {
        let name = place_of(state.kind, state.generation);
        let secret = self.sealer.open(Place { layer: LAYER, owner: device, name: &name }, &state.secret)?;
        Ok(DeviceKey::named(secret, state.id.clone()))
    }

    async fn keys_of(
        &self,
        connection: &mut AnyConnection,
        ids: &[i64],
    ) -> Result<HashMap<i64, Vec<KeyState>>, StoreError> {
        let cells = ids.iter().map(|id| Cell::Number(*id)).collect();
        let mut keys: HashMap<i64, Vec<KeyState>> = HashMap::new();
        for row in self.of(connection, KEYS, cells).await? {
            let (device, state) = self.state(&row)?;
            keys.entry(device).or_default().push(state);
        }
        Ok(keys)
    }

    fn state(&self, row: &AnyRow) -> Result<(i64, KeyState), StoreError> {
        let read = || -> Result<_, sqlx::Error> {
            let texts: [String; 4] = [row.try_get(1)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?];
            Ok((row.try_get(0)?, row.try_get(2)?, texts, row.try_get(6)?, row.try_get::<Option<i64>, _>(7)?))
        };
        let (device, generation, [kind, stage, id, secret], made, used) = read().map_err(|error| self.error(error))?;
        Ok((device, KeyState::new((&kind, generation), &stage, (id, secret), (made, used))?))
    }
}

impl KeyState {
    /// A key as its columns have it: kind and generation, state, print and secret, and when it was made and first used.
    pub(super) fn new(
        (kind, generation): (&str, i64),
        stage: &str,
        (id, secret): (String, String),
        (made, used): (i64, Option<i64>),
    ) -> Result<Self, StoreError> {
        let known = [Stage::Current, Stage::Next, Stage::Retired].into_iter().find(|known| known.as_str() == stage);
        let stage = known.ok_or_else(|| StoreError::damaged("a key", format!("`{stage}` is no state of one")))?;
        let at = |at: i64| Timestamp::from_millisecond(at).unwrap_or_default();
        Ok(Self { kind: parsed("a key", kind)?, generation, stage, id, made: at(made), used: used.map(at), secret })
    }
}

impl Writing<'_> {
    /// Devices in the order in which they came, those after this number.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn page(&mut self, after: i64, limit: i64, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
        self.store.page_of(&mut self.transaction, (after, limit), filter).await
    }

    /// Gives each of these devices a new key of 256 random bits: at once where it has none, else as the next one, which
    /// its profiles hand over. Returns the devices that have a next key already; they are left alone.
    ///
    /// # Errors
    /// There is no key to seal with, or the store cannot be written.
    pub async fn rotate_keys<'a>(&mut self, entries: &'a [Entry], kind: KeyKind) -> Result<Vec<&'a Entry>, StoreError> {
        let store = self.store;
        let ids: Vec<i64> = entries.iter().map(|entry| entry.id).collect();
        let known = store.keys_of(&mut self.transaction, &ids).await?;
        let (mut rows, mut changed, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let keys = known.get(&entry.id).map(Vec::as_slice).unwrap_or_default();
            let mine = || keys.iter().filter(|key| key.kind == kind);
            if mine().any(|key| key.stage == Stage::Next) {
                left.push(entry);
                continue;
            }
            let stage = if mine().any(|key| key.stage == Stage::Current) { Stage::Next } else { Stage::Current };
            let generation = mine().map(|key| key.generation).max().unwrap_or_default() + 1;
            rows.push(self.key_row(entry.id, (kind, generation, stage), &DeviceKey::new(random()?))?);
            changed.push(entry);
        }
        insert(&mut self.transaction, (INSERT, ""), rows).await.map_err(|error| store.error(error))?;
        self.keyed(&changed).await?;
        Ok(left)
    }

    /// Takes over the key that a phone has; its others are retired.
    ///
    /// # Errors
    /// As [`Writing::rotate_keys`].
    pub async fn set_key(&mut self, entry: &Entry, kind: KeyKind, secret: Secret) -> Result<(), StoreError> {
        let store = self.store;
        let known = store.keys_of(&mut self.transaction, &[entry.id]).await?;
        let keys = known.get(&entry.id).map(Vec::as_slice).unwrap_or_default();
        let last = keys.iter().filter(|key| key.kind == kind).map(|key| key.generation).max().unwrap_or_default();
        let retired =
            sqlx::query("update device_key set state = 'retired', secret = '' where device = $1 and kind = $2");
        let retired = retired.bind(entry.id).bind(kind.as_str()).execute(&mut *self.transaction).await;
        retired.map_err(|error| store.error(error))?;
        let row = self.key_row(entry.id, (kind, last + 1, Stage::Current), &DeviceKey::new(secret))?;
        insert(&mut self.transaction, (INSERT, ""), vec![row]).await.map_err(|error| store.error(error))?;
        self.forget_retired(entry.id, kind).await?;
        self.keyed(&[entry]).await
    }

    /// The keys of a device with their texts, once the history has who looks.
    ///
    /// # Errors
    /// One does not open, or the store cannot be written.
    pub async fn reveal_keys(&mut self, entry: &Entry) -> Result<Vec<(KeyState, Secret)>, StoreError> {
        let store = self.store;
        self.keyed(&[entry]).await?;
        let keys = store.keys_of(&mut self.transaction, &[entry.id]).await?.remove(&entry.id).unwrap_or_default();
        let there = keys.into_iter().filter(|state| state.stage != Stage::Retired);
        there.map(|state| Ok((state.clone(), store.key(entry.id, &state)?.secret().clone()))).collect()
    }

    /// Takes note of the keys that phones have asked under: one that was the next is the current one from now on, and the
    /// one before is retired. Returns how many that changed.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn asked_under(&mut self, asked: &BTreeSet<Asked>) -> Result<usize, StoreError> {
        let store = self.store;
        let mut devices = BTreeSet::new();
        for Asked { device, kind, id } in asked {
            let used = "update device_key set used = $1, state = 'current' \
                where device = $2 and kind = $3 and print = $4 and state <> 'retired' and used is null";
            let used = sqlx::query(used).bind(self.at).bind(*device).bind(kind.as_str()).bind(id.clone());
            let used = used.execute(&mut *self.transaction).await.map_err(|error| store.error(error))?;
            if used.rows_affected() == 0 {
                continue;
            }
            let retired = "update device_key set state = 'retired', secret = '' \
                where device = $1 and kind = $2 and print <> $3 and state = 'current'";
            let retired = sqlx::query(retired).bind(*device).bind(kind.as_str()).bind(id.clone());
            retired.execute(&mut *self.transaction).await.map_err(|error| store.error(error))?;
            self.forget_retired(*device, *kind).await?;
            devices.insert(*device);
        }
        let ids: Vec<i64> = devices.into_iter().collect();
        let entries = store.numbered(&mut self.transaction, &ids).await?;
        self.keyed(&entries.iter().collect::<Vec<_>>()).await?;
        Ok(entries.len())
    }

    fn key_row(
        &self,
        device: i64,
        (kind, generation, stage): (KeyKind, i64, Stage),
        key: &DeviceKey,
    ) -> Result<[Cell; 7], StoreError> {
        let name = place_of(kind, generation);
        let sealed = self.store.sealer.seal(Place { layer: LAYER, owner: device, name: &name }, key.secret())?;
        let (kind, stage) = (kind.as_str().to_owned(), stage.as_str().to_owned());
        let id = key.id().to_owned();
        Ok([device.into(), kind.into(), generation.into(), stage.into(), id.into(), sealed.into(), self.at.into()])
    }

    async fn forget_retired(&mut self, device: i64, kind: KeyKind) -> Result<(), StoreError> {
        let store = self.store;
        let text = "delete from device_key where device = $1 and kind = $2 and state = 'retired' and generation < \
            (select max(k.generation) from device_key k where k.device = $1 and k.kind = $2) - $3";
        let forgotten = sqlx::query(text).bind(device).bind(kind.as_str()).bind(REMEMBERED);
        forgotten.execute(&mut *self.transaction).await.map(drop).map_err(|error| store.error(error))
    }

    /// Writes into the history that something was done about these devices' keys: nodes read the devices again.
    async fn keyed(&mut self, entries: &[&Entry]) -> Result<(), StoreError> {
        let noted = |entry: &&Entry| {
            let subject = entry.device.name().to_string();
            Snapshot::of(Layer::Device, entry.id, subject, Some(&entry.device), Some(&entry.device))
        };
        self.note(entries.iter().map(noted).collect()).await
    }

    /// Seals all keys under the first key that seals.
    pub(super) async fn reseal_keys(&mut self) -> Result<usize, StoreError> {
        let store = self.store;
        let seals = store.sealer.keys()?.first().map(|key| key.id().to_owned()).unwrap_or_default();
        let (mut count, mut last) = (0, (i64::MIN, String::new(), 0));
        loop {
            let text = "select device, kind, generation, secret from device_key where secret <> '' \
                and (device, kind, generation) > ($1, $2, $3) order by device, kind, generation limit 500";
            let page = sqlx::query(text).bind(last.0).bind(last.1.clone()).bind(last.2);
            let rows = page.fetch_all(&mut *self.transaction).await.map_err(|error| store.error(error))?;
            if rows.is_empty() {
                return Ok(count);
            }
            for row in &rows {
                let read = || -> Result<(i64, String, i64, String), sqlx::Error> {
                    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
                };
                let (device, kind, generation, sealed) = read().map_err(|error| store.error(error))?;
                last = (device, kind.clone(), generation);
                if crate::cipher::seal::id_of(&sealed) == Some(seals.as_str()) {
                    continue;
                }
                let name = format!("{kind} {generation}");
                let place = Place { layer: LAYER, owner: device, name: &name };
                let sealed = store.sealer.seal(place, &store.sealer.open(place, &sealed)?)?;
                let text = "update device_key set secret = $1 where device = $2 and kind = $3 and generation = $4";
                let written = sqlx::query(text).bind(sealed).bind(device).bind(kind).bind(generation);
                written.execute(&mut *self.transaction).await.map_err(|error| store.error(error))?;
                count += 1;
            }
        }
    }
}

/// What a key is sealed for, beside its device.
const LAYER: &str = "the keys of device";

fn place_of(kind: KeyKind, generation: i64) -> String {
    format!("{kind} {generation}")
}

fn random() -> Result<Secret, StoreError> {
    let mut octets = [0; OCTETS];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| StoreError::NoRandomNumbers)?;
    Ok(Secret::new(HEXLOWER.encode(&octets)))
}

/// How a device's keys of one kind stand, in one word for lists: `2`, or `2→3` while a new one is handed over.
#[must_use]
pub fn in_one_word(keys: &[KeyState]) -> String {
    let mut kinds: BTreeMap<KeyKind, [Option<i64>; 2]> = BTreeMap::new();
    for key in keys {
        let place = match key.stage {
            Stage::Current => 0,
            Stage::Next => 1,
            Stage::Retired => continue,
        };
        kinds.entry(key.kind).or_default()[place] = Some(key.generation);
    }
    let words = kinds.into_iter().map(|(kind, generations)| {
        let numbers: Vec<String> = generations.into_iter().flatten().map(|number| number.to_string()).collect();
        format!("{kind} {}", numbers.join("→"))
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}
