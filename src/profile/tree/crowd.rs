//! A folder with so many names that it is read once: what changes is told by the kernel, name by name.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::folder::{Candidates, Names};
use crate::profile::root::{Follower, Inode, Lost, Root};

/// A crowded folder that is followed.
#[derive(Debug)]
pub(super) struct Crowd {
    path: String,
    follower: Follower,
    /// `None` once the kernel has lost count: what it tells afterwards does not make that good.
    names: Mutex<Option<Names>>,
}

impl Crowd {
    /// Follows the folder and reads it; `None` where it is gone, or cannot be followed.
    pub(super) fn follow(root: &Root, path: &str) -> io::Result<Option<Self>> {
        let Some(follower) = root.follow(path)? else {
            return Ok(None);
        };
        let Some((entries, stamp)) = root.list(path)? else {
            return Ok(None);
        };
        let names = Names::read(entries.into_iter().map(|entry| entry.name));
        let is_it = stamp.inode() == follower.inode();
        Ok(is_it.then(|| Self { path: path.to_owned(), follower, names: Mutex::new(Some(names)) }))
    }

    /// Which folder it is.
    pub(super) fn inode(&self) -> Inode {
        self.follower.inode()
    }

    /// Whether the folder is still the one that stands there, and what is known of it is believed.
    pub(super) fn stands(&self, root: &Root) -> bool {
        let is_there =
            root.stamp(&self.path).is_ok_and(|stamp| stamp.is_some_and(|stamp| stamp.inode() == self.inode()));
        is_there && self.names.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The names that a segment with this lower-case form may mean.
    pub(super) fn candidates(&self, root: &Root, lower: &str) -> Result<Candidates, Lost> {
        let mut known = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out until all is heard: what fails on the way leaves nothing that would be believed.
        let mut names = known.take().ok_or(Lost)?;
        self.hear(root, &mut names)?;
        let candidates = names.candidates(lower);
        *known = Some(names);
        Ok(candidates)
    }

    fn hear(&self, root: &Root, names: &mut Names) -> Result<(), Lost> {
        let mut outcome = Ok(());
        self.follower.hear(&mut |name| {
            // Most names of a crowd are found by `stat` and change nothing that is known here.
            if outcome.is_ok() && !Names::ignores(name) {
                outcome = root.has(&super::below(&self.path, name)).map(|is_there| names.learn(name, is_there));
            }
        })?;
        outcome.map_err(|_| Lost)
    }
}

#[cfg(test)]
mod tests;
