//! How fast phones are told.

use std::str::FromStr;
use std::time::Duration;

/// So many in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace(Duration);

impl Pace {
    /// Between two phones.
    pub(super) fn pause(self) -> Duration {
        self.0
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("`{text}` is no pace: expected a number a second, minute or hour, such as 10/s or 30/m");
        let (count, unit) = text.split_once('/').ok_or_else(fault)?;
        let time = match unit {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            _ => return Err(fault()),
        };
        let count: u32 = count.parse().ok().filter(|count| (1..=10_000).contains(count)).ok_or_else(fault)?;
        Ok(Self(time / count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_number_in_a_time() {
        assert_eq!("10/s".parse().map(Pace::pause), Ok(Duration::from_millis(100)));
        assert_eq!("30/m".parse().map(Pace::pause), Ok(Duration::from_secs(2)));
        for text in ["", "10", "0/s", "1/d", "-1/s", "100000/s"] {
            assert!(text.parse::<Pace>().expect_err("refused").starts_with(&format!("`{text}` is no pace")));
        }
    }
}
