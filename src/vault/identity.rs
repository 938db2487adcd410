//! Who can read: the identities of an identity file. Commands have them, the server never.

use std::fmt;
use std::path::Path;

use age::x25519::{Identity, Recipient};

use super::VaultError;
use crate::config::read_identity;

/// The identities of a file, as `age-keygen` writes it.
pub struct Identities(Vec<Identity>);

impl Identities {
    /// Reads a file of identities, one a line, with comments.
    ///
    /// # Errors
    /// It cannot be read, or a line is no identity.
    pub fn read(path: &Path) -> Result<Self, VaultError> {
        let failed = |reason: String| VaultError::Identity { path: path.to_owned(), reason };
        let text = read_identity(path).map_err(|error| failed(error.to_string()))?;
        let mut found = Vec::new();
        for (number, line) in text.expose().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || failed(format!("line {} is no identity: expected AGE-SECRET-KEY-1…", number + 1));
            found.push(line.parse().map_err(|_| wrong())?);
        }
        if found.is_empty() {
            return Err(failed("no identity in it: expected a line AGE-SECRET-KEY-1…, as age-keygen writes it".into()));
        }
        Ok(Self(found))
    }

    /// Whether one of them opens what is encrypted for these.
    #[must_use]
    pub fn open(&self, recipients: &[Recipient]) -> bool {
        self.0.iter().any(|identity| recipients.contains(&identity.to_public()))
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| -> &dyn age::Identity { identity })
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}
