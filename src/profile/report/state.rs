//! Reports in their order: the last full one, and the changes since.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::profile::flat::FlatProfile;

/// A full report and changes that come within this time are of one sending: `Report_Rule` has two entries.
const TOGETHER: SignedDuration = SignedDuration::from_mins(1);

/// A report, or one that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it came in.
    pub at: Timestamp,
    /// What it is.
    pub what: What,
}

/// What a report is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The whole configuration.
    Full(FlatProfile),
    /// What had changed since the report before.
    Delta(FlatProfile),
    /// One came in, and is not there: why.
    Lost(String),
}

/// Where a report is missing, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Changes since nobody knows what.
    NoFull,
    /// One came in, and is not there.
    Lost {
        /// When.
        at: Timestamp,
        /// Why.
        why: String,
    },
    /// Values were said to have changed that were so before: the report before is not the one that the phone means.
    Again {
        /// When.
        at: Timestamp,
        /// How many.
        values: usize,
    },
}

/// What reports come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The parameters that the phone has, as far as it has said.
    pub profile: FlatProfile,
    /// When the full report came that all is laid over.
    pub full: Option<Timestamp>,
    /// How many changes came since.
    pub deltas: usize,
    /// When the last of all came.
    pub last: Option<Timestamp>,
    /// Where something is or may be missing.
    pub gaps: Vec<Gap>,
}

impl State {
    /// Goes through reports in the order in which they came.
    #[must_use]
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut state = Self::default();
        for Entry { at, what } in entries {
            match what {
                What::Full(profile) => {
                    let (full, last) = (Some(at), Some(at));
                    state = Self { profile: profile.effective(), full, last, ..Self::default() };
                }
                What::Delta(changes) => {
                    if state.full.is_none() && !state.gaps.contains(&Gap::NoFull) {
                        state.gaps.push(Gap::NoFull);
                    }
                    let values = state.again(at, &changes);
                    if values > 0 {
                        state.gaps.push(Gap::Again { at, values });
                    }
                    state.profile = state.profile.overlaid(&changes);
                    state.deltas += 1;
                    state.last = Some(at);
                }
                What::Lost(why) => state.gaps.push(Gap::Lost { at, why }),
            }
        }
        state
    }

    /// How many values a delta says have changed that are known to be so.
    fn again(&self, at: Timestamp, changes: &FlatProfile) -> usize {
        let sent_along = self.deltas == 0 && self.full.is_some_and(|full| at.duration_since(full) <= TOGETHER);
        if self.full.is_none() || sent_along {
            return 0;
        }
        let known = |key: &str| self.profile.parameters.iter().find(|known| known.key() == key);
        let changes = changes.effective();
        let same = changes.parameters.iter().filter(|change| {
            known(&change.key()).is_some_and(|known| {
                known.value() == change.value() && known.is_user_modified() == change.is_user_modified()
            })
        });
        same.count()
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M:%S").to_string();
        match self {
            Self::NoFull => f.write_str("no full report came before the changes"),
            Self::Lost { at, why } => write!(f, "one of {} is not there: {why}", time(at)),
            Self::Again { at, values } => write!(
                f,
                "the changes of {} have {values} that were known: the phone does not know of the report before, or one \
                 between is missing",
                time(at)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(inner: &str) -> FlatProfile {
        FlatProfile::read(format!("<flat-profile>{inner}</flat-profile>").as_bytes()).expect("a profile")
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("a time")
    }

    fn state(entries: &[(i64, What)]) -> State {
        State::of(entries.iter().map(|(minute, what)| Entry { at: at(*minute), what: what.clone() }))
    }

    fn full(inner: &str) -> What {
        What::Full(profile(inner))
    }

    fn delta(inner: &str) -> What {
        What::Delta(profile(inner))
    }

    #[test]
    fn changes_lie_over_the_last_full_report_in_their_order() {
        let state = state(&[
            (0, delta("<A>0</A>")),
            (1, What::Lost("x".into())),
            (2, full("<A>1</A><B>1</B>")),
            (5, delta("<B um='y'>2</B>")),
            (6, delta("<B>3</B><C>1</C>")),
        ]);
        assert_eq!(["A", "B", "C"].map(|name| state.profile.get(name)), [Some("1"), Some("3"), Some("1")]);
        assert_eq!((state.full, state.deltas, state.last), (Some(at(2)), 2, Some(at(6))));
        assert_eq!(state.gaps, [], "what was before a full report does not matter");
    }

    #[test]
    fn what_is_missing_is_said() {
        let state_ = state(&[(1, delta("<A>1</A>")), (2, delta("<A>2</A>"))]);
        assert_eq!((state_.gaps, state_.full), (vec![Gap::NoFull], None));
        let state_ = state(&[(1, full("<A>1</A>")), (3, What::Lost("a wrong key".into())), (4, delta("<A>2</A>"))]);
        assert_eq!(state_.gaps, [Gap::Lost { at: at(3), why: "a wrong key".into() }]);
        assert_eq!(state_.profile.get("A"), Some("2"));
    }

    #[test]
    fn a_change_that_was_known_means_that_one_is_missing() {
        let said = |minute| state(&[(1, full("<A>1</A>")), (minute, delta("<A>1</A><B>1</B>"))]).gaps;
        assert_eq!(said(9), [Gap::Again { at: at(9), values: 1 }]);
        assert_eq!(said(2), [], "both entries of one Report_Rule");
        let marked = state(&[(1, full("<A>1</A>")), (9, delta("<A um='y'>1</A>"))]);
        assert_eq!(marked.gaps, [], "who has set it has changed");
    }
}
