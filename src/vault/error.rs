//! What can go wrong with files that were handed in.

use std::io;
use std::path::{Path, PathBuf};

use super::KeptName;

/// The vault does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No room: the disk is full, or what has to stay free is all that is.
    #[error("{folder}: no room for more: {reason}", folder = folder.display())]
    Full {
        /// The folder.
        folder: PathBuf,
        /// The disk's end, or the floor.
        reason: String,
    },
    /// The folder cannot be used.
    #[error("uploads.folder {folder}: {error}: let the user that phoneprov runs as write there", folder = folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file cannot be written, read or removed.
    #[error("{path}: {error}", path = path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file cannot be decrypted.
    #[error("{name}: {}", unreadable(error))]
    Unreadable {
        /// The file.
        name: KeptName,
        /// Why.
        error: age::DecryptError,
    },
    /// An identity file holds something else.
    #[error("{path}: {reason}", path = path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; no text of it.
        reason: String,
    },
    /// The system gives none.
    #[error("the system gives no random numbers")]
    NoRandomNumbers,
}

impl VaultError {
    /// Whether there is no room, which the client can be told.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// What the system says of a path of the vault.
    pub(super) fn of(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                let folder = path.parent().unwrap_or(path).to_owned();
                Self::Full { folder, reason: error.to_string() }
            }
            _ => Self::System { path: path.to_owned(), error },
        }
    }
}

fn unreadable(error: &age::DecryptError) -> String {
    match error {
        age::DecryptError::NoMatchingKeys => {
            "none of these identities opens it: only the holder of an identity that it was encrypted for can read it"
                .into()
        }
        other => format!("it is damaged ({other})"),
    }
}
