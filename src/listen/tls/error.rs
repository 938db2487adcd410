//! Why a listener's certificates do not fit.

use std::path::{Path, PathBuf};

/// A listener's certificates do not fit. The message names file and cause.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file or folder cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: String,
    },
    /// A file holds none of what it should.
    #[error("{path}: no {what} in it: expected PEM, `-----BEGIN …`")]
    Missing {
        /// Which file.
        path: PathBuf,
        /// A certificate, or a private key.
        what: &'static str,
    },
    /// A key that only a pass phrase opens.
    #[error("{path}: the private key has a pass phrase: expected one without, in a file that only the server may read")]
    Locked {
        /// Which file.
        path: PathBuf,
    },
    /// A block of a file is no certificate, or not all of one.
    #[error("{path}: certificate {number} of the file is damaged ({error}): expected base64 text of one certificate")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which certificate, counted from 1.
        number: usize,
        /// What is wrong with it.
        error: String,
    },
    /// The certificates of a chain do not follow one another.
    #[error(
        "{path}: the chain is in the wrong order: certificate {issuer} issued certificate {issued} and has to follow it; \
         expected the server's own first, then the one that issued it, and so on"
    )]
    Order {
        /// Which file.
        path: PathBuf,
        /// The certificate that another one should follow, counted from 1.
        issued: usize,
        /// That other one.
        issuer: usize,
    },
    /// An authority that cannot be used.
    #[error("{path}: not usable as an authority: {error}")]
    Authority {
        /// Which file.
        path: PathBuf,
        /// What the TLS library says.
        error: String,
    },
    /// A revocation list that cannot be used.
    #[error("{path}: not usable as a revocation list: {error}")]
    Revocation {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it, and what would be right.
        error: String,
    },
    /// The certificate and its key are of different pairs, or of a kind that the TLS library does not know.
    #[error("certificate {certificate} and key {key}: {error}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library says.
        error: String,
    },
}

impl TlsError {
    pub(super) fn unreadable(path: &Path, error: impl std::fmt::Display) -> Self {
        let error = error.to_string();
        // ENOENT, in the system's words.
        let hint =
            if error.starts_with("No such file") { ": make it, or let the listener's table name another" } else { "" };
        Self::Unreadable { path: path.to_owned(), error: error + hint }
    }
}
