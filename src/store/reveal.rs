//! Secrets for the eyes of a person who asked for them: opened, and the asking written into the history.

use super::history::Layer;
use super::{Defaults, Entry, Group, Store, StoreError, Writing};
use crate::device::{DeviceName, GroupName, Layers};

impl Store {
    /// Opens a device's secrets. Whoever shows them to somebody notes that: see [`Writing::saw_every_secret`].
    ///
    /// # Errors
    /// One does not open.
    pub fn open_secrets(&self, entry: &mut Entry) -> Result<(), StoreError> {
        self.sealer.open_all(Layer::Device, entry.id, &mut entry.device.variables)
    }
}

impl Writing<'_> {
    /// The device with this name, its secrets in clear.
    ///
    /// # Errors
    /// One does not open, or the store cannot be written.
    pub async fn reveal(&mut self, name: &DeviceName) -> Result<Option<Entry>, StoreError> {
        let Some(mut entry) = self.device(name).await? else { return Ok(None) };
        self.looked(Layer::Device, entry.id, &entry.device.name().to_string(), &entry.device).await?;
        self.store.open_secrets(&mut entry)?;
        Ok(Some(entry))
    }

    /// The group with this name, its secrets in clear.
    ///
    /// # Errors
    /// As [`Writing::reveal`].
    pub async fn reveal_group(&mut self, name: &GroupName) -> Result<Option<Group>, StoreError> {
        let Some((id, mut group)) = self.store.group_named(&mut self.transaction, name).await? else { return Ok(None) };
        self.looked(Layer::Group, id, name.as_str(), &group).await?;
        self.store.sealer.open_all(Layer::Group, id, &mut group.variables)?;
        Ok(Some(group))
    }

    /// What holds for every device, its secrets in clear.
    ///
    /// # Errors
    /// As [`Writing::reveal`].
    pub async fn reveal_defaults(&mut self) -> Result<Defaults, StoreError> {
        let mut defaults = self.defaults().await?;
        self.looked(Layer::Defaults, 0, "defaults", &defaults).await?;
        self.store.sealer.open_all(Layer::Defaults, 0, &mut defaults.variables)?;
        Ok(defaults)
    }

    /// All that a device's variables come from, secrets in clear.
    ///
    /// # Errors
    /// As [`Writing::reveal`].
    pub async fn reveal_layers(&mut self, name: &DeviceName) -> Result<Option<Layers>, StoreError> {
        let whole = self.store.whole(&mut self.transaction, name).await?;
        let Some(whole) = whole else { return Ok(None) };
        let device = &whole.entry.device;
        self.looked(Layer::Device, whole.entry.id, &device.name().to_string(), device).await?;
        let opened = whole.strata().into_iter().map(|(owner, mut stratum)| {
            let layer = Layer::of(&stratum.origin);
            self.store.sealer.open_all(layer, owner, &mut stratum.variables).map(|()| stratum)
        });
        Ok(Some(Layers(opened.collect::<Result<_, _>>()?)))
    }
}
