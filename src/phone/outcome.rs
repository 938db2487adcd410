//! What came of a resync.

use super::failure::{Class, Failure};

/// What came of a resync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The profiles.
    pub profiles: Profiles,
    /// The image, where there was one to fetch.
    pub upgrade: Upgrade,
}

/// What came of `Upgrade_Rule`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// There was nothing to fetch.
    NotDue,
    /// The rule cannot be read, or leads nowhere: nothing was asked for.
    Wrong(Failure),
    /// The phone pretends to run the image.
    Done,
    /// The image was not had, or is none.
    Failed(Failure),
}

impl Upgrade {
    /// Whether a server was asked for an image.
    #[must_use]
    pub fn was_attempted(&self) -> bool {
        match self {
            Self::NotDue | Self::Wrong(_) => false,
            Self::Done | Self::Failed(_) => true,
        }
    }
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
        match (&self.profiles, &self.upgrade) {
            (Profiles::Failed { failure, .. }, _) | (_, Upgrade::Failed(failure) | Upgrade::Wrong(failure)) => {
                Some(failure)
            }
            (Profiles::Off(_) | Profiles::Applied(_), Upgrade::NotDue | Upgrade::Done) => None,
        }
    }

    /// The class of what failed; `None` is class A, success.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.failure().map(Failure::class)
    }
}
