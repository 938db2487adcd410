//! The key that a server of SSH proves itself with.

use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};

use crate::device::Secret;

/// A host key.
#[derive(Clone)]
pub struct HostKey(PrivateKey);

/// A host key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// There is none.
    #[error("{}: not there: `ssh-keygen -t ed25519 -N '' -f {}` makes one", .0.display(), .0.display())]
    Missing(PathBuf),
    /// It cannot be read or written.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is something else.
    #[error("{}: no host key ({error}): expected an OpenSSH private key of type ed25519 or ecdsa", .path.display())]
    Other {
        /// Which.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// A pass phrase locks it.
    #[error("{}: locked by a pass phrase: `ssh-keygen -p -N '' -f {}` takes it away", .0.display(), .0.display())]
    Locked(PathBuf),
}

/// The largest file that may be one (bytes).
const LARGEST: u64 = 64 * 1024;

impl HostKey {
    /// Reads a key as `ssh-keygen` writes it.
    ///
    /// # Errors
    /// There is none, or it is none that can be used.
    pub fn open(path: &Path) -> Result<Self, HostKeyError> {
        let file = |error| HostKeyError::File { path: path.to_owned(), error };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(HostKeyError::Missing(path.to_owned()));
            }
            Ok(found) if !found.is_file() || found.len() > LARGEST => {
                let error = "it is no file, or too large".to_owned();
                return Err(HostKeyError::Other { path: path.to_owned(), error });
            }
            found => found.map_err(file)?,
        };
        let text = Secret::new(std::fs::read_to_string(path).map_err(file)?);
        let other = |error: &dyn fmt::Display| HostKeyError::Other { path: path.to_owned(), error: error.to_string() };
        let key = PrivateKey::from_openssh(text.expose()).map_err(|error| other(&error))?;
        match key.algorithm() {
            _ if key.is_encrypted() => Err(HostKeyError::Locked(path.to_owned())),
            Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => Ok(Self(key)),
            algorithm => Err(other(&format!("its type is {algorithm}"))),
        }
    }

    /// Makes a key of type ed25519 where there is none, for this user alone.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn make(path: &Path) -> Result<(), HostKeyError> {
        if path.exists() {
            return Ok(());
        }
        let other = |error: russh::keys::ssh_key::Error| HostKeyError::Other {
            path: path.to_owned(),
            error: error.to_string(),
        };
        let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).map_err(other)?;
        let text = key.to_openssh(LineEnding::LF).map_err(other)?;
        let options = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let written = options.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        written.map_err(|error| HostKeyError::File { path: path.to_owned(), error })
    }

    /// What a client compares, such as `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.public_key().fingerprint(russh::keys::HashAlg::Sha256).to_string()
    }

    /// The key itself.
    pub(super) fn private(&self) -> PrivateKey {
        self.0.clone()
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_user_alone() {
        let folder = tempfile::tempdir().expect("room for a folder");
        let path = folder.path().join("host.key");
        let missing = HostKey::open(&path).expect_err("none").to_string();
        assert!(missing.contains("ssh-keygen -t ed25519 -N '' -f /"), "{missing}");
        HostKey::make(&path).expect("a key");
        let first = HostKey::open(&path).expect("a key").fingerprint();
        assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        HostKey::make(&path).expect("there is one");
        assert_eq!(HostKey::open(&path).expect("a key").fingerprint(), first);
    }

    #[test]
    fn what_is_no_key_is_said_to_be_none_and_not_shown() {
        let folder = tempfile::tempdir().expect("room for a folder");
        let path = folder.path().join("x");
        std::fs::write(&path, "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n-----END OPENSSH PRIVATE KEY-----\n")
            .expect("a file");
        let error = HostKey::open(&path).expect_err("no key").to_string();
        assert!(error.contains("expected an OpenSSH private key") && !error.contains("hush"), "{error}");
        assert!(HostKey::open(folder.path()).is_err());
    }
}
