//! What the beginning of a file is called towards its client, so that it can say which one it goes on with.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::vault::KeptName;

/// The mark of one file of a case (an entity tag, RFC 9110 §8.8.3). It stays the same while the file grows, and neither says
/// where the file lies nor how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag([u8; 8]);

impl Tag {
    /// That of the file with this first part, whose name is random.
    #[must_use]
    pub fn of(first: &KeptName) -> Self {
        let mut tag = [0; 8];
        tag.copy_from_slice(&Sha256::digest(first.as_str())[..8]);
        Self(tag)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}
