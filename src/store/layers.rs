//! Where a device's variables come from: defaults, its groups in their order, itself.

use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use super::group::{VARIABLE, variable};
use super::history::{Layer, Snapshot};
use super::read::parsed;
use super::rows::insert;
use super::whole::Whole;
use super::{Entry, Store, StoreError, Writing};
use crate::device::{DeviceName, Layers, Origin, Stratum, Values, VariableValue};
use crate::inventory::Known;

/// What holds for every device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The variables.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub variables: Values,
}

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
            let whole = self.whole(&mut connection, name).await?;
            Ok(whole.map(|whole| {
                let strata = whole.strata().into_iter().map(|(_, stratum)| stratum);
                (whole.entry, Layers(strata.collect()))
            }))
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

    /// A device with its secrets opened. One that does not open stays sealed: who does not need it is served.
    pub(super) fn opened(&self, Whole { mut entry, beneath, keys, changed }: Whole) -> Known {
        let own = Stratum { origin: Origin::Device, variables: std::mem::take(&mut entry.device.variables) };
        let strata = beneath.into_iter().chain([(entry.id, own)]);
        let strata = strata.map(|(owner, mut stratum)| {
            let layer = Layer::of(&stratum.origin);
            if let Err(error) = self.sealer.open_all(layer, owner, &mut stratum.variables) {
                tracing::error!(device = %entry.device.name(), layer = %stratum.origin, %error, "a secret does not open");
            }
            stratum
        });
        let layers = Layers(strata.collect());
        let ring = self.ring_of(&entry, &keys);
        Known::new(entry.id, entry.device, layers, changed).with_keys(ring)
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

/// A variable's value.
pub(super) fn json(name: &str, value: &str) -> Result<VariableValue, StoreError> {
    serde_json::from_str(value).map_err(|error| StoreError::damaged(format!("a value of the variable {name}"), error))
}
