//! What is known of the names in a folder.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::profile::name::{Name, Star};
use crate::profile::root::{Entry, Stamp};

/// From so many names on a folder's comings and goings are worth following; fewer are read again in a millisecond.
const CROWDED: usize = 1024;

/// The names of a folder, as they were read.
#[derive(Debug)]
pub(super) struct Folder {
    /// What the folder's stamp was before.
    pub(super) stamp: Stamp,
    /// Whether the names are those of the stamp, as long as it holds.
    pub(super) is_settled: bool,
    /// There are so many that reading them again is a burden.
    pub(super) is_crowded: bool,
    pub(super) names: Names,
}

/// What of a folder's content a look-up needs beside the file system itself: a literal name in lower case is found by `stat`,
/// so a million of them take no room.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// Names with upper-case letters, by their lower-case form.
    odd: HashMap<String, Vec<String>>,
    /// Names with macros, in order of rank.
    named: Arc<Vec<Name>>,
}

/// The names of a folder that a segment of a path may mean, beside itself.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// The same in other case.
    pub(super) odd: Vec<String>,
    /// All names with macros, in order of rank.
    pub(super) named: Arc<Vec<Name>>,
}

/// How a look-up sees a name.
enum Seen {
    /// By `stat`, or never.
    Elsewhere,
    Odd,
    Named(Name),
}

impl Folder {
    /// `now` is from before the folder was read.
    pub(super) fn read(entries: Vec<Entry>, stamp: Stamp, now: SystemTime) -> Self {
        let is_crowded = entries.len() >= CROWDED;
        let names = Names::read(entries.into_iter().map(|entry| entry.name));
        Self { stamp, is_settled: stamp.is_settled(now), is_crowded, names }
    }
}

impl Names {
    pub(super) fn read(texts: impl Iterator<Item = String>) -> Self {
        let mut odd: HashMap<String, Vec<String>> = HashMap::new();
        let mut named: Vec<Name> = Vec::new();
        for text in texts {
            match Seen::of(&text) {
                Seen::Elsewhere => {}
                Seen::Odd => odd.entry(text.to_ascii_lowercase()).or_default().push(text),
                Seen::Named(name) => named.push(name),
            }
        }
        for names in odd.values_mut() {
            names.sort();
        }
        named.sort_by(|a, b| a.rank().cmp(&b.rank()));
        Self { odd, named: Arc::new(named) }
    }

    /// Whether it is all the same to a look-up's knowledge if this name is there.
    pub(super) fn ignores(text: &str) -> bool {
        matches!(Seen::of(text), Seen::Elsewhere)
    }

    /// Learns that a name is there now, or is not.
    pub(super) fn learn(&mut self, text: &str, is_there: bool) {
        match Seen::of(text) {
            Seen::Elsewhere => {}
            Seen::Odd => self.learn_odd(text, is_there),
            Seen::Named(name) => {
                let known = self.named.binary_search_by(|other| other.rank().cmp(&name.rank()));
                match (known, is_there) {
                    (Err(place), true) => Arc::make_mut(&mut self.named).insert(place, name),
                    (Ok(place), false) => drop(Arc::make_mut(&mut self.named).remove(place)),
                    (Ok(_), true) | (Err(_), false) => {}
                }
            }
        }
    }

    fn learn_odd(&mut self, text: &str, is_there: bool) {
        let lower = text.to_ascii_lowercase();
        let names = self.odd.entry(lower.clone()).or_default();
        match (names.binary_search_by(|other| other.as_str().cmp(text)), is_there) {
            (Err(place), true) => names.insert(place, text.to_owned()),
            (Ok(place), false) => drop(names.remove(place)),
            (Ok(_), true) | (Err(_), false) => {}
        }
        if names.is_empty() {
            self.odd.remove(&lower);
        }
    }

    /// The names that a segment with this lower-case form may mean.
    pub(super) fn candidates(&self, lower: &str) -> Candidates {
        Candidates { odd: self.odd.get(lower).cloned().unwrap_or_default(), named: self.named.clone() }
    }
}

impl Seen {
    fn of(text: &str) -> Self {
        if text.starts_with(['.', '_']) {
            return Self::Elsewhere;
        }
        if text.contains('$') {
            let name = Name::parse(text, Star::Literal);
            if !name.is_literal() {
                // A name that can be read in two ways is never served; `check` tells of it.
                return if name.check().is_ok() { Self::Named(name) } else { Self::Elsewhere };
            }
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) { Self::Odd } else { Self::Elsewhere }
    }
}
