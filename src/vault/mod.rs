//! Files that were handed in, encrypted at rest: the only place that writes them to the disk.
//!
//! Each file is an age file (age-encryption.org/v1) for the configured recipients, under a random name. It has that name
//! only when all of it is on the disk; before, it is hidden and locked by who writes it. The server can write and remove:
//! to read takes an identity, which it does not have. All I/O here blocks: callers in the runtime use `spawn_blocking`.

mod deposit;
mod error;
mod identity;
mod mark;
mod name;
mod room;
mod sweep;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File};
use std::io::{BufReader, Read};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::x25519::Recipient;

pub use self::deposit::{Deposit, Kept};
pub use self::error::VaultError;
pub use self::identity::Identities;
pub use self::mark::Mark;
pub use self::name::KeptName;
use self::room::Room;
pub use self::room::{Unit, crowded, free, is_disk};
pub use self::sweep::Swept;
use crate::config::Uploads;

/// The folder of files that were handed in.
#[derive(Debug)]
pub struct Vault {
    folder: PathBuf,
    recipients: Vec<Recipient>,
    room: Arc<Room>,
}

impl Vault {
    /// The vault of a configuration; its folder is made where it is not there, for this user alone.
    ///
    /// # Errors
    /// The folder cannot be made or is none.
    pub fn open(uploads: &Uploads) -> Result<Self, VaultError> {
        let folder = uploads.folder.clone();
        let failed = |error| VaultError::Folder { folder: folder.clone(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let mode = fs::metadata(&folder).map_err(failed)?.permissions().mode();
        // Names and sizes are nobody else's business either.
        if mode & 0o077 != 0 {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        let room = Room::new(&folder, uploads.floor.count());
        Ok(Self { folder, recipients: uploads.recipients.clone(), room })
    }

    /// Begins a file. What its client announces of it (bytes) is set aside for it; without that, room is looked for as it
    /// comes.
    ///
    /// # Errors
    /// [`VaultError::Full`]: with what is set aside for others, it would fall below the floor; or nothing can be written.
    pub fn begin(&self, announced: Option<u64>) -> Result<Deposit, VaultError> {
        Deposit::begin(self, self.room.reserve(announced)?)
    }

    /// What is in a file, read as it is decrypted.
    ///
    /// # Errors
    /// It is not there, is damaged, or is for none of these identities.
    pub fn read(&self, name: &KeptName, identities: &Identities) -> Result<impl Read + use<>, VaultError> {
        let path = self.path(name);
        let file = File::open(&path).map_err(|error| VaultError::of(&path, error))?;
        let unread = |error| VaultError::Unreadable { name: name.clone(), error };
        let decryptor = age::Decryptor::new_buffered(BufReader::new(file)).map_err(unread)?;
        decryptor.decrypt(identities.iter()).map_err(unread)
    }

    /// Removes a file for good. One that is not there is removed already.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &KeptName) -> Result<(), VaultError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(VaultError::of(&path, error)),
            Ok(()) => self.settle(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a finished file.
    #[must_use]
    pub fn path(&self, name: &KeptName) -> PathBuf {
        self.folder.join(format!("{name}{}", name::FINISHED))
    }

    /// Waits until the folder's names are on the disk.
    fn settle(&self) -> Result<(), VaultError> {
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| VaultError::of(&self.folder, error))
    }
}
