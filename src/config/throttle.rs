//! `[throttle]`: when those who guess are slowed, and when an operator hears of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;

use super::Period;

/// Budgets of refused requests and wrong passwords. What is served pays nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// What the budgets are for.
    pub window: Period,
    /// Refused requests of one address; of one /64 for IPv6.
    pub address: u32,
    /// Refused requests for devices of one MAC prefix, from all addresses.
    pub prefix: u32,
    /// Wrong passwords from one address, and for one account.
    pub passwords: u32,
    /// Devices that one address asks for in vain before an alarm.
    pub alarm: u32,
    /// How long an answer past a budget waits.
    pub delay: Period,
    /// Answers that wait at once; one address has a sixty-fourth of them.
    pub waiting: u32,
}

/// The longest wait: an answer that takes longer is lost to a phone's own time limit.
const LONGEST: Duration = Duration::from_secs(30);

/// What a window may be. Budgets are counted in nanoseconds, of which there are some centuries; nobody waits for a year.
const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(366 * 24);

/// The most devices of an address that are remembered.
const MOST: u32 = 4096;

impl Default for Throttle {
    fn default() -> Self {
        Self {
            window: Period::seconds(600),
            address: 600,
            prefix: 6000,
            passwords: 20,
            alarm: 40,
            delay: Period::seconds(2),
            waiting: 1024,
        }
    }
}

impl Throttle {
    /// Holds the numbers against what they are for.
    pub(super) fn check(self) -> Result<Self, String> {
        let counts = [("address", self.address), ("prefix", self.prefix), ("passwords", self.passwords)];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(format!("throttle.{key} is 0: a large number turns the budget off, 1 is the least"));
        }
        if self.alarm == 0 || self.alarm > MOST {
            return Err(format!("throttle.alarm is {}: expected 1 to {MOST}", self.alarm));
        }
        if self.delay.duration() > LONGEST {
            return Err(format!("throttle.delay is {}: expected {LONGEST:?} at the most", self.delay));
        }
        if !WINDOW.contains(&self.window.duration()) {
            return Err(format!("throttle.window is {}: expected \"1s\" to \"366d\"", self.window));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_one_that_budgets_can_be_counted_in() {
        let checked = |window: &str| {
            let window = window.parse().expect("a time");
            Throttle { window, ..Throttle::default() }.check().map(drop)
        };
        for good in ["1s", "10m", "366d"] {
            assert_eq!(checked(good), Ok(()));
        }
        for bad in ["0s", "999ms", "367d", "99999999999d"] {
            let told = checked(bad).expect_err(bad);
            assert!(told.ends_with("expected \"1s\" to \"366d\""), "{told}");
        }
    }
}
