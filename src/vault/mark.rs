//! A folder's mark: which folder it is, so that a store that has never heard of it sweeps nothing away there.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use super::{KeptName, Vault, VaultError};

/// The file with the mark.
const MARK: &str = "folder.id";

/// A folder's mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Random hexadecimal digits.
    pub text: String,
    /// It was made just now, in a folder without a finished file.
    pub is_new: bool,
}

impl Vault {
    /// The mark of the folder. One without any file is given one; `None`: it has files, and no mark.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn mark(&self) -> Result<Option<Mark>, VaultError> {
        let path = self.folder.join(MARK);
        let failed = |error| VaultError::of(&path, error);
        let read = || match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse::<KeptName>().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        };
        if let Some(mark) = read()? {
            return Ok(Some(Mark { text: mark.to_string(), is_new: false }));
        }
        if self.has_finished()? {
            return Ok(None);
        }
        let mark = KeptName::random()?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made.and_then(|mut file| writeln!(file, "{mark}").and_then(|()| file.sync_all())) {
            Ok(()) => Ok(Some(Mark { text: mark.to_string(), is_new: true })),
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Ok(read()?.map(|mark| Mark { text: mark.to_string(), is_new: false }))
            }
            Err(error) => Err(failed(error)),
        }
    }
}
