//! What happens to a fleet.

use crate::phone::Cause;

/// What happens to the phones, and what of it has to come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// All come back at once; each must get its profile.
    PowerCut,
    /// They come one after the other, evenly over a time; each must get its profile.
    Steady,
    /// An attacker: each asks for a profile that is not its own; none may get one.
    Scan,
}

impl Scenario {
    /// As the command line names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PowerCut => "power-cut",
            Self::Steady => "steady",
            Self::Scan => "scan",
        }
    }

    /// Why its phones ask.
    pub(super) fn cause(self) -> Cause {
        match self {
            Self::PowerCut => Cause::PowerUp,
            Self::Steady => Cause::Periodic,
            Self::Scan => Cause::Explicit,
        }
    }
}
