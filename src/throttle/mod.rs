//! Budgets of those who guess: who is refused again and again is answered slowly, and an operator hears of it.
//!
//! Only refusals and wrong passwords pay; a profile that is served costs nothing here. Past a budget an answer waits, and
//! so that waiting holds no more than a few connections, one that finds no place to wait gets no answer at all. What a
//! request pays depends on its address and its path's text, never on what the tree has: the wait tells nothing.
//!
//! All of it is in memory and bounded: of more clients than there is room for, those that did least are forgotten.

mod alarm;
mod budget;
mod place;
mod scan;

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use quick_cache::sync::Cache;

use self::budget::Budget;
use self::scan::Scan;
use crate::config::{self, Protocol};
use crate::device::MacAddress;
pub use alarm::Alarm;
pub use place::Place;

/// Clients, and things that are guessed at, which are kept in mind.
const KNOWN: usize = 32_768;

/// Of all places to wait, one address gets this part.
const SHARE: u32 = 64;

/// Who has been refused how often.
#[derive(Debug)]
pub struct Throttle {
    settings: config::Throttle,
    suspects: Cache<IpAddr, Arc<Suspect>>,
    targets: Cache<Target, Arc<Budget>>,
    hasher: RandomState,
    waiting: Arc<AtomicU32>,
}

/// A client that has been refused.
#[derive(Debug)]
struct Suspect {
    refusals: Budget,
    passwords: Budget,
    scan: Scan,
    /// The same in datagrams, which may be of somebody else.
    datagrams: Scan,
    waiting: Arc<AtomicU32>,
}

/// What several clients may be guessing at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    /// The devices of one maker: three octets.
    Prefix([u8; 3]),
    /// An account, there or not, by a hash of its name.
    Account(u64),
}

/// What a refusal costs.
#[derive(Debug, Default)]
pub struct Toll {
    /// The answer has to wait.
    pub is_slow: bool,
    /// Someone should know.
    pub alarm: Option<Alarm>,
}

impl Throttle {
    /// Nobody has been refused yet.
    #[must_use]
    pub fn new(settings: config::Throttle) -> Self {
        Self {
            settings,
            suspects: Cache::new(KNOWN),
            targets: Cache::new(KNOWN),
            hasher: RandomState::new(),
            waiting: Arc::default(),
        }
    }

    /// What it works with.
    #[must_use]
    pub fn settings(&self) -> &config::Throttle {
        &self.settings
    }

    /// Takes note of a refused request, and of the device that its path names.
    #[must_use]
    pub fn refused(&self, peer: IpAddr, tried: Option<MacAddress>, transport: Protocol, now: Instant) -> Toll {
        let suspect = self.suspect(peer);
        let over_address = suspect.refusals.pay(now);
        let Some(mac) = tried else { return Toll { is_slow: over_address, alarm: None } };
        let prefix = mac.prefix();
        let over_prefix = self.target(Target::Prefix(prefix), self.settings.prefix).pay(now);
        let (scan, forgeable) = match transport {
            Protocol::Http | Protocol::Https => (&suspect.scan, false),
            Protocol::Tftp => (&suspect.datagrams, true),
        };
        let peer = peer.to_canonical();
        let alarm = scan
            .tried(mac, self.settings.alarm, self.settings.window.duration(), now)
            .map(|(prefix, macs, prefixes)| Alarm::Scan { peer, macs, prefix, prefixes, forgeable });
        Toll { is_slow: over_address || over_prefix, alarm }
    }

    /// Whether a password from this address, or for this account, has to wait before anybody looks at it.
    #[must_use]
    pub fn suspects(&self, peer: IpAddr, account: &str, now: Instant) -> bool {
        let by_address = self.suspects.get(&client(peer)).is_some_and(|suspect| suspect.passwords.is_spent(now));
        by_address || self.targets.get(&self.account(account)).is_some_and(|budget| budget.is_spent(now))
    }

    /// Takes note of a wrong password.
    #[must_use]
    pub fn mistaken(&self, peer: IpAddr, account: &str, now: Instant) -> Option<Alarm> {
        let suspect = self.suspect(peer);
        self.target(self.account(account), self.settings.passwords).pay(now);
        suspect.passwords.pay(now);
        let is_news = suspect.passwords.is_news(self.settings.window.duration(), now);
        is_news.then(|| Alarm::Passwords { peer: peer.to_canonical(), wrong: self.settings.passwords })
    }

    /// A place to wait in, if there is one.
    #[must_use]
    pub fn place(&self, peer: IpAddr) -> Option<Place> {
        let own = self.settings.waiting.div_ceil(SHARE);
        Place::take([(self.suspect(peer).waiting.clone(), own), (self.waiting.clone(), self.settings.waiting)])
    }

    fn suspect(&self, peer: IpAddr) -> Arc<Suspect> {
        let fresh = || {
            let budget = |burst| Budget::new(burst, self.settings.window.duration());
            let (refusals, passwords) = (budget(self.settings.address), budget(self.settings.passwords));
            Arc::new(Suspect {
                refusals,
                passwords,
                scan: Scan::default(),
                datagrams: Scan::default(),
                waiting: Arc::default(),
            })
        };
        kept(&self.suspects, &client(peer), fresh)
    }

    fn target(&self, target: Target, burst: u32) -> Arc<Budget> {
        kept(&self.targets, &target, || Arc::new(Budget::new(burst, self.settings.window.duration())))
    }

    fn account(&self, name: &str) -> Target {
        Target::Account(self.hasher.hash_one(name))
    }
}

fn kept<K: Clone + Eq + std::hash::Hash, V: Clone>(cache: &Cache<K, V>, key: &K, fresh: impl FnOnce() -> V) -> V {
    let Ok(value) = cache.get_or_insert_with(key, || Ok::<V, std::convert::Infallible>(fresh()));
    value
}

/// Whose budget an address is: an IPv4 address, or the 64 bits that an IPv6 client cannot choose.
#[must_use]
pub fn client(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests;
