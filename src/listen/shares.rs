//! The connections of each address: one address has not all of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::throttle;

/// How many each address has open.
#[derive(Debug, Clone, Default)]
pub struct Shares(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection that is counted for its address until this is dropped.
#[derive(Debug)]
pub struct Share {
    shares: Shares,
    address: IpAddr,
}

impl Shares {
    /// Counts a connection, unless its address has as many as it may.
    #[must_use]
    pub fn take(&self, peer: IpAddr, most: usize) -> Option<Share> {
        let address = throttle::client(peer);
        let mut counts = self.lock();
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Share { shares: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.shares.lock().entry(self.address) {
            match *count.get() {
                0 | 1 => drop(count.remove()),
                _ => *count.get_mut() -= 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_leaves_nothing_behind() {
        let shares = Shares::default();
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let first = shares.take(address("192.0.2.1"), 2).expect("a share");
        let second = shares.take(address("::ffff:192.0.2.1"), 2).expect("the same address");
        assert!(shares.take(address("192.0.2.1"), 2).is_none());
        assert!(shares.take(address("192.0.2.2"), 2).is_some(), "another's is its own");
        drop(first);
        assert!(shares.take(address("192.0.2.1"), 2).is_some());
        drop(second);
        assert!(shares.lock().is_empty());
        let _held = shares.take(address("2001:db8::1"), 1).expect("a share");
        assert!(shares.take(address("2001:db8::2"), 1).is_none(), "a client chooses the last 64 bits itself");
    }
}
