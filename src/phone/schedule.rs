//! When the next resync is due: functions of parameters, of what came before, and of a [`Chance`]. No clock in here.

use std::time::Duration;

use super::Cause;

/// The longest wait that is computed: a year.
const LONGEST: u64 = 366 * 86_400;

/// A parameter such as `Resync_Periodic` or `Resync_Error_Retry_Delay`: `3600`, `600,1200,300` or `2400+30`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    seconds: u64,
    random: u64,
}

/// Chance, as a number of which every value is as likely as another; a test passes the one that it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance(pub u64);

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// After so long.
    pub delay: Duration,
    /// What sets it off.
    pub cause: Cause,
    /// The parameter that says so, as in "of `Resync_Periodic`".
    pub why: &'static str,
}

impl Chance {
    /// A number that nobody can foretell; without random numbers the least.
    #[must_use]
    pub fn random() -> Self {
        let mut octets = [0; 8];
        let _ = openssl::rand::rand_bytes(&mut octets);
        Self(u64::from_le_bytes(octets))
    }

    /// A number from 0 to `most`.
    #[must_use]
    pub fn up_to(self, most: u64) -> u64 {
        match most.checked_add(1) {
            Some(choices) => self.0 % choices,
            None => self.0,
        }
    }
}

impl Delays {
    /// Reads the parameter. What is not a number, and an empty text, is no delay: such a timer is off.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let steps: Option<Vec<Step>> = text.split(',').take(256).map(|step| Step::parse(step.trim())).collect();
        Self { steps: steps.unwrap_or_default() }
    }

    /// The delay before attempt `count`, from 0; the last one given goes on for ever. `None` is off.
    #[must_use]
    pub fn at(&self, count: usize, chance: Chance) -> Option<Duration> {
        let step = self.steps.get(count).or(self.steps.last())?;
        if step.seconds == 0 {
            return None;
        }
        Some(Duration::from_secs((step.seconds + chance.up_to(step.random)).min(LONGEST)))
    }
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        let (seconds, random) = text.split_once('+').unwrap_or((text, "0"));
        let number = |text: &str| text.trim().parse::<u64>().ok().map(|seconds| seconds.min(LONGEST));
        Some(Self { seconds: number(seconds)?, random: number(random)? })
    }
}

/// `Resync_Random_Delay` after power-up: units of 20 seconds, of which chance takes a part (MPP guide, "Provisioning
/// Methods"; another table of the same guide says seconds).
#[must_use]
pub fn after_power_up(parameter: &str, chance: Chance) -> Duration {
    let units = parameter.trim().parse::<u16>().unwrap_or(0);
    Duration::from_millis(chance.up_to(u64::from(units) * 20_000))
}

/// The wait until `Resync_At__HHmm_`, with `Resync_At_Random_Delay` on top; `None` where the time is none. `now` is the
/// second of the day.
///
/// The random part is up to `(delay + 30) / 60` minutes, a delay below 600 counting as 600 (MPP guide, "Provisioning
/// Methods").
#[must_use]
pub fn at_time(parameter: &str, random_delay: &str, now: u32, chance: Chance) -> Option<Duration> {
    const DAY: u64 = 86_400;
    let parameter = parameter.trim();
    if parameter.len() != 4 || !parameter.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (u64, u64) = (parameter[..2].parse().ok()?, parameter[2..].parse().ok()?);
    if minutes > 59 || hours * 60 + minutes > 24 * 60 {
        return None;
    }
    let due = (hours * 3600 + minutes * 60) % DAY;
    let now = u64::from(now) % DAY;
    let wait = if due > now { due - now } else { due + DAY - now };
    let random = random_delay.trim().parse::<u16>().unwrap_or(600).max(600);
    let window = (u64::from(random) + 30) / 60 * 60;
    Some(Duration::from_secs(wait + chance.up_to(window)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: Chance = Chance(0);

    fn seconds(text: &str, count: usize, chance: u64) -> Option<u64> {
        Delays::parse(text).at(count, Chance(chance)).map(|delay| delay.as_secs())
    }

    proptest! {
        #[test]
        fn no_parameter_panics(text in "[0-9,+ a]{0,40}", count: usize, chance: u64, now: u32) {
            let _ = Delays::parse(&text).at(count, Chance(chance));
            let _ = after_power_up(&text, Chance(chance));
            let _ = at_time(&text, &text, now, Chance(chance));
        }

        #[test]
        fn the_next_time_of_day_lies_within_a_day_and_the_window(hours in 0..24_u32, minutes in 0..60_u32, now in 0..86_400_u32, chance: u64) {
            let parameter = format!("{hours:02}{minutes:02}");
            let wait = at_time(&parameter, "600", now, Chance(chance)).expect("a time").as_secs();
            prop_assert!((1..=86_400 + 600).contains(&wait));
        }
    }

    #[test]
    fn the_examples_of_seed_002_hold() {
        assert_eq!(seconds("3000", 5, 7), Some(3000));
        assert_eq!([0, 1, 2, 3].map(|count| seconds("600,1200,300", count, 7)), [600, 1200, 300, 300].map(Some));
        assert_eq!(seconds("2400+30", 0, 0), Some(2400));
        assert_eq!(seconds("2400+30", 0, 30), Some(2430));
        assert_eq!(seconds("2400+30", 0, 31), Some(2400));
    }

    #[test]
    fn zero_blank_and_nonsense_are_off() {
        for text in ["0", "", "often", "600,often", "-1"] {
            assert_eq!(seconds(text, 0, 0), None, "{text}");
        }
        assert_eq!(seconds("99999999999999999999", 0, 0), None);
    }

    #[test]
    fn power_up_waits_up_to_twenty_seconds_a_unit() {
        assert_eq!(after_power_up("2", Chance(40_000)), Duration::from_secs(40));
        assert_eq!(after_power_up("2", Chance(40_001)), Duration::ZERO);
        assert_eq!(after_power_up("0", Chance(12_345)), Duration::ZERO);
    }

    #[test]
    fn a_time_of_day_has_a_window_of_ten_minutes_at_least() {
        let minutes = |parameter, random, now, chance| {
            at_time(parameter, random, now, Chance(chance)).map(|wait| wait.as_secs() / 60)
        };
        assert_eq!(minutes("0959", "600", 0, 0), Some(9 * 60 + 59));
        assert_eq!(minutes("0959", "60", 0, 600), Some(9 * 60 + 59 + 10));
        assert_eq!(minutes("0000", "", 3600, 0), Some(23 * 60));
        assert_eq!(minutes("2400", "", 3600, 0), Some(23 * 60));
        for wrong in ["", "959", "2401", "1260", "abcd", "09:59"] {
            assert_eq!(at_time(wrong, "600", 0, NONE), None, "{wrong}");
        }
    }
}
