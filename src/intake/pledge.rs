//! Files under way: how many each case has, so that one has not all places, and what they have announced and the store does
//! not count yet: quotas leave that much less to others, bytes and files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::case::CaseNumber;
use crate::store::Load;

/// Files of one case at once, an eighth of all.
const FILES: u64 = 32;

/// What is announced, of all cases and of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Pledges(Arc<Mutex<Announced>>);

#[derive(Debug, Default)]
struct Announced {
    total: Load,
    cases: HashMap<CaseNumber, Load>,
}

/// A file may not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpledged {
    /// Quotas leave less beside those that are under way: this much (bytes).
    Room(u64),
    /// With those that are under way there are as many files as there may be.
    Crowded,
    /// The case has as many as it may.
    CaseCrowded,
    /// Its case has as many under way as one may have.
    Files,
}

/// What quotas leave, by what the store counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// To all.
    pub(super) total: Load,
    /// To the case.
    pub(super) case: Load,
}

/// What one file has announced; over when it is dropped.
#[derive(Debug)]
pub(super) struct Pledge {
    pledges: Pledges,
    case: CaseNumber,
    bytes: u64,
    /// What quotas left to it when it began (bytes).
    room: u64,
}

impl Pledges {
    /// Counts a file, and so many bytes as announced, nothing where nobody knows how many come.
    ///
    /// # Errors
    /// There is no room for it, or its case has too many.
    pub(super) fn take(&self, case: &CaseNumber, left: Left, bytes: Option<u64>) -> Result<Pledge, Unpledged> {
        let mut announced = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, of_case) = (announced.total, announced.cases.get(case).copied().unwrap_or_default());
        if of_case.files >= FILES {
            return Err(Unpledged::Files);
        }
        if total.files >= left.total.files {
            return Err(Unpledged::Crowded);
        }
        if of_case.files >= left.case.files {
            return Err(Unpledged::CaseCrowded);
        }
        let room = left.total.bytes.saturating_sub(total.bytes).min(left.case.bytes.saturating_sub(of_case.bytes));
        let bytes = bytes.unwrap_or_default();
        if bytes > room {
            return Err(Unpledged::Room(room));
        }
        announced.total = more(total, bytes);
        announced.cases.insert(case.clone(), more(of_case, bytes));
        Ok(Pledge { pledges: self.clone(), case: case.clone(), bytes, room })
    }
}

impl Pledge {
    /// What quotas left to the file when it began (bytes).
    pub(super) fn room(&self) -> u64 {
        self.room
    }
}

impl Drop for Pledge {
    fn drop(&mut self) {
        let mut announced = self.pledges.0.lock().unwrap_or_else(PoisonError::into_inner);
        announced.total = less(announced.total, self.bytes);
        let Some(of_case) = announced.cases.get_mut(&self.case) else { return };
        *of_case = less(*of_case, self.bytes);
        if of_case.files == 0 {
            announced.cases.remove(&self.case);
        }
    }
}

/// With one file more, of so many bytes.
fn more(load: Load, bytes: u64) -> Load {
    Load { files: load.files + 1, bytes: load.bytes.saturating_add(bytes) }
}

/// Without one of them.
fn less(load: Load, bytes: u64) -> Load {
    Load { files: load.files.saturating_sub(1), bytes: load.bytes.saturating_sub(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases() -> (CaseNumber, CaseNumber) {
        ("612345678".parse().expect("a number"), "612345679".parse().expect("a number"))
    }

    /// So many bytes, and any number of files.
    fn bytes(bytes: u64) -> Load {
        Load { bytes, files: u64::MAX }
    }

    #[test]
    fn what_is_announced_is_no_room_for_others_until_it_is_over() {
        let (pledges, (one, other)) = (Pledges::default(), cases());
        let left = Left { total: bytes(100), case: bytes(60) };
        let first = pledges.take(&one, left, Some(40)).expect("room");
        assert_eq!(first.room(), 60);
        assert_eq!(pledges.take(&one, left, Some(30)).map(drop), Err(Unpledged::Room(20)));
        let second = pledges.take(&other, left, Some(60)).expect("another case");
        assert_eq!(pledges.take(&one, left, Some(1)).map(drop), Err(Unpledged::Room(0)), "nothing is left to anybody");
        assert_eq!(pledges.take(&one, left, None).expect("nobody knows").room(), 0);
        drop((first, second));
        assert!(pledges.take(&one, left, Some(60)).is_ok());
        let announced = pledges.0.lock().expect("nobody panicked");
        assert_eq!((announced.total, announced.cases.len()), (Load::default(), 0));
    }

    #[test]
    fn a_file_under_way_is_one_of_those_that_there_may_be() {
        let (pledges, (one, other)) = (Pledges::default(), cases());
        let left = Left { total: Load { bytes: 9, files: 3 }, case: Load { bytes: 9, files: 2 } };
        let mut under_way: Vec<Pledge> = (0..2).map(|_| pledges.take(&one, left, Some(0)).expect("a place")).collect();
        assert_eq!(pledges.take(&one, left, Some(0)).map(drop), Err(Unpledged::CaseCrowded));
        under_way.push(pledges.take(&other, left, None).expect("another case"));
        assert_eq!(pledges.take(&other, left, None).map(drop), Err(Unpledged::Crowded));
        under_way.remove(0);
        assert!(pledges.take(&one, left, Some(0)).is_ok());
    }

    #[test]
    fn a_case_has_its_places_and_not_those_of_others() {
        let (pledges, (one, other)) = (Pledges::default(), cases());
        let left = Left { total: bytes(100), case: bytes(100) };
        let mut under_way: Vec<Pledge> = (0..FILES).map(|_| pledges.take(&one, left, None).expect("a place")).collect();
        assert_eq!(pledges.take(&one, left, Some(1)).map(drop), Err(Unpledged::Files));
        assert!(pledges.take(&other, left, Some(1)).is_ok());
        under_way.pop();
        assert!(pledges.take(&one, left, Some(1)).is_ok());
    }
}
