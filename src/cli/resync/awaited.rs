//! What is waited for after a push.

use super::watch::{Fate, Says};
use crate::event::Kind;
use crate::push::Wish;

/// What is waited for once phones have said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// That they fetch their profiles, and take them.
    Profiles,
    /// That they send something.
    Upload(Kind),
    /// Nothing that the server would know of.
    Nothing,
}

impl Awaited {
    /// After a phone was told this.
    pub(super) fn after(wish: &Wish) -> Self {
        match wish {
            Wish::Resync(_) => Self::Profiles,
            Wish::Report => Self::Upload(Kind::Report),
            Wish::ProblemReport => Self::Upload(Kind::Prt),
            Wish::Reboot | Wish::Restart => Self::Nothing,
        }
    }

    /// What can become of a phone, the best first.
    pub(super) fn fates(self) -> Vec<Fate> {
        let fails = Fate::Fails(Says::Phone, String::new());
        let own = match self {
            Self::Profiles => vec![Fate::Confirmed, Fate::Came, fails, Fate::Answered],
            Self::Upload(_) => vec![Fate::Reported, Fate::Answered],
            Self::Nothing => vec![Fate::Answered],
        };
        let passed_over = (self == Self::Profiles).then_some(Fate::PassedOver);
        own.into_iter().chain([Fate::Failed(String::new())]).chain(passed_over).collect()
    }
}
