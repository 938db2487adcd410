//! The name of a group of devices.

use std::fmt;
use std::str::FromStr;

/// A group's name: 1 to 64 letters, digits, `-`, `.` and `_`, beginning with a letter or digit. Case is kept, and counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupName(String);

/// The text is not a group's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a group's name: expected up to 64 letters, digits, `-`, `.` and `_`, such as warehouse-2")]
pub struct GroupError(String);

impl GroupName {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = GroupError;

    fn from_str(text: &str) -> Result<Self, GroupError> {
        let written = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(written) && !text.starts_with(['-', '.', '_']);
        if fits { Ok(Self(text.to_owned())) } else { Err(GroupError(text.to_owned())) }
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word() {
        for text in ["sales", "Floor-2", "a.b_c", "2"] {
            assert_eq!(text.parse::<GroupName>().expect("a name").as_str(), text);
        }
        for text in ["", "two words", "-x", "_x", ".x", "a/b", "é", "a,b"] {
            assert!(text.parse::<GroupName>().is_err(), "{text}");
        }
    }
}
