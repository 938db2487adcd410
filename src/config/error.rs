//! Why a configuration is refused.

use std::fmt;
use std::path::{Path, PathBuf};

/// The configuration is refused; the message names file, line, key and what would be right.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

impl ConfigError {
    pub(super) fn new(file: &Path, line: Option<usize>, message: String) -> Self {
        Self { file: file.to_owned(), line, message }
    }
}
