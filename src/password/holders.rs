//! Programs with a token: a file of names and prints, a line each.

use std::fmt;

use super::{TokenPrint, TokenPrintError};

/// Who has a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders(Vec<(String, TokenPrint)>);

/// The file is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoldersError {
    /// A line is no name and print.
    #[error("line {0} is not NAME:HASH, as `phoneprov api-token add NAME` writes it")]
    Line(usize),
    /// A print is none.
    #[error("line {0}: {1}")]
    Print(usize, TokenPrintError),
    /// The name cannot be one.
    #[error("`{0}` is not a name: expected 1 to 64 letters, digits, `-`, `.` and `_`")]
    Name(String),
    /// There is one of that name.
    #[error("{0} has a token already: remove it first")]
    Taken(String),
}

impl Holders {
    /// Reads the file's text; lines that begin with `#` are comments.
    ///
    /// # Errors
    /// A line is not NAME:HASH.
    pub fn parse(text: &str) -> Result<Self, HoldersError> {
        let mut found = Vec::new();
        for (number, line) in text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, print) = line.split_once(':').ok_or(HoldersError::Line(number))?;
            let print = print.parse().map_err(|error| HoldersError::Print(number, error))?;
            found.push((name.to_owned(), print));
        }
        Ok(Self(found))
    }

    /// Whose token it is; every one is compared, whichever it is.
    #[must_use]
    pub fn holder(&self, presented: &TokenPrint) -> Option<&str> {
        let mut holder = None;
        for (name, print) in &self.0 {
            if print == presented {
                holder = Some(name.as_str());
            }
        }
        holder
    }

    /// Adds one.
    ///
    /// # Errors
    /// The name is none, or has one already.
    pub fn add(&mut self, name: &str, print: TokenPrint) -> Result<(), HoldersError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(HoldersError::Name(name.to_owned()));
        }
        if self.names().any(|other| other == name) {
            return Err(HoldersError::Taken(name.to_owned()));
        }
        self.0.push((name.to_owned(), print));
        Ok(())
    }

    /// Removes one; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(other, _)| other != name);
        self.0.len() < before
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, print)| writeln!(f, "{name}:{print}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Token;

    #[test]
    fn a_holder_is_found_by_its_token_alone() {
        let (one, other) = (Token::random().expect("a token"), Token::random().expect("a token"));
        let mut holders = Holders::default();
        holders.add("ticket-desk", one.print()).expect("a name");
        assert_eq!(holders.add("ticket-desk", other.print()), Err(HoldersError::Taken("ticket-desk".into())));
        assert!(holders.add("a:b", other.print()).is_err() && holders.add("", other.print()).is_err());
        let mut read = Holders::parse(&format!("# programs\n\n{holders}")).expect("a file");
        assert_eq!(read, holders);
        assert_eq!((read.holder(&one.print()), read.holder(&other.print())), (Some("ticket-desk"), None));
        assert!(read.remove("ticket-desk") && !read.remove("ticket-desk"));
        assert_eq!(read.holder(&one.print()), None);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        assert_eq!(Holders::parse("\nx"), Err(HoldersError::Line(2)));
        assert!(Holders::parse("x:y").expect_err("no print").to_string().starts_with("line 1: `y` is no print"));
    }
}
