//! What a client says of a file before it comes.

use super::Tag;
use crate::case::Label;

/// A file that is about to come.
#[derive(Debug, Clone)]
pub struct Announced {
    /// What it is called, and words about it.
    pub label: Label,
    /// Where it comes from, as text.
    pub address: String,
    /// By which protocol.
    pub transport: &'static str,
    /// What of it comes now.
    pub place: Place,
    /// How many bytes come now, where that is known: what would go past a quota is refused before it does.
    pub length: Option<u64>,
}

/// Of which file something is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// What its client calls it.
    pub(super) file: &'a str,
    /// Where it comes from.
    pub(super) peer: &'a str,
    /// By which protocol.
    pub(super) transport: &'a str,
}

impl Announced {
    /// What is told of it, whatever becomes of it.
    pub(super) fn told(&self) -> Told<'_> {
        Told { file: self.label.name.as_str(), peer: &self.address, transport: self.transport }
    }

    /// What is still to come of the whole, where that is known (bytes): it has to find room before any of it is taken.
    pub(super) fn rest(&self) -> Option<u64> {
        match self.place {
            Place::New { total: None } => self.length,
            Place::New { total } => total,
            Place::After { offset, total, .. } => Some(total.saturating_sub(offset)),
        }
    }
}

/// What of a file comes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// All of it, or its beginning. A beginning is kept where the length of the whole is known.
    New {
        /// The length of the whole (bytes).
        total: Option<u64>,
    },
    /// What follows on the beginning of one that is listed.
    After {
        /// Its number.
        upload: i64,
        /// How much of it has come (bytes).
        offset: u64,
        /// The length of the whole (bytes).
        total: u64,
        /// What its client knows it by.
        tag: Tag,
    },
}
