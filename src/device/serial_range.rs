//! A run of serial numbers, as a maker names a production run.

use std::fmt;
use std::str::FromStr;

use super::{SerialError, SerialNumber};

/// The serial numbers from one to another, both included, all of the same length: `FM500F100000-FM500F699999`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SerialRange {
    first: SerialNumber,
    last: SerialNumber,
}

/// The text is not a range of serial numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SerialRangeError {
    /// No `-` between two.
    #[error("`{0}` is not a range of serial numbers: expected two with `-` between them, or one alone")]
    Form(String),
    /// One of the two is none.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// They are of two series.
    #[error("`{0}` is not a range of serial numbers: expected the lower one first, and both of the same length")]
    Order(String),
}

impl SerialRange {
    /// Whether the serial number is of this run.
    #[must_use]
    pub fn contains(&self, serial: &SerialNumber) -> bool {
        serial.as_str().len() == self.first.as_str().len() && (&self.first..=&self.last).contains(&serial)
    }
}

impl FromStr for SerialRange {
    type Err = SerialRangeError;

    fn from_str(text: &str) -> Result<Self, SerialRangeError> {
        let mut ends = text.split('-').map(str::trim);
        let (first, last) = match (ends.next(), ends.next(), ends.next()) {
            (Some(only), None, None) => (only, only),
            (Some(first), Some(last), None) => (first, last),
            _ => return Err(SerialRangeError::Form(text.into())),
        };
        let (first, last): (SerialNumber, SerialNumber) = (first.parse()?, last.parse()?);
        match first <= last && first.as_str().len() == last.as_str().len() {
            true => Ok(Self { first, last }),
            false => Err(SerialRangeError::Order(text.into())),
        }
    }
}

impl fmt::Display for SerialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(text: &str) -> SerialRange {
        text.parse().expect("a range")
    }

    #[test]
    fn both_ends_are_in_it_and_another_series_is_not() {
        let run = range("FM500F100000-FM500F699999");
        for inside in ["FM500F100000", "fm500f123456", "FM500F699999"] {
            assert!(run.contains(&inside.parse().expect("a serial number")), "{inside}");
        }
        for outside in ["FM500F099999", "FM500F700000", "FM500E123456", "FM500F12345", "FM500F1234567", "88012BA01234"]
        {
            assert!(!run.contains(&outside.parse().expect("a serial number")), "{outside}");
        }
        assert!(range("FCH2133E8B9").contains(&"FCH2133E8B9".parse().expect("a serial number")));
    }

    #[test]
    fn what_is_no_range_says_what_would_be_right() {
        for text in
            ["", "FM500F100000-", "FM500F100000-FM500F699999-X", "FM500F699999-FM500F100000", "FM500F1-FM500F99"]
        {
            assert!(text.parse::<SerialRange>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_range_parses_back(first in "[A-Z]{3}[0-9]{6}", last in "[A-Z]{3}[0-9]{6}") {
            let (first, last) = if first <= last { (first, last) } else { (last, first) };
            let run = range(&format!("{first}-{last}"));
            prop_assert_eq!(range(&run.to_string()), run.clone());
            prop_assert!(run.contains(&first.parse().expect("a serial number")));
        }
    }
}
