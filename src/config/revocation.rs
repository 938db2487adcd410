//! `crl` and `crl_past_date` of a `[[listen]]`: which certificates of phones have been taken back.

use std::path::PathBuf;

use serde::Deserialize;

/// The revocation lists of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocation {
    /// PEM or DER files, or folders of them.
    pub lists: Vec<PathBuf>,
    /// What becomes of phones when a list is past its date.
    pub past_date: PastDate,
}

/// What a list is worth that should have been replaced by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PastDate {
    /// As much as before: who is on it stays refused, everybody else is served.
    #[default]
    Keep,
    /// Nothing: no certificate of its issuer counts any more.
    Refuse,
}
