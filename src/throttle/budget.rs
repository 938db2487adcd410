//! How much somebody may do before it gets slow.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// So many in a window, and as many again spread over the next; when it is spent, until when.
#[derive(Debug)]
pub(super) struct Budget {
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    until: Option<Instant>,
    told: Option<Instant>,
}

impl Budget {
    /// `burst` at once, and one more every `window / burst`.
    pub(super) fn new(burst: u32, window: Duration) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let period = (window / burst.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(period).expect("a time above zero").allow_burst(burst);
        let clock = DefaultClock::default();
        Self { limiter: RateLimiter::direct_with_clock(quota, clock.clone()), clock, spent: Mutex::default() }
    }

    /// Pays for one; true where there was nothing left to pay with.
    pub(super) fn pay(&self, now: Instant) -> bool {
        let Err(not_until) = self.limiter.check() else { return false };
        let wait = not_until.wait_time_from(self.clock.now());
        self.spent().until = now.checked_add(wait);
        true
    }

    /// Whether the last one could not be paid, and the next could not either.
    pub(super) fn is_spent(&self, now: Instant) -> bool {
        self.spent().until.is_some_and(|until| now < until)
    }

    /// Whether it is spent, and nobody has been told within the window. Who asks tells.
    pub(super) fn is_news(&self, window: Duration, now: Instant) -> bool {
        let mut spent = self.spent();
        let is_spent = spent.until.is_some_and(|until| now < until);
        let is_news = is_spent && spent.told.is_none_or(|told| told + window <= now);
        if is_news {
            spent.told = Some(now);
        }
        is_news
    }

    fn spent(&self) -> std::sync::MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_lasts_for_its_burst_and_comes_back_with_time() {
        let budget = Budget::new(2, Duration::from_millis(100));
        let now = Instant::now();
        assert_eq!([budget.pay(now), budget.pay(now), budget.pay(now)], [false, false, true]);
        assert!(budget.is_spent(now) && budget.is_news(Duration::from_mins(1), now));
        assert!(!budget.is_news(Duration::from_mins(1), now), "told already");
        assert!(!budget.is_spent(now + Duration::from_millis(51)));
        std::thread::sleep(Duration::from_millis(60));
        assert!(!budget.pay(Instant::now()));
    }
}
