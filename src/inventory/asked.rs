//! Under which of its keys a phone has asked: on the way to the store, which retires the one before.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::{Inventory, SIGHTINGS};
use crate::device::KeyKind;

/// That a phone has asked under a key, as nobody knew before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Its device's number.
    pub device: i64,
    /// What the key is for.
    pub kind: KeyKind,
    /// Which one.
    pub id: String,
}

impl Inventory {
    /// How many names have been read from the store since the last time that somebody counted.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }

    /// Notes that phones have asked under a key.
    pub fn asked_under(&self, asked: impl IntoIterator<Item = Asked>) {
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let room = SIGHTINGS.saturating_sub(all.len());
        all.extend(asked.into_iter().take(room));
    }

    /// What was noted since the last time.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
