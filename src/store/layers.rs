//! Where a device's variables come from: defaults, its groups in their order, itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row as _};

use super::group::{VARIABLE, variable};
use super::history::{Layer, Snapshot};
use super::read::parsed;
use super::rows::insert;
use super::{Entry, Store, StoreError, Writing};
use crate::device::{DeviceName, GroupName, Layers, Origin, Stratum, Values, VariableValue};
use crate::inventory::Known;

/// What holds for every device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The variables.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub variables: Values,
}

const OF_GROUPS: &str = "select g.id, g.name, v.name, v.value from membership m \
    join device_group g on g.id = m.device_group join variable v on v.layer = 'group' and v.owner = g.id \
    where m.device = $1 order by m.place, v.name";

/// When the device, one of its groups, or the defaults were last changed.
const CHANGED: &str = "select max(changed) from (select changed from device where id = $1 \
    union all select g.changed from membership m join device_group g on g.id = m.device_group where m.device = $1 \
    union all select coalesce(used, made) from device_key where device = $1 \
    union all select max(at) from history where layer = 'defaults') as times";

/// Variables of the layers above devices, and of the first devices: enough to know which ones there are.
const SAMPLES: &str = "select name, min(value) from variable where layer <> 'device' or owner <= 1000 group by name";

impl Store {
    /// The device with this name, and all that its variables come from.
    ///
    /// # Errors
    /// The store does not answer, or holds what is no device.
    pub async fn layers(&self, name: &DeviceName) -> Result<Option<(Entry, Layers)>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            let Some(entry) = self.named(&mut connection, name).await? else { return Ok(None) };
            let layers = self.layers_of(&mut connection, &entry).await?;
            Ok(Some((entry, Layers(layers.into_iter().map(|(_, stratum)| stratum).collect()))))
        })
        .await
    }

    /// What holds for every device.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn defaults(&self) -> Result<Defaults, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            let variables = self.variables(&mut connection, Layer::Defaults.as_str(), 0).await?;
            Ok(Defaults { variables })
        })
        .await
    }

    /// Some value of each variable that there is, as a stand-in for any device's.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn samples(&self) -> Result<Values, StoreError> {
        self.within(async {
            let rows = sqlx::query(SAMPLES).fetch_all(&self.pool).await.map_err(|error| self.error(error))?;
            let mut samples = Values::new();
            for row in rows {
                let read = || -> Result<(String, String), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
                let (name, value) = read().map_err(|error| self.error(error))?;
                samples.insert(parsed("a variable's name", &name)?, json(&name, &value)?);
            }
            Ok(samples)
        })
        .await
    }

    /// The device with this name, as requests need it.
    pub(super) async fn known(&self, name: &DeviceName) -> Result<Option<Arc<Known>>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            let Some(entry) = self.named(&mut connection, name).await? else { return Ok(None) };
            let layers = self.layers_of(&mut connection, &entry).await?;
            let layers = self.opened(layers, &entry);
            let changed = sqlx::query_scalar(CHANGED).bind(entry.id).fetch_one(&mut *connection).await;
            let changed: i64 = changed.map_err(|error| self.error(error))?;
            let ring = self.ring(&mut connection, &entry).await?;
            let changed = SystemTime::UNIX_EPOCH + Duration::from_millis(changed.unsigned_abs());
            Ok(Some(Arc::new(Known::new(entry.id, entry.device, &layers, changed).with_keys(ring))))
        })
        .await
    }

    /// The layers with their secrets opened. One that does not open stays sealed: who does not need it is served.
    fn opened(&self, layers: Vec<(i64, Stratum)>, entry: &Entry) -> Layers {
        let strata = layers.into_iter().map(|(owner, mut stratum)| {
            let layer = Layer::of(&stratum.origin);
            if let Err(error) = self.sealer.open_all(layer, owner, &mut stratum.variables) {
                tracing::error!(device = %entry.device.name(), layer = %stratum.origin, %error, "a secret does not open");
            }
            stratum
        });
        Layers(strata.collect())
    }

    /// The layers, each with its owner's number.
    pub(super) async fn layers_of(
        &self,
        connection: &mut AnyConnection,
        entry: &Entry,
    ) -> Result<Vec<(i64, Stratum)>, StoreError> {
        let defaults = self.variables(connection, Layer::Defaults.as_str(), 0).await?;
        let mut strata = vec![(0, Stratum { origin: Origin::Defaults, variables: defaults })];
        let rows = sqlx::query(OF_GROUPS).bind(entry.id).fetch_all(connection).await;
        for row in rows.map_err(|error| self.error(error))? {
            let read = || -> Result<(i64, [String; 3]), sqlx::Error> {
                Ok((row.try_get(0)?, [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?]))
            };
            let (id, [group, name, value]) = read().map_err(|error| self.error(error))?;
            let group: GroupName = parsed("a group's name", &group)?;
            let (name, value) = (parsed("a variable's name", &name)?, json(&name, &value)?);
            let origin = Origin::Group(group);
            match strata.last_mut().filter(|(_, last)| last.origin == origin) {
                Some((_, last)) => drop(last.variables.insert(name, value)),
                None => strata.push((id, Stratum { origin, variables: BTreeMap::from([(name, value)]) })),
            }
        }
        strata.push((entry.id, Stratum { origin: Origin::Device, variables: entry.device.variables.clone() }));
        Ok(strata)
    }
}

impl Writing<'_> {
    /// What holds for every device.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn defaults(&mut self) -> Result<Defaults, StoreError> {
        let variables = self.store.variables(&mut self.transaction, Layer::Defaults.as_str(), 0).await?;
        Ok(Defaults { variables })
    }

    /// Replaces what holds for every device.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn change_defaults(&mut self, after: &Defaults) -> Result<(), StoreError> {
        let store = self.store;
        let before = self.defaults().await?;
        let mut after = after.clone();
        store.sealer.seal_all(Layer::Defaults, 0, Some(&before.variables), &mut after.variables)?;
        if before == after {
            return Ok(());
        }
        let forgotten =
            sqlx::query("delete from variable where layer = 'defaults'").execute(&mut *self.transaction).await;
        forgotten.map_err(|error| store.error(error))?;
        let rows = after.variables.iter().map(|(name, value)| variable(Layer::Defaults, 0, name, value)).collect();
        insert(&mut self.transaction, (VARIABLE, ""), rows).await.map_err(|error| store.error(error))?;
        let snapshot = Snapshot::of(Layer::Defaults, 0, "defaults".to_owned(), Some(&before), Some(&after));
        self.note(vec![snapshot]).await
    }
}

fn json(name: &str, value: &str) -> Result<VariableValue, StoreError> {
    serde_json::from_str(value).map_err(|error| StoreError::damaged(format!("a value of the variable {name}"), error))
}
