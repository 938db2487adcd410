//! When, why and in which network something takes place.

use jiff::Timestamp;

use super::wire::Wire;

/// What a phone finds around it when it does something.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The network.
    pub wire: &'a Wire,
    /// What set it off.
    pub cause: Cause,
    /// The time by the phone's clock.
    pub now: Timestamp,
}

/// Why a resync takes place: `$PRVST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked for it: a direct URL, a NOTIFY.
    Explicit,
    /// Power-up.
    PowerUp,
    /// `Resync_Periodic` or `Resync_At__HHmm_`.
    Periodic,
    /// `Resync_Error_Retry_Delay`.
    Retry,
    /// `Resync_After_Upgrade_Attempt`.
    Upgrade,
}

impl Cause {
    /// `-1`, `0`, `1`, `2` (MPP guide, "Macro Expansion Variables"). What a resync after an upgrade has is not documented;
    /// a phone that took an image has just restarted.
    #[must_use]
    pub fn prvst(self) -> &'static str {
        match self {
            Self::Explicit => "-1",
            Self::PowerUp | Self::Upgrade => "0",
            Self::Periodic => "1",
            Self::Retry => "2",
        }
    }
}
