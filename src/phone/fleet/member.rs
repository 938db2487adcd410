//! One phone of a fleet, from its turn to what came of it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::meter::Meter;
use super::scenario::Scenario;
use super::tally::{Ended, Ending};
use super::{Place, Plan};
use crate::phone::failure::Failure;
use crate::phone::schedule::Chance;
use crate::phone::state::State;
use crate::phone::unit::Unit;
use crate::phone::wire::Identity;
use crate::phone::{Moment, Outcome, Phone, Profiles};

/// A phone before it begins.
pub struct Member {
    /// What it says that it is; an attacker may say anything.
    pub unit: Unit,
    /// The certificate that it shows.
    pub identity: Option<Arc<Identity>>,
    /// What it is up to.
    pub guise: Guise,
}

/// What a phone of a fleet is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guise {
    /// Asks for its own profile, with its own certificate.
    Owner,
    /// Asks for another phone's profile, without a certificate.
    Stranger,
    /// Asks for another phone's profile, with its own certificate.
    Neighbour,
    /// Asks for the profile of a random address, with its own certificate.
    Prober,
    /// Asks for another phone's profile, with a certificate in that phone's name that the authority did not sign.
    Forger,
}

impl Guise {
    /// Those of [`Scenario::Scan`], in turn.
    #[must_use]
    pub fn of_attacker(number: u32) -> Self {
        [Self::Stranger, Self::Neighbour, Self::Prober, Self::Forger][usize::from(number.to_le_bytes()[0] & 3)]
    }
}

impl Member {
    pub(super) async fn live(self, place: Arc<Place>, due: Instant) -> Ended {
        let (plan, wire) = (&place.plan, &place.wire);
        tokio::time::sleep_until(due).await;
        let (guise, mac) = (self.guise, self.unit.mac);
        let phone = Phone::new(self.unit, State::default(), wire);
        let mut phone = phone.expect("a phone that remembers nothing has no authorities to read");
        phone.identity = self.identity;
        phone.set("Profile_Rule", &plan.profile_rule);
        let (mut meter, mut retries, mut cause, mut begun) = (Meter::default(), 0, plan.scenario.cause(), None);
        loop {
            let socket = place.sockets.acquire().await.expect("the semaphore is never closed");
            let begun = *begun.get_or_insert_with(Instant::now);
            let outcome = phone.resync(Moment { wire, cause, now: Timestamp::now() }, &mut meter).await;
            drop(socket);
            let ended = |ending| Ended {
                guise,
                mac,
                ending,
                time: begun.elapsed(),
                octets: meter.octets,
                handshakes: meter.handshakes,
                retries,
            };
            let ending = judged(plan, &outcome, &meter);
            if retries >= plan.retries || !matches!(ending, Ending::Failed(_)) {
                return ended(ending);
            }
            let Some(due) = phone.next(&outcome, 0, Chance::random()) else { return ended(ending) };
            tokio::time::sleep(due.delay / plan.speed.max(1)).await;
            (retries, cause) = (retries + 1, due.cause);
        }
    }
}

/// What an outcome is in this scenario. An attacker was served as soon as a file came, whatever the phone made of it.
fn judged(plan: &Plan, outcome: &Outcome, meter: &Meter) -> Ending {
    let is_scan = plan.scenario == Scenario::Scan;
    match outcome.failure() {
        _ if is_scan && meter.files > 0 => Ending::Served,
        Some(failure) if is_scan && failure.is_refusal() => Ending::Refused,
        Some(Failure::HungUp) if is_scan => Ending::HungUp,
        Some(failure) => Ending::Failed(Some(failure.clone())),
        None if matches!(outcome.profiles, Profiles::Applied(1..)) => Ending::Served,
        None => Ending::Failed(None),
    }
}

impl fmt::Display for Guise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "its own certificate",
            Self::Stranger => "no certificate",
            Self::Neighbour => "another phone's certificate",
            Self::Prober => "another phone's certificate, by guessing",
            Self::Forger => "a certificate that the authority did not sign",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::phone::Upgrade;

    fn judged_as(scenario: Scenario, profiles: Profiles, files: u64) -> Ending {
        let profile_rule = String::new();
        let plan = Plan { scenario, profile_rule, over: Duration::ZERO, at_once: 1, retries: 0, speed: 1 };
        judged(&plan, &Outcome { profiles, upgrade: Upgrade::NotDue }, &Meter { files, ..Meter::default() })
    }

    fn failed(failure: Failure) -> Profiles {
        Profiles::Failed { rule: "Profile_Rule", failure }
    }

    #[test]
    fn a_refusal_is_what_a_scan_wants_and_a_failure_elsewhere() {
        assert_eq!(judged_as(Scenario::Scan, failed(Failure::NotFound), 0), Ending::Refused);
        let not_found = Ending::Failed(Some(Failure::NotFound));
        assert_eq!(judged_as(Scenario::PowerCut, failed(Failure::NotFound), 0), not_found);
    }

    #[test]
    fn silence_is_no_refusal() {
        let slow = Failure::Slow { seconds: 1, stage: "to answer" };
        assert_eq!(judged_as(Scenario::Scan, failed(slow.clone()), 0), Ending::Failed(Some(slow)));
        assert_eq!(judged_as(Scenario::Scan, failed(Failure::HungUp), 0), Ending::HungUp);
    }

    #[test]
    fn an_attacker_with_a_file_was_served_even_if_it_cannot_read_it() {
        assert_eq!(judged_as(Scenario::Scan, failed(Failure::Corrupt(String::new())), 1), Ending::Served);
    }

    #[test]
    fn a_phone_that_fetched_nothing_was_not_served() {
        assert_eq!(judged_as(Scenario::Steady, Profiles::Applied(0), 0), Ending::Failed(None));
        assert_eq!(judged_as(Scenario::Steady, Profiles::Applied(1), 1), Ending::Served);
    }

    #[test]
    fn attackers_take_turns() {
        let turns = [0, 1, 2, 3, 4].map(Guise::of_attacker);
        assert_eq!(turns, [Guise::Stranger, Guise::Neighbour, Guise::Prober, Guise::Forger, Guise::Stranger]);
    }
}
