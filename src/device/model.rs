//! A phone's product name (`$PN`) and the series number (`$PSN`) in it.

use std::fmt;
use std::str::FromStr;

/// A product name: 1 to 40 letters, digits, `-`, `.` and `_`, as the phone writes it (`CP-8841-3PCC`, `SPA504G`).
/// Case is kept: `{{ PN }}` gives what the phone wrote.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Model(String);

/// The text is not a product name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a product name: expected up to 40 letters, digits, `-`, `.` and `_`, such as CP-8841-3PCC")]
pub struct ModelError(String);

/// What stands before the series number in the names of each family.
const FAMILY_PREFIXES: [&str; 4] = ["CP-", "SPA-", "SPA", "ATA"];

impl Model {
    /// `$PN`, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text is a product name.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        let written = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (1..=40).contains(&text.len()) && text.bytes().all(written) && !text.starts_with(['.', '_'])
    }

    /// `$PSN`: the name without its family (`8841-3PCC`, `504G`, `192`). Observed on phones, but Cisco's pages print
    /// other forms as well (domain, macro table), so a tree should not rely on it for more than first contact.
    #[must_use]
    pub fn series(&self) -> &str {
        let stripped = FAMILY_PREFIXES.iter().find_map(|prefix| {
            let head = self.0.get(..prefix.len())?;
            head.eq_ignore_ascii_case(prefix).then(|| &self.0[prefix.len()..])
        });
        stripped.filter(|rest| !rest.is_empty()).unwrap_or(&self.0)
    }
}

impl FromStr for Model {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        if Self::is_name(text) { Ok(Self(text.into())) } else { Err(ModelError(text.into())) }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_name_without_its_family() {
        let series = |text: &str| text.parse::<Model>().expect("a product name").series().to_owned();
        assert_eq!(series("CP-8851-3PCC"), "8851-3PCC");
        assert_eq!(series("SPA504G"), "504G");
        assert_eq!(series("SPA-962"), "962");
        assert_eq!(series("ATA192"), "192");
        assert_eq!(series("CP-"), "CP-");
        assert_eq!(series("8841"), "8841");
    }

    #[test]
    fn a_name_that_could_leave_its_place_is_refused() {
        for text in ["", "..", "_base", ".hidden", "a/b", "a b", "é"] {
            assert!(text.parse::<Model>().is_err(), "{text}");
        }
    }
}
