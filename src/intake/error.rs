//! Why a file is not taken. What a client is told is in the doors' own words.

use crate::store::StoreError;
use crate::vault::VaultError;

/// Nobody is let in. A client is told the same in every case.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// Number or token are wrong, or not good any more.
    #[error("not let in")]
    Refused,
    /// Too many wrong ones came from there, and there is no place left to wait.
    #[error("not looked at: too many wrong tokens came from there")]
    NoPlace,
    /// It cannot be known now.
    #[error("{0}")]
    Away(StoreError),
}

/// A file is not taken, and nothing of it is left but what was acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The disk, its floor, or a quota.
    #[error("{0}")]
    Full(String),
    /// Others come in just now, or the store does not answer: try again later.
    #[error("{0}")]
    Later(String),
    /// Another client is going on with the same file.
    #[error("another client is going on with the same file")]
    Occupied,
    /// It does not follow on what is there.
    #[error("it does not follow on what has come of it")]
    Gap,
    /// Its grant is past its date.
    #[error("the token is past its date")]
    Expired,
    /// Its case was closed meanwhile.
    #[error("the case has been closed")]
    Closed,
    /// Something is wrong here.
    #[error("{0}")]
    Failed(String),
}

impl From<VaultError> for IntakeError {
    fn from(error: VaultError) -> Self {
        if error.is_full() { Self::Full(error.to_string()) } else { Self::Failed(error.to_string()) }
    }
}

impl From<StoreError> for IntakeError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Quota { .. } | StoreError::Crowded { .. } | StoreError::Full(_) => {
                Self::Full(error.to_string())
            }
            StoreError::CaseClosed(_) | StoreError::NoSuchCase(_) => Self::Closed,
            _ if error.is_passing() => Self::Later(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
