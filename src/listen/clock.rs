//! How long a connection may take for what it is doing: waiting, sending its headers, receiving its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, Sleep};

use crate::config::{Limits, Period};

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Between two requests, or before the first.
    Idle,
    /// In the headers of a request.
    Header,
    /// Its answer is made or sent.
    Request,
    /// Its answer is made, and on its way out of our buffers.
    Answered,
    /// Its body comes in; who reads it has limits of its own.
    Body,
}

/// A connection's stage and since when, shared by what reads, what answers and what watches. One number, so that a
/// request costs no timer of its own: the watch sleeps until the earliest moment that could be too late.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    told: Arc<Told>,
    start: Instant,
    /// `start` as [`now`] has it.
    began: u64,
    limits: [Duration; 5],
}

#[derive(Debug)]
struct Told {
    /// Milliseconds since the clock's `start`, times eight, plus the stage.
    state: AtomicU64,
    late: AtomicBool,
}

impl Clock {
    /// A connection that has just come in.
    #[must_use]
    pub(super) fn new(limits: &Limits) -> Self {
        // Whoever reads a body gives up long before.
        let body = limits.upload.duration() + limits.request.duration() * 2;
        let [idle, header, request] = [limits.idle, limits.header, limits.request].map(Period::duration);
        Self {
            told: Arc::new(Told { state: AtomicU64::new(Stage::Idle as u64), late: AtomicBool::new(false) }),
            start: Instant::now(),
            began: now(),
            limits: [idle, header, request, request, body],
        }
    }

    /// Enters a stage, or notes progress in it.
    pub(super) fn enter(&self, stage: Stage) {
        let since = now().saturating_sub(self.began);
        self.told.state.store(since << 3 | stage as u64, Ordering::Relaxed);
    }

    /// The first bytes of a request are there.
    pub(super) fn received(&self) {
        if self.stage() == Stage::Idle {
            self.enter(Stage::Header);
        }
    }

    /// The client has taken some bytes: a slow one is served while it makes progress.
    pub(super) fn sent(&self) {
        let stage = self.stage();
        if matches!(stage, Stage::Request | Stage::Answered) {
            self.enter(stage);
        }
    }

    /// Everything is out of our buffers.
    pub(super) fn flushed(&self) {
        if self.stage() == Stage::Answered {
            self.enter(Stage::Idle);
        }
    }

    /// Whether the server ends the connection because it has been too slow.
    pub(super) fn is_late(&self) -> bool {
        self.told.late.load(Ordering::Relaxed)
    }

    fn stage(&self) -> Stage {
        match self.told.state.load(Ordering::Relaxed) & 7 {
            0 => Stage::Idle,
            1 => Stage::Header,
            2 => Stage::Request,
            3 => Stage::Answered,
            _ => Stage::Body,
        }
    }

    fn deadline(&self) -> Instant {
        let state = self.told.state.load(Ordering::Relaxed);
        self.start + Duration::from_millis(state >> 3) + self.limits[self.stage() as usize]
    }

    /// Ends when the connection has been in one stage for too long.
    #[must_use]
    pub(super) fn watch(&self) -> Watch {
        Watch { clock: self.clone(), sleep: None }
    }
}

/// Milliseconds of a clock that only goes forward, as of the kernel's last tick (10 ms ago at the most): a request asks six
/// times, and limits are seconds.
fn now() -> u64 {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    let milliseconds = now.tv_sec.saturating_mul(1000).saturating_add(now.tv_nsec / 1_000_000);
    u64::try_from(milliseconds).unwrap_or_default()
}

/// The wait for a deadline that moves.
pub(super) struct Watch {
    clock: Clock,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Future for Watch {
    type Output = Stage;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Stage> {
        let watch = &mut *self;
        let clock = &watch.clock;
        let sleep = watch.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(clock.deadline())));
        loop {
            // A stage entered later may end earlier than the moment we sleep to: never by more than its own limit.
            let deadline = clock.deadline();
            if deadline < sleep.deadline() {
                sleep.as_mut().reset(deadline);
            }
            ready!(sleep.as_mut().poll(context));
            let deadline = clock.deadline();
            if deadline <= Instant::now() {
                clock.told.late.store(true, Ordering::Relaxed);
                return Poll::Ready(clock.stage());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}
