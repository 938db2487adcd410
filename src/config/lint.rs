//! `[lint]`: what profiles are held against.

use serde::Deserialize;

use super::Bytes;
use crate::profile::lint::{Known, Settings};

/// What the operator knows better than the dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lint {
    /// Parameters that the dictionary does not have; a number in one stands for any.
    pub known: Vec<String>,
    /// The largest profile that the phones bear. No document gives a limit.
    pub largest: Bytes,
}

/// What becomes of findings when a profile is made for a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Linting {
    /// Nobody looks: a look costs several times what making a small profile does.
    #[default]
    Off,
    /// They are written into the log.
    Log,
    /// They are written into the log, and an error keeps the profile back.
    Refuse,
}

impl Default for Lint {
    fn default() -> Self {
        Self { known: Vec::new(), largest: Bytes::kibibytes(512) }
    }
}

impl Lint {
    /// Refuses a size that no profile has.
    pub(super) fn check(self) -> Result<Self, String> {
        match self.largest.count() {
            0 => Err("lint.largest is 0, and every profile is larger: leave it out for 512 KiB".into()),
            _ => Ok(self),
        }
    }

    /// The same as the check of a profile takes it.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings { known: self.known.iter().cloned().collect::<Known>(), largest: self.largest.count() }
    }
}
