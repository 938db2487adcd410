//! Why a configuration is refused.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::place;

/// The configuration is refused. Each finding is a line that names file, line, key and what would be right.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    file: PathBuf,
    findings: Vec<(Option<usize>, String)>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (line, message)) in self.findings.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            match line {
                Some(line) => write!(f, "{end}{}:{line}: {message}", self.file.display())?,
                None => write!(f, "{end}{}: {message}", self.file.display())?,
            }
        }
        Ok(())
    }
}

impl ConfigError {
    /// One finding, and no more to be found.
    pub(super) fn new(file: &Path, line: Option<usize>, message: String) -> Self {
        Self { file: file.to_owned(), findings: vec![(line, message)] }
    }
}

/// What is wrong so far: every table is checked, so that a person hears of all of it at once.
pub(super) struct Findings<'a> {
    text: &'a str,
    error: ConfigError,
}

impl<'a> Findings<'a> {
    /// Nothing yet, of the file with this text.
    pub(super) fn new(file: &Path, text: &'a str) -> Self {
        Self { text, error: ConfigError { file: file.to_owned(), findings: Vec::new() } }
    }

    /// Takes a check's value, or notes why there is none. Without a place, it is that of the key that the message begins with.
    pub(super) fn note<T>(&mut self, span: Option<Range<usize>>, checked: Result<T, String>) -> Option<T> {
        let note = |message: String| {
            let span = span.or_else(|| place::of(self.text, &message));
            self.error.findings.push((line(self.text, span), message));
        };
        checked.map_err(note).ok()
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.error.findings.is_empty()
    }

    /// All is well, or all that is not.
    pub(super) fn end(self) -> Result<(), ConfigError> {
        if self.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    /// All that is not well, from the first line on; at the end what is on none.
    pub(super) fn into_error(mut self) -> ConfigError {
        self.error.findings.sort_by_key(|(line, _)| line.unwrap_or(usize::MAX));
        // What is missing is missing again in what is left without another fault.
        self.error.findings.dedup();
        self.error
    }
}

/// The line that a place in the text is on, from 1.
pub(super) fn line(text: &str, span: Option<Range<usize>>) -> Option<usize> {
    Some(text.get(..span?.start)?.matches('\n').count() + 1)
}
