//! Taking a change back, which is a change of its own.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::history::{Change, Layer};
use super::{Defaults, Entry, Group, StoreError, Writing};
use crate::device::Device;

impl Writing<'_> {
    /// Takes back all that one change did, unless something of it was changed again since. Returns how many things that is.
    ///
    /// # Errors
    /// There is no such change, or a later one stands on it.
    pub async fn undo(&mut self, revision: i64) -> Result<usize, StoreError> {
        let changes = self.revision_of(revision).await?;
        if changes.is_empty() {
            return Err(StoreError::NoSuchChange(revision));
        }
        if changes.iter().all(|change| change.before == change.after) {
            return Err(StoreError::NothingToUndo(revision));
        }
        self.nothing_later(revision).await?;
        let mut devices = Vec::new();
        for change in &changes {
            match change.layer {
                Layer::Device => {
                    let before = sided::<Device>(change, change.before.as_ref())?;
                    let now = sided::<Device>(change, change.after.as_ref())?;
                    devices.push((now.map(|device| Entry { id: change.owner, device }), before, change.owner));
                }
                Layer::Group => {
                    let before = sided::<Group>(change, change.before.as_ref())?;
                    let now = sided::<Group>(change, change.after.as_ref())?;
                    let name = now.as_ref().or(before.as_ref()).map(|group| group.name.clone());
                    if let Some(name) = name {
                        self.change_group(&name, before).await?;
                    }
                }
                // A code that was given out is not taken back by this, nor one that was used given back.
                Layer::Code => {}
                Layer::Defaults => {
                    let before = sided::<Defaults>(change, change.before.as_ref())?;
                    self.change_defaults(&before.unwrap_or_default()).await?;
                }
            }
        }
        let devices = devices.into_iter().map(|(now, before, id)| super::write::Step {
            before: now,
            after: before,
            id: Some(id),
        });
        match self.steps(devices.collect()).await?.faults.into_iter().next() {
            Some((_, fault)) => Err(fault),
            None => Ok(changes.len()),
        }
    }

    async fn nothing_later(&mut self, revision: i64) -> Result<(), StoreError> {
        let store = self.store;
        let asked = "select later.subject, later.revision from history later join history undone \
            on later.layer = undone.layer and later.owner = undone.owner \
            where undone.revision = $1 and later.revision > $1 \
            and coalesce(later.before, '') <> coalesce(later.after, '') order by later.revision limit 1";
        let later: Option<(String, i64)> = sqlx::query_as(asked)
            .bind(revision)
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(|error| store.error(error))?;
        match later {
            None => Ok(()),
            Some((subject, later)) => Err(StoreError::ChangedSince { subject, later }),
        }
    }
}

fn sided<T: DeserializeOwned>(change: &Change, side: Option<&Value>) -> Result<Option<T>, StoreError> {
    let read = side.map(|side| T::deserialize(side)).transpose();
    read.map_err(|error| StoreError::damaged(format!("the change {}", change.revision), error))
}
