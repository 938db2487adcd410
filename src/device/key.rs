//! A device's own keys for its profiles, and which of them the phone has.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Secret;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// `--key` of a profile rule (AES-256-CBC).
    Key,
    /// `IKM_HTTP_Encrypt_Content` (RFC 8188).
    Ikm,
}

/// A key, and the name by which a phone says that it has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceKey {
    secret: Secret,
    id: String,
}

/// A device's keys of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The one that the phone has, as far as is known.
    pub current: DeviceKey,
    /// Whether the phone has asked under it.
    pub is_used: bool,
    /// The one that profiles hand to the phone, and that it has when it asks under it.
    pub next: Option<DeviceKey>,
}

/// All keys of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing {
    /// For `--key`.
    pub key: Option<KeyPair>,
    /// For RFC 8188.
    pub ikm: Option<KeyPair>,
}

/// The key that an answer is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Under {
    /// The one that the phone has.
    Current,
    /// The one that it was handed.
    Next,
}

impl KeyKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Key, Self::Ikm];

    /// `key` or `ikm`, as the store and templates have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Ikm => "ikm",
        }
    }
}

impl DeviceKey {
    /// The key with this text.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        let print = Sha256::new().chain_update(b"phoneprov device key id 1\0").chain_update(secret.expose()).finalize();
        Self { id: HEXLOWER.encode(&print[..8]), secret }
    }

    /// The same, under a name that is known.
    #[must_use]
    pub fn named(secret: Secret, id: String) -> Self {
        Self { secret, id }
    }

    /// Its text.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// 16 hexadecimal digits of a hash. Whoever says them has been given the key: they stand in profiles that are under
    /// the key before, and cannot be guessed where the key cannot.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn is(&self, id: &str) -> bool {
        self.id.as_bytes().ct_eq(id.as_bytes()).into()
    }
}

impl KeyPair {
    /// The key that profiles hand to the phone.
    #[must_use]
    pub fn newest(&self) -> &DeviceKey {
        self.next.as_ref().unwrap_or(&self.current)
    }

    /// The key that an answer is under: the one that the phone says it has, or the current one where it says nothing.
    /// `None`: it says something else.
    #[must_use]
    pub fn under(&self, id: Option<&str>) -> Option<Under> {
        match id {
            None => Some(Under::Current),
            Some(id) if self.current.is(id) => Some(Under::Current),
            Some(id) => self.next.as_ref().filter(|next| next.is(id)).map(|_| Under::Next),
        }
    }

    /// That key.
    #[must_use]
    pub fn get(&self, under: Under) -> &DeviceKey {
        match under {
            Under::Current => &self.current,
            Under::Next => self.newest(),
        }
    }
}

impl KeyRing {
    /// The keys of one kind.
    #[must_use]
    pub fn of(&self, kind: KeyKind) -> Option<&KeyPair> {
        match kind {
            KeyKind::Key => self.key.as_ref(),
            KeyKind::Ikm => self.ikm.as_ref(),
        }
    }

    /// The place of the keys of one kind.
    pub fn place(&mut self, kind: KeyKind) -> &mut Option<KeyPair> {
        match kind {
            KeyKind::Key => &mut self.key,
            KeyKind::Ikm => &mut self.ikm,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| format!("`{text}` is no kind of key: expected key (for --key) or ikm (RFC 8188)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> DeviceKey {
        DeviceKey::new(Secret::new(text.into()))
    }

    #[test]
    fn a_phone_is_answered_under_the_key_that_it_says_it_has() {
        let pair = KeyPair { current: key("old"), is_used: true, next: Some(key("new")) };
        assert_eq!(pair.under(None), Some(Under::Current));
        assert_eq!(pair.under(Some(key("old").id())), Some(Under::Current));
        assert_eq!(pair.under(Some(key("new").id())), Some(Under::Next));
        for other in ["", "0", key("older").id(), &key("old").id()[..15]] {
            assert_eq!(pair.under(Some(other)), None, "{other}");
        }
        assert_eq!((pair.get(Under::Current), pair.get(Under::Next)), (&key("old"), &key("new")));
    }

    #[test]
    fn without_a_next_key_the_current_one_is_handed_out_and_nothing_else_is_taken() {
        let pair = KeyPair { current: key("old"), is_used: false, next: None };
        assert_eq!((pair.newest(), pair.under(Some(key("new").id()))), (&key("old"), None));
        assert_eq!(key("old").id().len(), 16);
        assert!(!format!("{:?}", key("hush")).contains("hush"));
    }
}
