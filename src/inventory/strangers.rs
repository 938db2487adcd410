//! Who asked for a profile that it could have had, and is no device of the store: on the way to those that wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::device::{DeviceName, Model};

/// Different ones between two writings; past that, some are not noted.
const MOST: usize = 1000;

/// Somebody who is no device of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// What it says that it is.
    pub name: DeviceName,
    /// Its product, where it says that too.
    pub product: Option<Model>,
    /// Whether it has proven that.
    pub proven: bool,
    /// Where it is.
    pub address: IpAddr,
    /// What it asked for.
    pub path: String,
}

/// Those that asked since the last time, each once.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<HashMap<DeviceName, Stranger>>);

impl Strangers {
    /// Notes one; a proof counts more than none.
    pub(super) fn note(&self, stranger: Stranger) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = all.get(&stranger.name).map(|known| known.proven);
        if is_known.map_or(all.len() < MOST, |proven| stranger.proven || !proven) {
            all.insert(stranger.name.clone(), stranger);
        }
    }

    /// Those that were noted.
    pub(super) fn take(&self) -> Vec<Stranger> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *all).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_noted_once_and_a_proof_is_not_lost() {
        let strangers = Strangers::default();
        let stranger = |name: &str, proven| Stranger {
            name: name.parse().expect("a name"),
            product: None,
            proven,
            address: [192, 0, 2, 1].into(),
            path: "/x".into(),
        };
        for (name, proven) in [("000e08000001", false), ("000e08000001", true), ("000e08000001", false)] {
            strangers.note(stranger(name, proven));
        }
        for number in 0..5000 {
            strangers.note(stranger(&format!("000e09{number:06x}"), false));
        }
        let noted = strangers.take();
        assert_eq!(noted.len(), MOST);
        assert!(noted.contains(&stranger("000e08000001", true)));
        assert_eq!(strangers.take(), []);
    }
}
