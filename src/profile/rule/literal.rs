//! What stands in a comparison without quotes: a number or a version.

use std::cmp::Ordering;
use std::fmt;

use super::version::{Family, Version};

/// An unquoted operand, once its macros are expanded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Literal {
    /// `600`, `-1`.
    Integer(i64),
    /// `2.0.6`, `sip88xx.11-3-2MPP0001-609`.
    Version(Version),
}

/// Why two operands cannot be compared. What a phone makes of it beyond "parse error" is not documented.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// The macro has no value, or an empty one.
    #[error("nothing stands where a number or a version is expected")]
    Nothing,
    /// Neither a number nor a version of any family.
    #[error(
        "`{0}` is neither a number nor a version: expected the like of 600, 2.0.6, sip88xx.11-3-2MPP0001-609 or \
         ATA19x.11-1-0MPP-23; a text stands in double quotes"
    )]
    Neither(String),
    /// A number beside a version.
    #[error("a number and a version cannot be compared")]
    NumberAndVersion,
    /// Versions of two families.
    #[error("a version of {0} and one of {1} are written in different formats and cannot be compared")]
    Formats(Family, Family),
}

impl Literal {
    /// Reads a number or a version.
    pub fn parse(text: &str) -> Result<Self, LiteralError> {
        if text.is_empty() {
            return Err(LiteralError::Nothing);
        }
        if let Ok(number) = text.parse() {
            return Ok(Self::Integer(number));
        }
        Version::parse(text).map(Self::Version).ok_or_else(|| LiteralError::Neither(text.to_owned()))
    }

    /// The order of two operands of one kind and format.
    pub fn compare(&self, other: &Self) -> Result<Ordering, LiteralError> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Ok(left.cmp(right)),
            (Self::Version(left), Self::Version(right)) => {
                left.compare(right).ok_or(LiteralError::Formats(left.family(), right.family()))
            }
            (Self::Integer(_), Self::Version(_)) | (Self::Version(_), Self::Integer(_)) => {
                Err(LiteralError::NumberAndVersion)
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Version(version) => version.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers() {
        let order = |left, right| Literal::parse(left)?.compare(&Literal::parse(right)?);
        assert_eq!(order("600", "1200"), Ok(Ordering::Less));
        assert_eq!(order("-1", "0"), Ok(Ordering::Less));
        assert_eq!(order("007", "7"), Ok(Ordering::Equal));
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        let order = |left, right| Literal::parse(left)?.compare(&Literal::parse(right)?);
        assert_eq!(order("600", "2.0.6"), Err(LiteralError::NumberAndVersion));
        assert_eq!(order("", "1"), Err(LiteralError::Nothing));
        for neither in ["Installed", "1.2", "11.0.0.0", "99999999999999999999", "sip88xx", "$STRANGE"] {
            assert_eq!(order(neither, "1"), Err(LiteralError::Neither(neither.into())), "{neither}");
        }
        let formats = order("sip88xx.11-0-1MPP-376", "2.0.6");
        assert_eq!(formats, Err(LiteralError::Formats(Family::Mpp, Family::Spa)));
    }
}
