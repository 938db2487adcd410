//! How a device stands with one path.

use jiff::Timestamp;

/// A version of a profile, and when something became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The hash of its content.
    pub hash: String,
    /// When.
    pub at: Timestamp,
}

/// A device that does not get, or not take, what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// What the phone said the last time, or why it was refused.
    pub error: String,
    /// It was the phone that said so: only its word ends it.
    pub told: bool,
}

/// What a device was given of a path, and what it says of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The device's number.
    pub device: i64,
    /// What it asks for.
    pub path: String,
    /// Where it was when it asked last.
    pub address: String,
    /// It proved there to be this device.
    pub proven: bool,
    /// Its firmware, as it said then; empty where it said none.
    pub firmware: String,
    /// The event of its last request.
    pub request: i64,
    /// When something was last heard of it.
    pub touched: Timestamp,
    /// What it was given last.
    pub given: Option<Version>,
    /// What it last said that it took.
    pub confirmed: Option<Version>,
    /// Whether it fails.
    pub failing: Option<Failing>,
}

impl Standing {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(device: i64, path: String, address: String, at: Timestamp) -> Self {
        Self {
            device,
            path,
            address,
            proven: false,
            firmware: String::new(),
            request: 0,
            touched: at,
            given: None,
            confirmed: None,
            failing: None,
        }
    }

    /// It fails, from now on or still.
    pub(super) fn fail(&mut self, at: Timestamp, error: String, told: bool) {
        let since = self.failing.as_ref().map_or(at, |failing| failing.since);
        // A phone's word is not taken back by what the server sees.
        let told = told || self.failing.as_ref().is_some_and(|failing| failing.told);
        self.failing = Some(Failing { since, error, told });
    }
}
