//! Lengths of time and of data, as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time: `"500ms"`, `"10s"`, `"5m"`, `"1h"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Period(Duration);

/// A number of bytes: `"512"`, `"16 KiB"`, `"64 MiB"`, `"1 GiB"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bytes(u64);

/// The text is no length of time or of data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not a length of time.
    #[error("`{0}` is not a length of time: expected a number with ms, s, m, h or d, such as \"10s\"")]
    Period(String),
    /// Not a length of data.
    #[error("`{0}` is not a size: expected a number alone or with KiB, MiB or GiB, such as \"64 MiB\"")]
    Bytes(String),
}

impl Period {
    /// `seconds` as a length of time.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// As the runtime counts it.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl Bytes {
    /// `mebibytes` as a number of bytes.
    #[must_use]
    pub const fn mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes * 1024 * 1024)
    }

    /// `kibibytes` as a number of bytes.
    #[must_use]
    pub const fn kibibytes(kibibytes: u64) -> Self {
        Self(kibibytes * 1024)
    }

    /// The number.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.0
    }
}

impl FromStr for Period {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let millisecond = |unit: &str| match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        let milliseconds = number_with_unit(text, millisecond).ok_or_else(|| UnitError::Period(text.into()))?;
        Ok(Self(Duration::from_millis(milliseconds)))
    }
}

impl FromStr for Bytes {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let byte = |unit: &str| match unit {
            "" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            _ => None,
        };
        number_with_unit(text, byte).map(Self).ok_or_else(|| UnitError::Bytes(text.into()))
    }
}

fn number_with_unit(text: &str, factor: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse::<u64>().ok()?.checked_mul(factor(text[end..].trim())?)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 if self.0.is_zero() => f.write_str("0s"),
            seconds if self.0.subsec_nanos() > 0 || seconds % 3600 > 0 || seconds == 0 => write!(f, "{:?}", self.0),
            seconds if seconds % 86_400 == 0 => write!(f, "{}d", seconds / 86_400),
            seconds => write!(f, "{}h", seconds / 3600),
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
        match units.into_iter().find(|(_, bits)| self.0 > 0 && self.0.trailing_zeros() >= *bits) {
            Some((unit, bits)) => write!(f, "{} {unit}", self.0 >> bits),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_they_are_written() {
        assert_eq!("500ms".parse::<Period>().map(Period::duration), Ok(Duration::from_millis(500)));
        assert_eq!("5m".parse::<Period>().map(Period::duration), Ok(Duration::from_mins(5)));
        assert_eq!("7d".parse::<Period>().map(Period::duration), Ok(Duration::from_hours(168)));
        assert_eq!("64 MiB".parse::<Bytes>(), Ok(Bytes::mebibytes(64)));
        assert_eq!("512".parse::<Bytes>().map(Bytes::count), Ok(512));
    }

    #[test]
    fn long_times_are_shown_in_days_or_hours() {
        for (text, shown) in [
            ("500ms", "500ms"),
            ("90s", "90s"),
            ("5m", "300s"),
            ("0s", "0s"),
            ("90m", "5400s"),
            ("36h", "36h"),
            ("48h", "2d"),
        ] {
            assert_eq!(text.parse::<Period>().map(|period| period.to_string()).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_fits() {
        for (bytes, shown) in
            [(0, "0 bytes"), (1025, "1025 bytes"), (8192, "8 KiB"), (3 << 20, "3 MiB"), (2048 << 20, "2 GiB")]
        {
            assert_eq!(Bytes(bytes).to_string(), shown);
        }
    }

    #[test]
    fn anything_else_says_what_would_be_right() {
        for text in ["", "10", "10 days", "s", "-1s", "99999999999999999999s"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
        for text in ["", "64MB", "MiB", "1.5 MiB", "99999999999 GiB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }
}
