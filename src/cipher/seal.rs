//! Secrets at rest: a short text under AES-256-GCM, bound to the place where it is kept.
//!
//! ```text
//! v1.KEY.NONCE CIPHERTEXT TAG        KEY: which key, as 8 hexadecimal digits; the rest as base64url (RFC 4648 section 5)
//! ```
//!
//! The place is associated data: a sealed text that is moved to another place does not open there.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest as _, Sha256};

use crate::device::Secret;

/// Octets of a nonce, which a caller takes from a source of random numbers: 2³² of them under one key are safe
/// (NIST SP 800-38D section 8.3).
pub const NONCE: usize = 12;

/// The form that this program writes.
const FORM: &str = "v1.";

/// A key that seals: 256 bits, which no person chose.
#[derive(Clone)]
pub struct SealingKey {
    cipher: Aes256Gcm,
    id: String,
}

/// A text is no sealing key, or a sealed text does not open. No message shows key or content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not a key.
    #[error("a sealing key is 64 hexadecimal digits: `phoneprov secrets key` makes one")]
    Key,
    /// Not of the form that is written here.
    #[error("it is not of a form that this program knows")]
    Form,
    /// Sealed by another key.
    #[error("it is sealed under the key {0}")]
    OtherKey(String),
    /// Changed, or moved from where it was sealed.
    #[error("it was damaged, or sealed for another place")]
    Unauthentic,
}

impl SealingKey {
    /// The key of 64 hexadecimal digits.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let octets = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(|_| SealError::Key)?;
        let cipher = Aes256Gcm::new_from_slice(&octets).map_err(|_| SealError::Key)?;
        let print = Sha256::new().chain_update(b"phoneprov sealing key 1\0").chain_update(&octets).finalize();
        Ok(Self { cipher, id: HEXLOWER.encode(&print[..4]) })
    }

    /// What tells it from others, and nothing of what it is: 8 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals a text for a place.
    #[must_use]
    pub fn seal(&self, nonce: [u8; NONCE], place: &str, secret: &Secret) -> String {
        let payload = Payload { msg: secret.expose().as_bytes(), aad: place.as_bytes() };
        let sealed = self.cipher.encrypt(&nonce.into(), payload).expect("no text is as long as AES-GCM cannot take");
        format!("{FORM}{}.{}", self.id, BASE64URL_NOPAD.encode(&[&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// It was sealed under another key or for another place, or is damaged.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Secret, SealError> {
        let id = id_of(sealed).ok_or(SealError::Form)?;
        if id != self.id {
            return Err(SealError::OtherKey(id.to_owned()));
        }
        let octets = BASE64URL_NOPAD.decode(&sealed.as_bytes()[FORM.len() + id.len() + 1..]);
        let octets = octets.map_err(|_| SealError::Form)?;
        let (nonce, text) = octets.split_first_chunk::<NONCE>().ok_or(SealError::Form)?;
        let payload = Payload { msg: text, aad: place.as_bytes() };
        let text = self.cipher.decrypt(nonce.into(), payload).map_err(|_| SealError::Unauthentic)?;
        String::from_utf8(text).map(Secret::new).map_err(|_| SealError::Form)
    }
}

/// The key that a sealed text names; none where it is no sealed text.
#[must_use]
pub fn id_of(sealed: &str) -> Option<&str> {
    sealed.strip_prefix(FORM)?.split_once('.').map(|(id, _)| id)
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(digit: &str) -> SealingKey {
        SealingKey::parse(&digit.repeat(64)).expect("a key")
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_place_and_nowhere_else(text in "\\PC{0,60}", place in "\\PC{0,20}", nonce: [u8; NONCE]) {
            let sealed = key("a").seal(nonce, &place, &Secret::new(text.clone()));
            prop_assert_eq!(key("a").open(&place, &sealed), Ok(Secret::new(text)));
            prop_assert_eq!(key("a").open(&format!("{place}."), &sealed), Err(SealError::Unauthentic));
            prop_assert_eq!(key("b").open(&place, &sealed), Err(SealError::OtherKey(key("a").id().into())));
        }

        #[test]
        fn anything_is_opened_or_refused(text in "\\PC{0,60}", tail in "[A-Za-z0-9_-]{0,60}") {
            prop_assert!(key("a").open("", &text).is_err());
            let forged = format!("v1.{}.{tail}", key("a").id());
            prop_assert!(key("a").open("", &forged).is_err());
        }
    }

    #[test]
    fn a_changed_bit_does_not_open() {
        let sealed = key("a").seal([7; NONCE], "x", &Secret::new("hush".into()));
        let octets = BASE64URL_NOPAD.decode(sealed.rsplit('.').next().expect("octets").as_bytes()).expect("base64url");
        for bit in 0..octets.len() * 8 {
            let mut changed = octets.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = format!("v1.{}.{}", key("a").id(), BASE64URL_NOPAD.encode(&changed));
            assert_eq!(key("a").open("x", &changed), Err(SealError::Unauthentic), "{bit}");
        }
    }

    #[test]
    fn a_key_has_256_bits_and_is_not_printed() {
        for text in ["", "hush", &"a".repeat(63), &"a".repeat(65), &"g".repeat(64), &"a".repeat(128)] {
            assert!(matches!(SealingKey::parse(text), Err(SealError::Key)), "{text}");
        }
        assert_eq!(format!("{:?}", key("a")), format!("SealingKey({})", key("a").id()));
        assert_eq!(key("a").id().len(), 8);
    }
}
