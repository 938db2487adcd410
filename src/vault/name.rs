//! What a file is called on the disk: random, so that nothing a client says is ever part of a path.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use super::VaultError;

/// The end of a finished file's name.
pub(super) const FINISHED: &str = ".age";

/// The end of the name of one that is being written, which begins with a dot.
pub(super) const UNFINISHED: &str = ".part";

/// The name of a file in the vault: 128 random bits as 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeptName(String);

/// The text is no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a kept file: expected 32 hexadecimal digits in lower case")]
pub struct KeptNameError(String);

impl KeptName {
    /// A name that no other file has.
    pub(super) fn random() -> Result<Self, VaultError> {
        let mut octets = [0; 16];
        aws_lc_rs::rand::fill(&mut octets).map_err(|_| VaultError::NoRandomNumbers)?;
        Ok(Self(HEXLOWER.encode(&octets)))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeptName {
    type Err = KeptNameError;

    fn from_str(text: &str) -> Result<Self, KeptNameError> {
        let fits = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(text.to_owned())) } else { Err(KeptNameError(text.to_owned())) }
    }
}

impl fmt::Display for KeptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
