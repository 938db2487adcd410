//! The name of a trust anchor, which is the name of its file, too.

use std::fmt;
use std::str::FromStr;

/// The longest name, in bytes.
const LONGEST: usize = 100;

/// `prov.example.com_iis`: lower-case letters, digits, `.`, `_` and `-`, so that it is a file's name everywhere and leads
/// nowhere else. As in Java's key stores, case does not tell two of them apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias(String);

/// The text is no alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an alias: expected 1 to {LONGEST} letters, digits, `.`, `_` or `-`, the first a letter or a digit, such as \
     prov.example.com_iis"
)]
pub struct AliasError(String);

impl Alias {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is left of a name in somebody else's store (`DigiCert Global Root CA [jdk]`); `None`: nothing.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let mut text = String::new();
        for c in name.chars().take(LONGEST) {
            match c.to_ascii_lowercase() {
                c if is_written(c) => text.push(c),
                _ if text.ends_with('-') => {}
                _ => text.push('-'),
            }
        }
        text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).parse().ok()
    }

    /// The same with a number behind it.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        let end = format!("-{number}");
        let head = &self.0[..self.0.len().min(LONGEST - end.len())];
        Self(format!("{head}{end}"))
    }
}

fn is_written(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c)
}

impl FromStr for Alias {
    type Err = AliasError;

    fn from_str(text: &str) -> Result<Self, AliasError> {
        let lower = text.to_ascii_lowercase();
        let fits = (1..=LONGEST).contains(&text.len())
            && lower.chars().all(is_written)
            && lower.starts_with(|first: char| first.is_ascii_alphanumeric());
        if fits { Ok(Self(lower)) } else { Err(AliasError(text.escape_debug().to_string())) }
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_alias_is_a_files_name_and_no_way_out() {
        assert_eq!("MyRgra.Domain.com_IIS".parse::<Alias>().expect("an alias").as_str(), "myrgra.domain.com_iis");
        for text in ["", "../x", "..", ".hidden", "a/b", "a b", "a\0", "-f", "é", &"x".repeat(101)] {
            let error = text.parse::<Alias>().expect_err("no alias");
            assert!(error.to_string().contains("is not an alias: expected 1 to 100"), "{text:?}");
        }
    }

    #[test]
    fn another_stores_name_is_made_to_fit() {
        let of = |name: &str| Alias::of(name).map(|alias| alias.to_string());
        assert_eq!(of("DigiCert Global Root CA [jdk]").as_deref(), Some("digicert-global-root-ca-jdk"));
        assert_eq!(of("../../etc/passwd").as_deref(), Some("etc-passwd"));
        assert_eq!(of("§§"), None);
    }

    proptest! {
        #[test]
        fn what_is_made_to_fit_is_an_alias(name in "\\PC{0,150}", number in 2..usize::MAX) {
            if let Some(alias) = Alias::of(&name) {
                prop_assert_eq!(alias.as_str().parse::<Alias>(), Ok(alias.clone()));
                let numbered = alias.numbered(number);
                prop_assert_eq!(numbered.as_str().parse::<Alias>(), Ok(numbered.clone()));
            }
        }
    }
}
