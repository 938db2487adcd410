//! What was left behind: files that somebody was writing when their process ended, and finished ones that nobody lists.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};

use super::{KeptName, Vault, VaultError, name};

/// A finished file may wait this long for its row in the store.
const WAITS: Duration = Duration::from_mins(15);

/// What a sweep of unfinished files came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Removed.
    pub removed: usize,
    /// Being written now, by this process or another one.
    pub under_way: usize,
}

impl Vault {
    /// Removes unfinished files that nobody writes any more: whoever does holds a lock, which ends with the process.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn sweep_unfinished(&self) -> Result<Swept, VaultError> {
        let mut swept = Swept::default();
        for path in self.entries()? {
            let text = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let hidden = text.strip_prefix('.').and_then(|text| text.strip_suffix(name::UNFINISHED));
            if hidden.is_none_or(|hidden| hidden.parse::<KeptName>().is_err()) {
                continue;
            }
            // One that is gone meanwhile is finished.
            let Ok(file) = File::open(&path) else { continue };
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                swept.under_way += 1;
            } else if fs::remove_file(&path).is_ok() {
                swept.removed += 1;
            }
        }
        Ok(swept)
    }

    /// The finished files that are old enough to be in the store's list.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn finished(&self) -> Result<Vec<KeptName>, VaultError> {
        let now = SystemTime::now();
        let is_old = |path: &std::path::Path| {
            let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
            modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age >= WAITS))
        };
        let paths = self.entries()?.into_iter().filter(|path| is_old(path));
        Ok(paths.filter_map(|path| path.file_name()?.to_str()?.strip_suffix(name::FINISHED)?.parse().ok()).collect())
    }

    /// Whether there is any finished file, however old.
    pub(super) fn has_finished(&self) -> Result<bool, VaultError> {
        let is_finished = |path: &std::path::PathBuf| {
            let name =
                path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(name::FINISHED));
            name.is_some_and(|name| name.parse::<KeptName>().is_ok())
        };
        Ok(self.entries()?.iter().any(is_finished))
    }

    fn entries(&self) -> Result<Vec<std::path::PathBuf>, VaultError> {
        let failed = |error| VaultError::of(&self.folder, error);
        let entries = fs::read_dir(&self.folder).map_err(failed)?;
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
    }
}
