//! Files under way: how many each case has, so that one has not all places, and what they have announced and the store does
//! not count yet: quotas leave that much less to others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::case::CaseNumber;

/// Files of one case at once, an eighth of all.
const FILES: usize = 32;

/// What is announced, of all cases and of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Pledges(Arc<Mutex<Announced>>);

#[derive(Debug, Default)]
struct Announced {
    total: u64,
    cases: HashMap<CaseNumber, OfCase>,
}

/// What one case has under way.
#[derive(Debug, Clone, Copy, Default)]
struct OfCase {
    files: usize,
    bytes: u64,
}

/// A file may not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpledged {
    /// Quotas leave less beside those that are under way: this much (bytes).
    Room(u64),
    /// Its case has as many under way as one may have.
    Files,
}

/// What quotas leave (bytes), by what the store counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// To all.
    pub(super) total: u64,
    /// To the case.
    pub(super) case: u64,
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
        let OfCase { files, bytes: of_case } = announced.cases.get(case).copied().unwrap_or_default();
        if files >= FILES {
            return Err(Unpledged::Files);
        }
        let room = left.total.saturating_sub(announced.total).min(left.case.saturating_sub(of_case));
        let bytes = bytes.unwrap_or_default();
        if bytes > room {
            return Err(Unpledged::Room(room));
        }
        announced.total = announced.total.saturating_add(bytes);
        let of_case = OfCase { files: files + 1, bytes: of_case.saturating_add(bytes) };
        announced.cases.insert(case.clone(), of_case);
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
        announced.total = announced.total.saturating_sub(self.bytes);
        let Some(of_case) = announced.cases.get_mut(&self.case) else { return };
        of_case.files = of_case.files.saturating_sub(1);
        of_case.bytes = of_case.bytes.saturating_sub(self.bytes);
        if of_case.files == 0 {
            announced.cases.remove(&self.case);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_no_room_for_others_until_it_is_over() {
        let pledges = Pledges::default();
        let (one, other): (CaseNumber, CaseNumber) =
            ("612345678".parse().expect("a number"), "612345679".parse().expect("a number"));
        let left = Left { total: 100, case: 60 };
        let first = pledges.take(&one, left, Some(40)).expect("room");
        assert_eq!(first.room(), 60);
        assert_eq!(pledges.take(&one, left, Some(30)).map(drop), Err(Unpledged::Room(20)));
        let second = pledges.take(&other, left, Some(60)).expect("another case");
        assert_eq!(pledges.take(&one, left, Some(1)).map(drop), Err(Unpledged::Room(0)), "nothing is left to anybody");
        assert_eq!(pledges.take(&one, left, None).expect("nobody knows").room(), 0);
        drop((first, second));
        assert!(pledges.take(&one, left, Some(60)).is_ok());
        let announced = pledges.0.lock().expect("nobody panicked");
        assert_eq!((announced.total, announced.cases.len()), (0, 0));
    }

    #[test]
    fn a_case_has_its_places_and_not_those_of_others() {
        let pledges = Pledges::default();
        let (one, other): (CaseNumber, CaseNumber) =
            ("612345678".parse().expect("a number"), "612345679".parse().expect("a number"));
        let left = Left { total: 100, case: 100 };
        let mut under_way: Vec<Pledge> = (0..FILES).map(|_| pledges.take(&one, left, None).expect("a place")).collect();
        assert_eq!(pledges.take(&one, left, Some(1)).map(drop), Err(Unpledged::Files));
        assert!(pledges.take(&other, left, Some(1)).is_ok());
        under_way.pop();
        assert!(pledges.take(&one, left, Some(1)).is_ok());
    }
}
