//! The room that is left on the vault's disk.

use std::path::Path;

use super::VaultError;

/// Refuses more where less is free than has to stay free.
pub(super) fn check(folder: &Path, floor: u64) -> Result<(), VaultError> {
    let space = rustix::fs::statvfs(folder).map_err(|error| VaultError::of(folder, error.into()))?;
    // What is free for those who are not root.
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    if free >= floor {
        return Ok(());
    }
    let mebibytes = |bytes: u64| bytes / (1024 * 1024);
    let reason = format!("{} MiB are free, and uploads.floor is {} MiB", mebibytes(free), mebibytes(floor));
    Err(VaultError::Full { folder: folder.to_owned(), reason })
}
