//! Many simulated phones at once: each with its own name and certificate, over one network.
//!
//! [`run`] lets each [`Member`] do what the [`Scenario`] says and adds up what came of it in a [`Tally`]. It makes no
//! certificates, prints nothing, and holds no more sockets at once than its [`Plan`] allows.

mod member;
mod meter;
mod scenario;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use member::{Guise, Member};
pub use scenario::Scenario;
pub use tally::{Ended, Ending, FailureCount, Tally};

use super::wire::Wire;

/// What the phones do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What happens to them.
    pub scenario: Scenario,
    /// `Profile_Rule` of each.
    pub profile_rule: String,
    /// The time over which [`Scenario::Steady`] spreads them.
    pub over: Duration,
    /// Phones at work at the same time; each has one socket, or two for a moment.
    pub at_once: usize,
    /// How often a phone that failed tries again, by its own back-off.
    pub retries: u32,
    /// How many times as fast that back-off runs, at least once.
    pub speed: u32,
}

/// What all phones of a run share.
struct Place {
    plan: Plan,
    wire: Wire,
    sockets: Semaphore,
}

/// Lets all phones do their part. `progress` is called whenever one is through.
pub async fn run(members: Vec<Member>, plan: Plan, wire: Wire, progress: &mut (dyn FnMut(&Tally) + Send)) -> Tally {
    let mut tally = Tally::new(plan.scenario, members.len());
    let sockets = Semaphore::new(plan.at_once.clamp(1, Semaphore::MAX_PERMITS));
    let place = Arc::new(Place { plan, wire, sockets });
    let (begun, count) = (Instant::now(), u32::try_from(members.len()).unwrap_or(u32::MAX));
    let mut phones = JoinSet::new();
    for (number, member) in (0..count).zip(members) {
        phones.spawn(member.live(Arc::clone(&place), begun + place.plan.wait(number, count)));
    }
    while let Some(ended) = phones.join_next().await {
        tally.add(ended.expect("a phone's task is never aborted, and does not panic"));
        progress(&tally);
    }
    tally.close(begun.elapsed());
    tally
}

impl Plan {
    /// How long one of `count` phones waits before it begins.
    fn wait(&self, number: u32, count: u32) -> Duration {
        match self.scenario {
            Scenario::PowerCut | Scenario::Scan => Duration::ZERO,
            Scenario::Steady => self.over / count.max(1) * number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_phones_are_spread_evenly_and_others_begin_at_once() {
        let plan = |scenario| Plan {
            scenario,
            profile_rule: String::new(),
            over: Duration::from_secs(10),
            at_once: 1,
            retries: 0,
            speed: 1,
        };
        let waits = |scenario| [0, 1, 4].map(|number| plan(scenario).wait(number, 5).as_secs());
        assert_eq!(waits(Scenario::Steady), [0, 2, 8]);
        assert_eq!(waits(Scenario::PowerCut), [0; 3]);
        assert_eq!(waits(Scenario::Scan), [0; 3]);
    }
}
