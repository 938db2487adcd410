//! What files under way have announced and the store does not count yet: quotas leave that much less to others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::case::CaseNumber;

/// What is announced, of all cases and of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Pledges(Arc<Mutex<Announced>>);

#[derive(Debug, Default)]
struct Announced {
    total: u64,
    cases: HashMap<CaseNumber, u64>,
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
    /// Counts so many bytes as announced, nothing where nobody knows how many come.
    ///
    /// # Errors
    /// What quotas leave beside those that are under way, where that is less (bytes).
    pub(super) fn take(&self, case: &CaseNumber, left: Left, bytes: Option<u64>) -> Result<Pledge, u64> {
        let mut announced = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_case = announced.cases.get(case).copied().unwrap_or_default();
        let room = left.total.saturating_sub(announced.total).min(left.case.saturating_sub(of_case));
        let bytes = bytes.unwrap_or_default();
        if bytes > room {
            return Err(room);
        }
        announced.total = announced.total.saturating_add(bytes);
        announced.cases.insert(case.clone(), of_case.saturating_add(bytes));
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
        let of_case = announced.cases.get(&self.case).map_or(0, |bytes| bytes.saturating_sub(self.bytes));
        match of_case {
            0 => drop(announced.cases.remove(&self.case)),
            bytes => drop(announced.cases.insert(self.case.clone(), bytes)),
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
        assert_eq!(pledges.take(&one, left, Some(30)).map(drop), Err(20));
        let second = pledges.take(&other, left, Some(60)).expect("another case");
        assert_eq!(pledges.take(&one, left, Some(1)).map(drop), Err(0), "nothing is left to anybody");
        assert_eq!(pledges.take(&one, left, None).expect("nobody knows").room(), 0);
        drop((first, second));
        assert!(pledges.take(&one, left, Some(60)).is_ok());
        let announced = pledges.0.lock().expect("nobody panicked");
        assert_eq!((announced.total, announced.cases.len()), (0, 0));
    }
}
