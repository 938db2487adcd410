//! What tells one content from another.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The beginning of its SHA-256: 24 hexadecimal digits. It stands where it is kept, and costs a request no look elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 12]);

impl ContentHash {
    /// That of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut half = [0; 12];
        half.copy_from_slice(&Sha256::digest(bytes)[..12]);
        Self(half)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_beginning_of_what_sha256sum_prints() {
        assert_eq!(ContentHash::of(b"abc").to_string(), "ba7816bf8f01cfea414140de");
        assert_ne!(ContentHash::of(b"abd"), ContentHash::of(b"abc"));
    }
}
