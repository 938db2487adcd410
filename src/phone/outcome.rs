//! What came of a resync.

use super::failure::{Class, Failure};

/// What came of a resync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The profiles.
    pub profiles: Profiles,
    /// Why an image was not had, where there was one to fetch.
    pub upgrade: Option<Failure>,
}

/// What came of the sequence of profile rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profiles {
    /// There was no resync: a parameter forbids it.
    Off(&'static str),
    /// All rules are through; so many profiles were applied.
    Applied(usize),
    /// A rule failed, and the sequence will begin again from `Profile_Rule`.
    Failed {
        /// Its parameter.
        rule: &'static str,
        /// Why.
        failure: Failure,
    },
}

impl Outcome {
    /// What failed first, if anything did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.profiles {
            Profiles::Failed { failure, .. } => Some(failure),
            Profiles::Off(_) | Profiles::Applied(_) => self.upgrade.as_ref(),
        }
    }

    /// The class of what failed; `None` is class A, success.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.failure().map(Failure::class)
    }
}
