//! The rows, no more of them than fit, whatever clients say.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;

use jiff::Timestamp;

use super::row::{Key, Row, Sighting};

/// Rows of proven devices. They are as many as there are models, firmwares and authorities.
const PROVEN: usize = 1024;

/// Rows of clients that proved nothing: they take no place from the others.
const UNPROVEN: usize = 256;

/// All rows, found by a hash of what tells them apart. Its key is random and of this process, so nobody can make two rows
/// meet.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: HashMap<u64, Row>,
    hasher: RandomState,
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
