//! Passwords that were right a short while ago, so that a phone's second request costs no second examination.

use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;

use crate::device::Secret;

/// How many are kept; those that were asked for least go first.
const KEPT: usize = 16_384;

/// Keyed hashes of accounts with their right passwords. A wrong password is never here, so a look-up tells a guesser
/// nothing that the answer would not; the key is the process's own, so the hashes are of no use elsewhere.
pub(super) struct Recent {
    key: [u8; 32],
    right: Cache<[u8; 32], ()>,
}

impl Recent {
    /// Nothing yet, under this key.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, right: Cache::new(KEPT) }
    }

    /// Whether the account had this password when it was examined.
    pub(super) fn has(&self, user: &str, password: &Secret) -> bool {
        self.right.get(&self.hash(user, password)).is_some()
    }

    /// The password was examined and is the account's.
    pub(super) fn keep(&self, user: &str, password: &Secret) {
        self.right.insert(self.hash(user, password), ());
    }

    fn hash(&self, user: &str, password: &Secret) -> [u8; 32] {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        // No account's name has a colon in it, so that none runs into its password.
        for part in [user, ":", password.expose()] {
            hmac.update(part.as_bytes());
        }
        hmac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_password_of_the_very_account_is_known_again() {
        let recent = Recent::new([7; 32]);
        let secret = |text: &str| Secret::new(text.into());
        recent.keep("desk", &secret("a:b"));
        assert!(recent.has("desk", &secret("a:b")));
        for (user, password) in [("desk", "a"), ("des", "ka:b"), ("desk2", "a:b"), ("", "")] {
            assert!(!recent.has(user, &secret(password)), "{user}");
        }
    }
}
