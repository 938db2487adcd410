//! The store behind what is kept in memory: it is asked for what is not there, and says what has changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize as _;

use super::history::{Change, Layer};
use super::rows::{Cell, insert};
use super::{Store, StoreError};
use crate::device::{Device, DeviceName};
use crate::inventory::{Inventory, Known, Sighting, Touched};

/// Changes that are looked at one by one; after more than that, everything is forgotten.
const LOOKED_AT: i64 = 2000;

const SEEN: &str = "insert into seen (device, at, address)";

const SEEN_AGAIN: &str = " on conflict (device) do update set at = excluded.at, address = excluded.address";

impl Store {
    /// Asks for a name that is not in memory, where it is from now on.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn recall(&self, inventory: &Inventory, name: &DeviceName) -> Result<Option<Arc<Known>>, StoreError> {
        let (revision, known) = self.known(name).await?;
        inventory.remember(name, known.clone(), revision);
        Ok(known)
    }

    /// Lets memory forget what has changed since it was last told.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn tell(&self, inventory: &Inventory) -> Result<(), StoreError> {
        let (known, now) = (inventory.revision(), self.revision().await?);
        if now == known {
            return Ok(());
        }
        let changes = self.since(known, now, LOOKED_AT + 1).await?;
        // A store that went back in time is another one.
        let touched = match now > known && changes.len() as u64 <= LOOKED_AT.unsigned_abs() {
            true => touched(&changes),
            false => Touched::Everything,
        };
        inventory.forget(now, &touched);
        Ok(())
    }

    /// Writes when devices were given something. Those that are gone are left out.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn saw(&self, sightings: Vec<Sighting>) -> Result<(), StoreError> {
        let latest: std::collections::BTreeMap<i64, Sighting> =
            sightings.into_iter().map(|sighting| (sighting.id, sighting)).collect();
        self.within(async {
            let mut transaction = self.pool.begin_with(self.engine.begin()).await.map_err(|error| self.error(error))?;
            let ids = latest.keys().map(|id| Cell::Number(*id)).collect();
            let there = self.of(&mut transaction, "select id from device where id in", ids).await?;
            let there: BTreeSet<i64> = there.iter().filter_map(|row| sqlx::Row::try_get(row, 0).ok()).collect();
            let rows = latest.into_values().filter(|sighting| there.contains(&sighting.id));
            let rows = rows.map(|Sighting { id, at, address }| -> [Cell; 3] {
                [id.into(), Cell::Number(at * 1000), address.to_string().into()]
            });
            let rows = rows.collect();
            insert(&mut transaction, (SEEN, SEEN_AGAIN), rows).await.map_err(|error| self.error(error))?;
            transaction.commit().await.map_err(|error| self.error(error))
        })
        .await
    }
}

/// What these changes touch: every name of a device before or after.
fn touched(changes: &[Change]) -> Touched {
    let mut names = BTreeSet::new();
    let mut layers = false;
    for change in changes {
        match change.layer {
            // Where nothing has changed, somebody has only looked at secrets.
            Layer::Defaults | Layer::Group => layers |= change.before != change.after,
            Layer::Code => {}
            Layer::Device => {
                for side in change.before.iter().chain(&change.after) {
                    match Device::deserialize(side) {
                        Ok(device) => names.extend(device.names()),
                        Err(_) => return Touched::Everything,
                    }
                }
            }
        }
    }
    match (layers, names.is_empty()) {
        // Both at once are rare.
        (true, false) => Touched::Everything,
        (true, true) => Touched::Layers,
        (false, _) => Touched::Names(names.into_iter().collect()),
    }
}
