//! A phone that goes on: by `Resync_Periodic`, `Resync_At__HHmm_`, random delays and the back-off after errors.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::event::{Event, Events};
use super::report_timer::ReportTimer;
use super::schedule::{Chance, after_power_up};
use super::wire::Wire;
use super::{Cause, Moment, Outcome, Phone};

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

    /// How long it has run, by itself.
    #[must_use]
    pub fn passed(&self) -> Duration {
        self.started.elapsed().saturating_mul(self.speed)
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.passed()).unwrap_or(SignedDuration::MAX);
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

/// The pause between two looks at the triggers of a phone that has some.
const LOOK: Duration = Duration::from_mins(1);

/// Lets a phone power up and go on until it has no reason to, or `pace` says so. `keep` is called after each resync and
/// each report with the phone and the outcome of the resync. What came of the last one is returned.
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
    let mut reports = ReportTimer::new(clock.passed());
    phone.state.successes = 0;
    loop {
        let outcome = phone.resync(Moment { wire, cause, now: clock.now() }, events).await;
        keep(phone, &outcome);
        done += 1;
        if pace.resyncs.is_some_and(|most| done >= most) {
            return outcome;
        }
        let due = phone.next(&outcome, clock.second(), Chance::random());
        if let Some(due) = &due {
            events.tell(Event::Waiting { seconds: due.delay.as_secs(), why: due.why });
        } else if reports.due(phone).is_none() && !phone.has_triggers() {
            events.tell(Event::Ended("no further resync: its timer is off"));
            return outcome;
        }
        let resync = due.map(|due| (clock.passed() + due.delay, due.cause));
        cause = loop {
            match wait(phone, wire, clock, resync, reports.due(phone)).await {
                Wake::Resync(cause) => break cause,
                Wake::Trigger(name) => {
                    events.tell(Event::Noted(&format!("{name} is true and sets a resync off")));
                    break Cause::Periodic;
                }
                Wake::Report => {
                    let moment = Moment { wire, cause: Cause::Periodic, now: clock.now() };
                    // It is not tried again, and has been told.
                    let _ = phone.report(moment, events).await;
                    reports.sent(clock.passed());
                    keep(phone, &outcome);
                }
            }
        };
    }
}

/// What ends a wait.
enum Wake {
    Resync(Cause),
    Trigger(&'static str),
    Report,
}

/// Waits for the next resync or the next report, each by the time that the clock has run; a trigger may bring the resync
/// forward.
async fn wait(
    phone: &Phone,
    wire: &Wire,
    clock: &Clock,
    resync: Option<(Duration, Cause)>,
    report: Option<Duration>,
) -> Wake {
    loop {
        let now = clock.passed();
        match (resync, report) {
            (Some((due, cause)), _) if due <= now => return Wake::Resync(cause),
            (_, Some(due)) if due <= now => return Wake::Report,
            _ => {}
        }
        let look = phone.has_triggers().then(|| now + LOOK);
        let next = [resync.map(|(due, _)| due), report, look].into_iter().flatten().min();
        clock.sleep(next.map_or(LOOK, |next| next.saturating_sub(now))).await;
        if look.is_some()
            && next == look
            && let Some(name) = phone.triggered(Moment { wire, cause: Cause::Periodic, now: clock.now() })
        {
            return Wake::Trigger(name);
        }
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
