//! Assignments: parameters that a phone sets before it fetches.

use std::fmt;

use super::cursor::Cursor;
use super::error::{RuleError, RuleFault};
use crate::profile::expansion::Expansion;
use crate::profile::macros::Register;

/// `Name = "Value";` within `( … )!`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    parameter: String,
    value: Expansion,
}

impl Assignment {
    /// Reads assignments up to `)`, and leaves the cursor there.
    pub(super) fn parse_all(cursor: &mut Cursor<'_>) -> Result<Vec<Self>, RuleError> {
        let mut assignments = Vec::new();
        loop {
            assignments.push(Self::parse(cursor)?);
            cursor.skip_blanks();
            if matches!(cursor.peek(), None | Some(')')) {
                return Ok(assignments);
            }
        }
    }

    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, RuleError> {
        cursor.skip_blanks();
        let name = cursor.take_until(|c| !(c.is_ascii_alphanumeric() || "_-.".contains(c)));
        if name.is_empty() {
            return Err(cursor.fault(RuleFault::Name));
        }
        cursor.skip_blanks();
        if !cursor.eat("=") {
            return Err(cursor.fault(RuleFault::Equals));
        }
        cursor.skip_blanks();
        let value = match cursor.peek() {
            Some('"') => cursor.quoted()?,
            Some(quote @ ('“' | '”' | '„')) => return Err(cursor.fault(RuleFault::CurlyQuote(quote))),
            _ => return Err(cursor.fault(RuleFault::Value)),
        };
        cursor.skip_blanks();
        if !cursor.eat(";") {
            return Err(cursor.fault(RuleFault::Semicolon));
        }
        Ok(Self { parameter: full_name(name), value: Expansion::parse(value) })
    }

    /// The parameter, by its full name: `GPP_C` where the rule says `c`.
    #[must_use]
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// What it is set to.
    #[must_use]
    pub fn value(&self) -> &Expansion {
        &self.value
    }
}

/// The registers may be written as a single lower-case letter (SPA Provisioning Guide, "Assignment Expressions").
fn full_name(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter @ 'a'..='p'), None) => {
            Register::lettered(letter).map_or_else(|| name.to_owned(), Register::parameter)
        }
        _ => name.to_owned(),
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = \"{}\";", self.parameter, self.value)
    }
}
