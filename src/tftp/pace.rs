//! When a transfer sends again and when it gives up: retries, the time limit, and the end of the server.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Settings, TransferResult};

/// The longest time between two looks at the clock and the stop token.
const TICK: Duration = Duration::from_secs(1);

/// How long a transfer may go on after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// The most that the pause before a retransmission grows, in doublings.
const DOUBLINGS: u32 = 3;

/// When to send again and when to give up.
#[derive(Debug)]
pub(super) struct Pace {
    timeout: Duration,
    doublings: u32,
    retries: u32,
    tried: u32,
    resend: Instant,
    over: Instant,
    stop: CancellationToken,
    stopped: Option<Instant>,
}

/// What a look at the clock says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is due.
    Wait,
    /// The window under way is due again.
    Resend,
    /// The transfer has ended.
    End(TransferResult),
}

impl Pace {
    /// A client that asks for a pace of its own (RFC 2349) gets just that; else the pauses double (RFC 1123 §4.2.3.2).
    #[must_use]
    pub(super) fn new(asked: Option<Duration>, settings: &Settings, stop: CancellationToken) -> Self {
        let now = Instant::now();
        let timeout = asked.unwrap_or(settings.timeout);
        Self {
            timeout,
            doublings: if asked.is_some() { 0 } else { DOUBLINGS },
            retries: settings.retries,
            tried: 0,
            resend: now + timeout,
            over: now + settings.time_limit,
            stop,
            stopped: None,
        }
    }

    /// The client has made progress: the pause begins anew. The timer is not touched, it finds out when it fires.
    pub(super) fn advanced(&mut self) {
        self.tried = 0;
        self.resend = Instant::now() + self.timeout;
    }

    /// When to look at the clock next.
    #[must_use]
    pub(super) fn next_look(&self) -> Instant {
        self.resend.min(self.over).min(Instant::now() + TICK)
    }

    /// Looks at the clock, and counts the retransmission that it calls for.
    pub(super) fn look(&mut self) -> Verdict {
        let now = Instant::now();
        if self.stop.is_cancelled() && now >= *self.stopped.get_or_insert(now) + DRAIN {
            return Verdict::End(TransferResult::Stopped);
        }
        if now >= self.over {
            return Verdict::End(TransferResult::OverTime);
        }
        if now < self.resend {
            return Verdict::Wait;
        }
        if self.tried == self.retries {
            return Verdict::End(TransferResult::Vanished);
        }
        self.tried += 1;
        self.resend = now + self.timeout * (1 << self.tried.min(self.doublings));
        Verdict::Resend
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep_until;

    use super::*;

    fn pace(asked: Option<u64>, stop: &CancellationToken) -> Pace {
        let settings = Settings { retries: 5, ..Settings::default() };
        Pace::new(asked.map(Duration::from_secs), &settings, stop.clone())
    }

    /// The seconds from each sending to the next, until the pace gives up.
    async fn pauses(mut pace: Pace) -> (Vec<u64>, TransferResult) {
        let (mut pauses, mut sent) = (Vec::new(), Instant::now());
        loop {
            sleep_until(pace.next_look()).await;
            match pace.look() {
                Verdict::Wait => continue,
                Verdict::Resend => pauses.push(sent.elapsed().as_secs()),
                Verdict::End(result) => return (pauses, result),
            }
            sent = Instant::now();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_a_limit_and_then_the_client_has_vanished() {
        let pace = pace(None, &CancellationToken::new());
        assert_eq!(pauses(pace).await, (vec![1, 2, 4, 8, 8], TransferResult::Vanished));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_that_the_client_asked_for_is_kept() {
        let pace = pace(Some(6), &CancellationToken::new());
        assert_eq!(pauses(pace).await, (vec![6, 6, 6, 6, 6], TransferResult::Vanished));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_runs_into_the_time_limit() {
        let pace = pace(Some(255), &CancellationToken::new());
        assert_eq!(pauses(pace).await, (vec![255], TransferResult::OverTime));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopping_server_lets_a_transfer_go_on_for_a_few_seconds() {
        let stop = CancellationToken::new();
        stop.cancel();
        let (begun, pace) = (Instant::now(), pace(Some(30), &stop));
        assert_eq!(pauses(pace).await, (vec![], TransferResult::Stopped));
        assert_eq!(begun.elapsed().as_secs(), 6);
    }
}
