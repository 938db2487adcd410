//! A folder with so many names that it is read once: what changes is told by the kernel, name by name.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::folder::{Candidates, Folder, Names};
use crate::profile::root::{Follower, Inode, Lost, Root};

/// A crowded folder that is followed.
#[derive(Debug)]
pub(super) struct Crowd {
    path: String,
    follower: Follower,
    names: Mutex<Names>,
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
        let Folder { names, .. } = Folder::read(entries, stamp, SystemTime::now());
        let is_it = stamp.inode() == follower.inode();
        Ok(is_it.then(|| Self { path: path.to_owned(), follower, names: Mutex::new(names) }))
    }

    /// Which folder it is.
    pub(super) fn inode(&self) -> Inode {
        self.follower.inode()
    }

    /// The names that a segment with this lower-case form may mean.
    pub(super) fn candidates(&self, root: &Root, lower: &str) -> Result<Candidates, Lost> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcome = Ok(());
        self.follower.hear(&mut |name| {
            // Most names of a crowd are found by `stat` and change nothing that is known here.
            if outcome.is_ok() && !Names::ignores(name) {
                outcome = root.has(&super::below(&self.path, name)).map(|is_there| names.learn(name, is_there));
            }
        })?;
        outcome.map_err(|_| Lost)?;
        Ok(names.candidates(lower))
    }
}

#[cfg(test)]
mod tests;
