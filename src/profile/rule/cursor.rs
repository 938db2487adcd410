//! A place in a rule's text.

use super::error::{RuleError, RuleFault};

/// Reads a rule from left to right; every step forward is taken once.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Steps over `expected`, if it stands here.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Steps to the first character for which `ends` holds, or to the end.
    pub(super) fn take_until(&mut self, ends: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Reads a text in double quotes, which stand here; there is no way to write a quote within.
    pub(super) fn quoted(&mut self) -> Result<&'a str, RuleError> {
        let opened = self.at;
        self.at += 1;
        let text = self.take_until(|c| c == '"');
        if self.eat("\"") { Ok(text) } else { Err(self.fault_at(opened, RuleFault::OpenText)) }
    }

    /// A fault at this place.
    pub(super) fn fault(&self, fault: impl Into<RuleFault>) -> RuleError {
        self.fault_at(self.at, fault)
    }

    /// A fault at a place that was passed.
    pub(super) fn fault_at(&self, at: usize, fault: impl Into<RuleFault>) -> RuleError {
        RuleError::new(self.text, at, fault.into())
    }
}
