//! What several listeners have in common, held once: the key is a hash of what it was made from. What nobody holds any more
//! is gone; a reload takes over what has not changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sha2::{Digest as _, Sha256};

/// What a thing was made from.
pub(super) type Key = [u8; 32];

/// Things by their key, as long as somebody holds them.
pub(super) struct Held<T>(Mutex<HashMap<Key, Weak<T>>>);

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<T> Held<T> {
    /// The one that is there, or a new one. It is made while others wait: two would be twice the memory.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn get_or<E>(&self, key: Key, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = held.get(&key).and_then(Weak::upgrade) {
            return Ok(there);
        }
        let new = Arc::new(make()?);
        held.retain(|_, other| other.strong_count() > 0);
        held.insert(key, Arc::downgrade(&new));
        Ok(new)
    }
}

/// A key of these pieces, in their order.
pub(super) fn key<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Key {
    let mut hash = Sha256::new();
    for piece in pieces {
        hash.update((piece.len() as u64).to_be_bytes());
        hash.update(piece);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn what_somebody_holds_is_not_made_again_and_what_nobody_holds_is_gone() {
        let held = Held::<u32>::default();
        let number = |key: Key, number| held.get_or(key, || Ok::<_, Infallible>(number)).expect("a number");
        let (one, other) = (key([&b"a"[..], b"b"]), key([&b"ab"[..]]));
        assert_ne!(one, other, "pieces are told apart");
        let held = number(one, 1);
        assert_eq!((*number(one, 2), *number(other, 3)), (1, 3));
        drop(held);
        assert_eq!(*number(one, 4), 4);
    }

    #[test]
    fn what_cannot_be_made_is_not_kept() {
        let held = Held::<u32>::default();
        assert_eq!(held.get_or(key([]), || Err("no")).err(), Some("no"));
        assert_eq!(held.get_or(key([]), || Ok::<_, &str>(5)).as_deref(), Ok(&5));
    }
}
