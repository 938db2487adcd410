//! What profiles would be made with if something were otherwise: layers in memory that somebody may change, and devices as
//! they would be then. Nothing of it is written.

use std::collections::HashMap;
use std::time::SystemTime;

use super::history::Layer;
use super::keys::KeyState;
use super::queue::Queue;
use super::seal::Sealer;
use super::{Entry, Store, StoreError};
use crate::device::{GroupName, Layers, MASK_IN_PROFILES, Origin, Secret, Stratum, Values, VariableValue};
use crate::inventory::Known;

/// The layers that devices share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlook {
    /// What holds for every device.
    pub defaults: Values,
    /// The variables of each group.
    groups: HashMap<GroupName, (i64, Values)>,
}

impl Outlook {
    /// The variables of a group that is there.
    pub fn group_mut(&mut self, name: &GroupName) -> Option<&mut Values> {
        self.groups.get_mut(name).map(|(_, variables)| variables)
    }
}

impl Store {
    /// The layers as they are.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn outlook(&self) -> Result<Outlook, StoreError> {
        let defaults = self.defaults().await?.variables;
        let mut groups = HashMap::new();
        for (group, _) in self.groups().await? {
            let id = self.within(async {
                let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
                self.group_named(&mut connection, &group.name).await
            });
            if let Some((id, group)) = id.await? {
                groups.insert(group.name, (id, group.variables));
            }
        }
        Ok(Outlook { defaults, groups })
    }

    /// The same store once more.
    #[must_use]
    pub fn twin(&self) -> Self {
        let sealer = self.sealer.twin();
        let (pool, place) = (self.pool.clone(), self.place.clone());
        Self { pool, engine: self.engine, place, sealer, queue: Queue::default() }
    }

    /// The same store for people: what is made with it has a mask in place of each secret.
    #[must_use]
    pub fn masked_twin(&self) -> Self {
        self.twin().masked()
    }

    /// A device as requests would know it, with these layers beneath it and these keys.
    #[must_use]
    pub fn foresee(&self, outlook: &Outlook, entry: &Entry, keys: &[KeyState]) -> Known {
        let mut strata = vec![(0, Stratum { origin: Origin::Defaults, variables: outlook.defaults.clone() })];
        for name in &entry.device.groups {
            if let Some((id, variables)) = outlook.groups.get(name) {
                strata.push((*id, Stratum { origin: Origin::Group(name.clone()), variables: variables.clone() }));
            }
        }
        strata.push((entry.id, Stratum { origin: Origin::Device, variables: entry.device.variables.clone() }));
        let strata = strata.into_iter().map(|(owner, mut stratum)| {
            // One that does not open fails the profile that needs it, before and after.
            let _ = self.sealer.open_all(Layer::of(&stratum.origin), owner, &mut stratum.variables);
            self.mask(&mut stratum.variables);
            stratum
        });
        let known = Known::new(entry.id, entry.device.clone(), Layers(strata.collect()), SystemTime::UNIX_EPOCH);
        known.with_keys(self.ring_of(entry, keys))
    }

    /// What somebody has just given is no more to be seen than what is kept.
    fn mask(&self, values: &mut Values) {
        if matches!(self.sealer, Sealer::Masked) {
            for value in values.values_mut().filter(|value| value.is_secret()) {
                *value = VariableValue::Secret(Secret::new(MASK_IN_PROFILES.to_owned()));
            }
        }
    }
}
