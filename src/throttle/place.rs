//! A place to wait in: each answer that waits holds a connection, so there are not many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A place among the client's own and among all, given back when this is dropped.
#[derive(Debug)]
pub struct Place(Vec<Arc<AtomicU32>>);

impl Place {
    /// Takes a place of each kind, where fewer than its limit are taken; all of them or none.
    pub(super) fn take(kinds: [(Arc<AtomicU32>, u32); 2]) -> Option<Self> {
        let mut place = Self(Vec::with_capacity(kinds.len()));
        for (taken, limit) in kinds {
            let one_more = |taken: u32| (taken < limit).then_some(taken + 1);
            taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
            place.0.push(taken);
        }
        Some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for taken in &self.0 {
            taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
