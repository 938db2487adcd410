//! What can go wrong with the authority's files.

use std::io;
use std::path::PathBuf;

/// A file of the authority cannot be read, written or used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The operating system refused to read it.
    #[error("cannot read `{}`: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The operating system refused to write it.
    #[error("cannot write `{}`: {reason}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The name is taken.
    #[error("`{}` exists already and was not overwritten: move it away first", .0.display())]
    Exists(PathBuf),
    /// A certificate without the key that belongs to it.
    #[error(
        "`{}` is there but its key `{}` is not: put the key back, or move the certificate away to have both made",
        certificate.display(), key.display()
    )]
    KeyMissing {
        /// The certificate.
        certificate: PathBuf,
        /// The key that is missing.
        key: PathBuf,
    },
    /// The file does not hold what its name says.
    #[error("`{}` is not usable: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Something that no server certificate should say.
    #[error(transparent)]
    Wanted(#[from] super::WantedError),
    /// The cryptographic library refused to make a key or to sign.
    #[error("cannot make a key or a certificate: {0}")]
    Crypto(String),
}

/// What the cryptographic library refused.
pub(super) fn crypto(error: impl std::fmt::Display) -> AuthorityError {
    AuthorityError::Crypto(error.to_string())
}
