//! What came of a fleet.

use std::collections::BTreeMap;
use std::time::Duration;

use super::member::Guise;
use super::scenario::Scenario;
use crate::device::MacAddress;
use crate::phone::failure::{Class, Failure};

/// What came of one phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What it was up to.
    pub guise: Guise,
    /// The address that it asked with.
    pub mac: MacAddress,
    /// How it went.
    pub ending: Ending,
    /// From its first question to the end, waits before retries included.
    pub time: Duration,
    /// Octets of answers.
    pub octets: u64,
    /// TLS connections.
    pub handshakes: u64,
    /// How often it tried again.
    pub retries: u32,
}

/// How it went with one phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It has its profile; an attacker has somebody's.
    Served,
    /// An attacker was told no.
    Refused,
    /// The server hung up on an attacker.
    HungUp,
    /// Neither; `None`: its rule led nowhere.
    Failed(Option<Failure>),
}

/// How many phones failed for one kind of reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// So many phones.
    pub count: u64,
    /// The first one's reason, in words.
    pub such_as: String,
}

/// All phones, added up.
#[derive(Debug, Clone)]
pub struct Tally {
    /// What happened to them.
    pub scenario: Scenario,
    /// How many there are.
    pub phones: usize,
    /// Phones that have a profile.
    pub served: usize,
    /// Attackers that were told no.
    pub refused: usize,
    /// Attackers that the server hung up on.
    pub hung_up: usize,
    /// The rest, by class and kind.
    pub failed: BTreeMap<(Class, &'static str), FailureCount>,
    /// The first attacker that was served, in words.
    pub breach: Option<String>,
    /// Octets of answers.
    pub octets: u64,
    /// TLS connections.
    pub handshakes: u64,
    /// Retries of all phones.
    pub retries: u64,
    /// From the first phone's turn to the last one's end.
    pub took: Duration,
    /// One for each phone that ended; in order once it is closed.
    times: Vec<Duration>,
}

impl Tally {
    pub(super) fn new(scenario: Scenario, phones: usize) -> Self {
        Self {
            scenario,
            phones,
            served: 0,
            refused: 0,
            hung_up: 0,
            failed: BTreeMap::new(),
            breach: None,
            octets: 0,
            handshakes: 0,
            retries: 0,
            took: Duration::ZERO,
            times: Vec::with_capacity(phones),
        }
    }

    pub(super) fn add(&mut self, ended: Ended) {
        match ended.ending {
            Ending::Served => {
                self.served += 1;
                if self.scenario == Scenario::Scan && self.breach.is_none() {
                    self.breach = Some(format!("asked as {} with {}", ended.mac, ended.guise));
                }
            }
            Ending::Refused => self.refused += 1,
            Ending::HungUp => self.hung_up += 1,
            Ending::Failed(failure) => self.fail(failure.as_ref()),
        }
        self.octets = self.octets.saturating_add(ended.octets);
        self.handshakes += ended.handshakes;
        self.retries += u64::from(ended.retries);
        self.times.push(ended.time);
    }

    fn fail(&mut self, failure: Option<&Failure>) {
        let key = failure.map_or((Class::C, "rule"), |failure| (failure.class(), failure.kind()));
        let such_as = || failure.map_or_else(|| "the rule leads to no profile".to_owned(), ToString::to_string);
        self.failed.entry(key).or_insert_with(|| FailureCount { count: 0, such_as: such_as() }).count += 1;
    }

    pub(super) fn close(&mut self, took: Duration) {
        self.took = took;
        self.times.sort_unstable();
    }

    /// How many phones are through.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.times.len()
    }

    /// How many failed.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.ended() - self.served - self.refused - self.hung_up
    }

    /// The time that so many percent of the phones did not exceed (nearest rank); zero where there is no phone.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.times.len() * percent.min(100)).div_ceil(100);
        self.times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// TLS connections a second.
    #[must_use]
    pub fn handshakes_a_second(&self) -> f64 {
        let count = u32::try_from(self.handshakes).unwrap_or(u32::MAX);
        if self.took.is_zero() { 0.0 } else { f64::from(count) / self.took.as_secs_f64() }
    }

    /// Whether it went as it has to: every phone served, or every attacker refused. A server may hang up on attackers of
    /// whom it has had enough, and then it has refused some before; one that is broken only hangs up.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        match self.scenario {
            Scenario::PowerCut | Scenario::Steady => self.served == self.phones,
            Scenario::Scan => self.refused > 0 && self.refused + self.hung_up == self.phones,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ended(ending: Ending, millis: u64) -> Ended {
        let (guise, mac) = (Guise::Forger, MacAddress::new([2, 0, 0, 0, 0, 7]));
        Ended { guise, mac, ending, time: Duration::from_millis(millis), octets: 10, handshakes: 1, retries: 0 }
    }

    fn tally(scenario: Scenario, endings: Vec<Ended>) -> Tally {
        let mut tally = Tally::new(scenario, endings.len());
        for ended in endings {
            tally.add(ended);
        }
        tally.close(Duration::from_secs(2));
        tally
    }

    proptest! {
        #[test]
        fn a_percentile_is_a_time_that_so_many_did_not_exceed(
            mut millis in proptest::collection::vec(0..1000_u64, 1..200),
            percent in 1..=100_usize,
        ) {
            let all = millis.iter().map(|millis| ended(Ending::Served, *millis)).collect();
            let found = tally(Scenario::PowerCut, all).percentile(percent);
            millis.sort_unstable();
            let within = millis.iter().filter(|millis| Duration::from_millis(**millis) <= found).count();
            prop_assert!(within * 100 >= percent * millis.len());
            let below = millis.iter().filter(|millis| Duration::from_millis(**millis) < found).count();
            prop_assert!(below * 100 < percent * millis.len());
        }
    }

    #[test]
    fn failures_are_counted_by_class_and_kind() {
        let failed = |failure| ended(Ending::Failed(Some(failure)), 1);
        let endings = vec![failed(Failure::NotFound), failed(Failure::Status(503)), failed(Failure::Status(500))];
        let tally = tally(Scenario::PowerCut, endings);
        let counts: Vec<_> = tally.failed.iter().map(|((class, kind), failed)| (*class, *kind, failed.count)).collect();
        assert_eq!(counts, [(Class::B, "not-found", 1), (Class::C, "status", 2)]);
        assert_eq!(tally.failed[&(Class::C, "status")].such_as, "the server answered 503");
        assert_eq!((tally.failures(), tally.octets, tally.handshakes), (3, 30, 3));
        assert!((tally.handshakes_a_second() - 1.5).abs() < f64::EPSILON);
    }

    #[test]
    fn a_scan_is_as_expected_when_all_are_refused_and_none_is_served() {
        let refused = || ended(Ending::Refused, 1);
        assert!(tally(Scenario::Scan, vec![refused(), refused()]).is_as_expected());
        let breached = tally(Scenario::Scan, vec![refused(), ended(Ending::Served, 1)]);
        assert!(!breached.is_as_expected());
        let breach = breached.breach.expect("a breach");
        assert_eq!(breach, "asked as 020000000007 with a certificate that the authority did not sign");
        assert!(!tally(Scenario::Scan, vec![refused(), ended(Ending::Failed(None), 1)]).is_as_expected());
        let hung_up = || ended(Ending::HungUp, 1);
        assert!(tally(Scenario::Scan, vec![refused(), hung_up(), hung_up()]).is_as_expected());
        assert!(!tally(Scenario::Scan, vec![hung_up(), hung_up()]).is_as_expected());
    }

    #[test]
    fn a_power_cut_is_as_expected_when_every_phone_is_served() {
        assert!(tally(Scenario::PowerCut, vec![ended(Ending::Served, 1)]).is_as_expected());
        assert!(!tally(Scenario::PowerCut, vec![ended(Ending::Failed(None), 1)]).is_as_expected());
    }
}
