//! The server's nonces (RFC 7616 §3.3): each says when it was issued, ends after a while, and counts its uses.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How long a nonce is good for. A phone asks for several files at a stretch, and again hours later.
const LIFETIME: Duration = Duration::from_mins(5);

/// Nonces whose uses are counted at once; past them the oldest end early.
const COUNTED: usize = 65_536;

/// Issues nonces and knows them again. Only those that came back with a right digest take any memory.
pub(super) struct Nonces {
    key: [u8; 32],
    start: Instant,
    next: AtomicU64,
    used: Mutex<Used>,
}

/// A nonce of ours that is not too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Nonce {
    /// Milliseconds after the start.
    issued: u64,
    serial: u64,
}

/// The highest count that came with each nonce.
#[derive(Debug, Default)]
struct Used {
    counts: BTreeMap<Nonce, u32>,
    /// Nothing issued before is good any more: its count may be forgotten.
    from: u64,
}

impl Nonces {
    /// None yet, under this key.
    pub(super) fn new(key: [u8; 32], now: Instant) -> Self {
        Self { key, start: now, next: AtomicU64::new(0), used: Mutex::default() }
    }

    /// A nonce that was never issued before.
    pub(super) fn issue(&self, now: Instant) -> String {
        let nonce = Nonce { issued: self.time(now), serial: self.next.fetch_add(1, Ordering::Relaxed) };
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&nonce.octets());
        bytes[16..].copy_from_slice(&self.seal(nonce));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The nonce that a client sends back; `None` where it is not ours, or too old.
    pub(super) fn read(&self, text: &str, now: Instant) -> Option<Nonce> {
        let bytes: [u8; 32] = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()?;
        let number = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| bytes[at + byte]));
        let nonce = Nonce { issued: number(0), serial: number(8) };
        let ours: bool = self.seal(nonce).ct_eq(&bytes[16..]).into();
        (ours && self.oldest(now) <= nonce.issued).then_some(nonce)
    }

    /// Counts a use; false where the nonce has been used with this count or a higher one, or its count is forgotten.
    pub(super) fn spend(&self, nonce: Nonce, count: u32, now: Instant) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(self.oldest(now));
        if nonce.issued < used.from {
            return false;
        }
        let highest = used.counts.entry(nonce).or_default();
        let rises = *highest < count;
        *highest = count.max(*highest);
        rises
    }

    fn oldest(&self, now: Instant) -> u64 {
        self.time(now).saturating_sub(u64::try_from(LIFETIME.as_millis()).unwrap_or(u64::MAX))
    }

    fn time(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }

    fn seal(&self, nonce: Nonce) -> [u8; 16] {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        hmac.update(&nonce.octets());
        let code = hmac.finalize().into_bytes();
        std::array::from_fn(|at| code[at])
    }
}

impl Used {
    /// Lets go of what was issued before `oldest`, and of the oldest where there are too many.
    fn forget(&mut self, oldest: u64) {
        self.from = self.from.max(oldest);
        while let Some((nonce, _)) = self.counts.first_key_value() {
            if nonce.issued >= self.from && self.counts.len() < COUNTED {
                return;
            }
            if nonce.issued >= self.from {
                self.from = nonce.issued + 1;
            }
            self.counts.pop_first();
        }
    }
}

impl Nonce {
    fn octets(self) -> [u8; 16] {
        (u128::from(self.issued) << 64 | u128::from(self.serial)).to_be_bytes()
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_to_rise() {
        let now = Instant::now();
        let nonces = Nonces::new([1; 32], now);
        let nonce = nonces.read(&nonces.issue(now), now).expect("ours");
        let spent: Vec<bool> = [1, 1, 2, 5, 4, 5, 6].map(|count| nonces.spend(nonce, count, now)).into();
        assert_eq!(spent, [true, false, true, true, false, false, true]);
        assert!(!nonces.spend(nonces.read(&nonces.issue(now), now).expect("ours"), 0, now), "counts begin at 1");
    }

    #[test]
    fn a_nonce_ends_after_its_time() {
        let start = Instant::now();
        let nonces = Nonces::new([1; 32], start);
        let text = nonces.issue(start + Duration::from_mins(1));
        assert!(nonces.read(&text, start + Duration::from_mins(6)).is_some());
        assert!(nonces.read(&text, start + Duration::from_mins(6) + Duration::from_millis(1)).is_none());
    }

    #[test]
    fn another_servers_nonce_is_none_of_ours() {
        let now = Instant::now();
        let (ours, other) = (Nonces::new([1; 32], now), Nonces::new([2; 32], now));
        let text = other.issue(now);
        assert!(ours.read(&text, now).is_none() && other.read(&text, now).is_some());
        for text in ["", "AAAA", &text[1..], &format!("{text}A"), &"A".repeat(43)] {
            assert!(other.read(text, now).is_none(), "{text}");
        }
    }

    #[test]
    fn a_forgotten_count_makes_its_nonce_stale_and_never_fresh() {
        let start = Instant::now();
        let nonces = Nonces::new([1; 32], start);
        let first = nonces.read(&nonces.issue(start), start).expect("ours");
        assert!(nonces.spend(first, 1, start));
        let later = start + Duration::from_millis(1);
        for _ in 0..COUNTED {
            let nonce = nonces.read(&nonces.issue(later), later).expect("ours");
            assert!(nonces.spend(nonce, 1, later));
        }
        assert!(!nonces.spend(first, 2, later));
        assert!(nonces.used.lock().expect("no panic").counts.len() <= COUNTED);
    }
}
