//! The rows, no more of them than fit, whatever clients say.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;

use jiff::Timestamp;

use super::row::{Key, Row, Sighting};
use crate::device::DeviceIdentity;

/// Rows of proven devices. They are as many as there are models, firmwares and authorities.
const PROVEN: usize = 1024;

/// Rows of clients that proved nothing: they take no place from the others.
const UNPROVEN: usize = 256;

/// Rows that one device begins in the life of a process: it says itself what firmware it has, and is to take no place
/// from all others.
const OF_ONE: u8 = 8;

/// Devices that are remembered for that before all are forgotten.
const REMEMBERED: usize = 65_536;

/// All rows, found by a hash of what tells them apart. Its key is random and of this process, so nobody can make two rows
/// meet.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: HashMap<u64, Row>,
    hasher: RandomState,
    /// How many rows each device has begun, by its hash.
    begun: HashMap<u64, u8>,
}

impl Table {
    /// The rows of an earlier run.
    pub(super) fn of(rows: Vec<Row>) -> Self {
        let mut table = Self::default();
        for row in rows {
            let hash = table.hasher.hash_one(Key::of_row(&row));
            table.make_room(row.proven);
            table.rows.insert(hash, row);
        }
        table
    }

    /// Counts a connection in its row; only a row's first one allocates.
    pub(super) fn count(&mut self, sighting: &Sighting<'_>, now: Timestamp) {
        let key = Key::of(sighting);
        let hash = self.hasher.hash_one(&key);
        if !self.rows.contains_key(&hash) {
            if sighting.proven.is_some_and(|device| !self.may_begin(device)) {
                return;
            }
            self.make_room(key.proven);
        }
        match self.rows.entry(hash) {
            Entry::Occupied(entry) => {
                let row = entry.into_mut();
                row.last = now;
                row.connections += 1;
            }
            Entry::Vacant(entry) => drop(entry.insert(key.begin(now))),
        }
    }

    /// Whether a device has not begun too many rows; this is one of them.
    fn may_begin(&mut self, device: &DeviceIdentity) -> bool {
        if self.begun.len() >= REMEMBERED {
            self.begun.clear();
        }
        let begun = self.begun.entry(self.hasher.hash_one((device.mac(), device.serial()))).or_default();
        let may = *begun < OF_ONE;
        *begun = begun.saturating_add(1);
        may
    }

    /// The rows in order of model, firmware and version.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.rows.values().cloned().collect();
        let order =
            |row: &Row| (row.model.clone(), row.firmware.clone(), row.tls, row.suite.clone(), row.issuer.clone());
        rows.sort_by_cached_key(order);
        rows
    }

    /// Gives up the row that has been quiet for longest, where there is no room for another of its kind.
    fn make_room(&mut self, proven: bool) {
        let limit = if proven { PROVEN } else { UNPROVEN };
        let of_kind = || self.rows.iter().filter(|(_, row)| row.proven == proven);
        if of_kind().count() >= limit {
            let oldest = of_kind().min_by_key(|(_, row)| row.last).map(|(hash, _)| *hash);
            oldest.and_then(|hash| self.rows.remove(&hash));
        }
    }
}
