//! What is known beside the file: the phone, the way it goes out, and what the operator has said.

use std::collections::BTreeSet;

use crate::profile::parameters::{self, Family};
use crate::profile::rule::Version;

/// What the operator has said: `[lint]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Parameters that the dictionary does not have.
    pub known: Known,
    /// The largest profile that the operator's phones bear (bytes); no document says.
    pub largest: u64,
}

/// Names of parameters; a number in one stands for any: `My_Key_1_` is `My_Key_2_` too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known(BTreeSet<String>);

/// How a file goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sent {
    /// Nobody has said.
    #[default]
    Unknown,
    /// Encrypted, or to the device that proves to be the one.
    Protected,
    /// As it is: to anybody, or past anybody on the way.
    Clear,
}

/// What a file is held against.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// What the operator has said.
    pub settings: &'a Settings,
    /// The family of the phones that read it, where it is for one only.
    pub family: Option<Family>,
    /// Their firmware.
    pub firmware: Option<Version>,
    /// How it goes out.
    pub sent: Sent,
}

impl Default for Settings {
    fn default() -> Self {
        Self { known: Known::default(), largest: 512 * 1024 }
    }
}

impl Known {
    /// Whether this name is among them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&parameters::pattern_of(name))
    }
}

impl FromIterator<String> for Known {
    fn from_iter<T: IntoIterator<Item = String>>(names: T) -> Self {
        Self(names.into_iter().map(|name| parameters::pattern_of(&name)).collect())
    }
}

impl<'a> Context<'a> {
    /// Nothing is known of phone and way.
    #[must_use]
    pub fn new(settings: &'a Settings) -> Self {
        Self { settings, family: None, firmware: None, sent: Sent::Unknown }
    }
}
