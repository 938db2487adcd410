//! `[api]`: programs that ask for upload tokens.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Who may ask, on the admin surface.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// The file of their tokens' hashes, as `phoneprov api-token` keeps it.
    pub tokens_file: PathBuf,
}

impl Api {
    /// What it gives are tokens of cases.
    pub(super) fn check(self, folder: &Path, has_store: bool) -> Result<Self, String> {
        if !has_store {
            return Err("[api] gives tokens of cases, which are in the store, and there is none: add [store]".into());
        }
        Ok(Self { tokens_file: folder.join(self.tokens_file) })
    }

    /// The text of the file of tokens as it is there now; empty where there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self) -> std::io::Result<String> {
        match super::file::read_secret(&self.tokens_file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            read => read,
        }
    }
}
