//! A phone that goes on: by `Resync_Periodic`, `Resync_At__HHmm_`, random delays and the back-off after errors.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::event::{Event, Events};
use super::schedule::{Chance, Delays, after_power_up};
use super::wire::Wire;
use super::{Cause, Moment, Outcome, Phone, Profiles};

/// The phone's clock: it may run faster than the world's. Waits for servers are not shortened.
#[derive(Debug, Clone)]
pub struct Clock {
    began: Timestamp,
    started: tokio::time::Instant,
    speed: u32,
    zone: TimeZone,
}

/// How a phone goes on.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Its clock.
    pub clock: Clock,
    /// After how many resyncs it stops; `None` is never.
    pub resyncs: Option<u32>,
}

impl Clock {
    /// A clock that shows `began` now and runs `speed` times as fast as the world's, at least once.
    #[must_use]
    pub fn new(began: Timestamp, speed: u32, zone: TimeZone) -> Self {
        Self { began, started: tokio::time::Instant::now(), speed: speed.max(1), zone }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let passed = self.started.elapsed().saturating_mul(self.speed);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.began.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The second of the day where the phone is.
    #[must_use]
    pub fn second(&self) -> u32 {
        let time = self.now().to_zoned(self.zone.clone()).time();
        let part = |number: i8| u32::try_from(number).unwrap_or(0);
        part(time.hour()) * 3600 + part(time.minute()) * 60 + part(time.second())
    }

    /// Waits so long by this clock.
    pub async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time / self.speed).await;
    }
}

/// Lets a phone power up and go on until it has no reason to, or `pace` says so. `keep` is called after each resync with
/// the phone and its outcome. What came of the last one is returned.
pub async fn follow(
    phone: &mut Phone,
    wire: &Wire,
    pace: &Pace,
    events: &mut dyn Events,
    keep: &mut (dyn FnMut(&Phone, &Outcome) + Send),
) -> Outcome {
    let clock = &pace.clock;
    let first = after_power_up(phone.value("Resync_Random_Delay"), Chance::random());
    events.tell(Event::Waiting { seconds: first.as_secs(), why: "of Resync_Random_Delay" });
    clock.sleep(first).await;
    let (mut cause, mut done) = (Cause::PowerUp, 0);
    phone.state.successes = 0;
    loop {
        let outcome = phone.resync(Moment { wire, cause, now: clock.now() }, events).await;
        keep(phone, &outcome);
        done += 1;
        if pace.resyncs.is_some_and(|most| done >= most) {
            return outcome;
        }
        let Some((mut delay, next)) = phone.next(&outcome, clock.second(), Chance::random()) else {
            events.tell(Event::Ended("no further resync: its timer is off"));
            return outcome;
        };
        let mut why = told(phone, next);
        if let (Some(_), Profiles::Applied(_)) = (&outcome.upgrade, &outcome.profiles) {
            let again = Delays::parse(phone.value("Upgrade_Error_Retry_Delay")).at(0, Chance::random());
            if let Some(again) = again.filter(|again| *again < delay) {
                (delay, why) = (again, "of Upgrade_Error_Retry_Delay");
            }
        }
        events.tell(Event::Waiting { seconds: delay.as_secs(), why });
        cause = wait(phone, wire, clock, (delay, next)).await;
    }
}

/// Waits for the next resync; a trigger may bring it forward, and is looked at every minute.
async fn wait(phone: &Phone, wire: &Wire, clock: &Clock, (mut delay, cause): (Duration, Cause)) -> Cause {
    const LOOK: Duration = Duration::from_mins(1);
    while phone.has_triggers() && delay > LOOK {
        clock.sleep(LOOK).await;
        delay -= LOOK;
        if phone.is_triggered(Moment { wire, cause: Cause::Periodic, now: clock.now() }) {
            return Cause::Periodic;
        }
    }
    clock.sleep(delay).await;
    cause
}

fn told(phone: &Phone, cause: Cause) -> &'static str {
    match cause {
        Cause::Retry => "of Resync_Error_Retry_Delay; then the sequence begins again from Profile_Rule",
        Cause::Periodic if phone.value("Resync_At__HHmm_").trim().is_empty() => "of Resync_Periodic",
        Cause::Periodic => "until Resync_At__HHmm_",
        Cause::Explicit | Cause::PowerUp => "of nothing",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::phone::failure::Class;
    use crate::phone::state::State;
    use crate::phone::unit::Unit;
    use crate::phone::wire::Trust;

    fn phone(number: u8, wire: &Wire) -> Phone {
        let mac = crate::device::MacAddress::new([0, 0x0e, 8, 0, 0, number]);
        let unit = Unit::new("CP-8841-3PCC".parse().expect("a product name"), mac);
        Phone::new(unit, State::default(), wire).expect("a fresh state")
    }

    fn nowhere() -> Wire {
        Wire::new(Trust::of_pem(b"").expect("nobody"))
    }

    #[tokio::test]
    async fn many_phones_share_a_wire_and_a_process() {
        let wire = Arc::new(nowhere());
        let phones: Vec<_> = (0..100)
            .map(|number| {
                let (wire, mut phone) = (wire.clone(), phone(number, &wire));
                tokio::spawn(async move {
                    let moment = Moment { wire: &wire, cause: Cause::PowerUp, now: Timestamp::UNIX_EPOCH };
                    phone.resync(moment, &mut ()).await.class()
                })
            })
            .collect();
        for phone in phones {
            assert_eq!(phone.await.expect("a phone that ends"), Some(Class::C));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_waited_out_by_the_phones_clock() {
        let (wire, began) = (nowhere(), tokio::time::Instant::now());
        let clock = Clock::new(Timestamp::UNIX_EPOCH, 60, TimeZone::UTC);
        let pace = Pace { clock: clock.clone(), resyncs: Some(4) };
        let mut phone = phone(1, &wire);
        phone.set("Resync_Random_Delay", "0");
        let mut failures = Vec::new();
        follow(&mut phone, &wire, &pace, &mut (), &mut |phone, _| failures.push(phone.state.failures)).await;
        assert_eq!(failures, [1, 2, 3, 4]);
        // 60, 120 and 240 seconds of the phone's are seven of ours.
        assert_eq!(began.elapsed().as_secs(), 7);
        assert_eq!(clock.now().as_second(), 420);
        assert_eq!(clock.second(), 420);
    }
}
