//! What is known of devices without asking the store: those that phones have asked as, and those that the store does not
//! have. A look-up is one of a hash; nothing here waits, reads or writes.
//!
//! What is remembered holds until the store says that it changed: [`Inventory::forget`] is told of every change, in order. What
//! was read before a change that is known already is not kept. With the store away, everything goes on counting; also what
//! a change of groups or defaults has made old, but never what a change of the device itself has.

mod asked;
mod known;
mod lookup;
mod strangers;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use quick_cache::sync::Cache;

pub use self::asked::Asked;
pub use self::known::{Known, Sighting, to_value};
use self::lookup::Kept;
pub use self::lookup::{Lookup, Touched};
pub use self::strangers::Stranger;
use self::strangers::Strangers;
use crate::device::{DeviceName, MacAddress, SerialNumber};

/// Sightings that wait to be written; past that, some are not.
const SIGHTINGS: usize = 100_000;

/// Devices by every name that they have, as many as fit.
#[derive(Debug)]
pub struct Inventory {
    by_mac: Cache<MacAddress, Kept>,
    by_serial: Cache<SerialNumber, Kept>,
    /// The last change of the store that is known here. Held while something is remembered or forgotten.
    revision: RwLock<i64>,
    /// What was read before this change is old.
    floor: AtomicI64,
    seen: Mutex<Vec<Sighting>>,
    asked: Mutex<BTreeSet<Asked>>,
    strangers: Strangers,
    away: AtomicBool,
    /// Names that were read from the store and not counted yet.
    read: AtomicU64,
}

impl Inventory {
    /// Remembers about so many names, of changes after this one.
    #[must_use]
    pub fn new(names: usize, revision: i64) -> Self {
        Self {
            by_mac: Cache::new(names),
            by_serial: Cache::new(names),
            revision: RwLock::new(revision),
            floor: AtomicI64::new(i64::MIN),
            seen: Mutex::default(),
            asked: Mutex::default(),
            strangers: Strangers::default(),
            away: AtomicBool::new(false),
            read: AtomicU64::new(0),
        }
    }

    /// What is known of a name.
    #[must_use]
    pub fn look_up(&self, name: &DeviceName) -> Lookup {
        match name {
            DeviceName::Mac(mac) => self.by_mac(*mac),
            DeviceName::Serial(serial) => self.by_serial(serial),
        }
    }

    /// What is known of a MAC address.
    #[must_use]
    pub fn by_mac(&self, mac: MacAddress) -> Lookup {
        self.fresh(self.by_mac.get(&mac))
    }

    /// What is known of a serial number.
    #[must_use]
    pub fn by_serial(&self, serial: &SerialNumber) -> Lookup {
        self.fresh(self.by_serial.get(serial))
    }

    /// What was known of a name, though it may be old: for when the store is away.
    #[must_use]
    pub fn last_known(&self, name: &DeviceName) -> Option<Option<Arc<Known>>> {
        self.kept(name).map(|kept| kept.known)
    }

    fn kept(&self, name: &DeviceName) -> Option<Kept> {
        match name {
            DeviceName::Mac(mac) => self.by_mac.get(mac),
            DeviceName::Serial(serial) => self.by_serial.get(serial),
        }
    }

    fn fresh(&self, kept: Option<Kept>) -> Lookup {
        match kept.filter(|kept| kept.revision >= self.floor.load(Ordering::Relaxed)) {
            Some(Kept { known: Some(known), .. }) => Lookup::Known(known),
            Some(Kept { known: None, .. }) => Lookup::Nobody,
            None => Lookup::Unread,
        }
    }

    /// Remembers what the store said of a name when `revision` was its last change; not if a later one is known here.
    pub fn remember(&self, name: &DeviceName, known: Option<Arc<Known>>, revision: i64) {
        self.read.fetch_add(1, Ordering::Relaxed);
        let current = self.revision.read().unwrap_or_else(PoisonError::into_inner);
        if revision < *current {
            return;
        }
        let kept = Kept { revision, known };
        match name {
            DeviceName::Mac(mac) => self.by_mac.insert(*mac, kept),
            DeviceName::Serial(serial) => self.by_serial.insert(serial.clone(), kept),
        }
    }

    /// The last change of the store that is known here.
    #[must_use]
    pub fn revision(&self) -> i64 {
        *self.revision.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what changes up to this one have touched.
    pub fn forget(&self, revision: i64, touched: &Touched) {
        let mut current = self.revision.write().unwrap_or_else(PoisonError::into_inner);
        *current = revision;
        match touched {
            Touched::Names(names) => {
                // What was read since holds the change.
                let old = |name: &&DeviceName| self.kept(name).is_some_and(|kept| kept.revision < revision);
                for name in names.iter().filter(old) {
                    match name {
                        DeviceName::Mac(mac) => drop(self.by_mac.remove(mac)),
                        DeviceName::Serial(serial) => drop(self.by_serial.remove(serial)),
                    }
                }
            }
            Touched::Layers => self.floor.store(revision, Ordering::Relaxed),
            Touched::Everything => {
                self.by_mac.clear();
                self.by_serial.clear();
            }
        }
    }

    /// Notes that a device was given something, once a minute at the most.
    pub fn saw(&self, known: &Known, address: IpAddr, now: SystemTime) {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let Ok(at) = i64::try_from(now) else { return };
        if !known.is_news(at) {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < SIGHTINGS {
            seen.push(Sighting { id: known.id(), at, address });
        }
    }

    /// What was noted since the last time.
    #[must_use]
    pub fn sightings(&self) -> Vec<Sighting> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes who asked for a profile that it could have had.
    pub fn met(&self, stranger: Stranger) {
        self.strangers.note(stranger);
    }

    /// Those that were met since the last time.
    #[must_use]
    pub fn strangers(&self) -> Vec<Stranger> {
        self.strangers.take()
    }

    /// Whether the store could not be reached when it was last asked.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Notes whether the store could be reached; whether that is news.
    pub fn set_away(&self, away: bool) -> bool {
        self.away.swap(away, Ordering::Relaxed) != away
    }
}

#[cfg(test)]
mod tests;
