//! Whose turn it is: a file that goes on is written by one client at a time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The files that somebody goes on with now.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashSet<i64>>>);

/// One client's turn to go on with a file; over when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    upload: i64,
}

impl Turns {
    /// The turn to go on with a file; `None`: another client has it.
    pub(super) fn take(&self, upload: i64) -> Option<Turn> {
        let is_free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(upload);
        is_free.then(|| Turn { turns: self.clone(), upload })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.upload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_with_a_file_and_the_next_when_that_has_ended() {
        let turns = Turns::default();
        let first = turns.take(7).expect("nobody has it");
        assert!(turns.take(7).is_none() && turns.take(8).is_some());
        drop(first);
        assert!(turns.take(7).is_some());
    }
}
