//! The devices that one client has asked for in vain.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::device::MacAddress;

/// The devices of a window, up to the number that raises an alarm.
#[derive(Debug, Default)]
pub(super) struct Scan(Mutex<Tried>);

#[derive(Debug, Default)]
struct Tried {
    since: Option<Instant>,
    macs: HashSet<MacAddress>,
    is_told: bool,
}

impl Scan {
    /// Takes note of a device; where it is the one that makes `alarm` of them within the window: the prefix that most of
    /// them have, how many they are, and how many prefixes.
    pub(super) fn tried(
        &self,
        mac: MacAddress,
        alarm: u32,
        window: Duration,
        now: Instant,
    ) -> Option<([u8; 3], usize, usize)> {
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.since.is_none_or(|since| since + window <= now) {
            *tried = Tried { since: Some(now), ..Tried::default() };
        }
        if tried.is_told || !tried.macs.insert(mac) || tried.macs.len() < usize::try_from(alarm).unwrap_or(usize::MAX) {
            return None;
        }
        tried.is_told = true;
        let macs = std::mem::take(&mut tried.macs);
        let mut prefixes: HashMap<[u8; 3], usize> = HashMap::new();
        for mac in &macs {
            *prefixes.entry(mac.prefix()).or_default() += 1;
        }
        let (prefix, _) = prefixes.iter().max_by_key(|(prefix, count)| (**count, **prefix))?;
        Some((*prefix, macs.len(), prefixes.len()))
    }
}
