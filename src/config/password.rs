//! The keys of a `[[rule]]` with `proof = "password"`: whose passwords, and how they are asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::password::{self, Accounts, Scheme};

/// Whose passwords a rule takes.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// The file that they were read from.
    pub file: PathBuf,
    /// What was in it.
    pub accounts: Arc<Accounts>,
    /// How they are asked for, in the order in which it is offered.
    pub challenge: Vec<Scheme>,
    /// What they are asked for in the name of.
    pub realm: String,
    /// What an account is good for.
    pub good_for: GoodFor,
}

/// What an account of a rule is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GoodFor {
    /// The device that it is named after, by MAC address or serial number; files that name no device go to all.
    #[default]
    Own,
    /// All paths of the rule: one password for many phones.
    Shared,
}

/// The keys as they are written.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) password_file: Option<PathBuf>,
    pub(super) challenge: Option<Vec<Scheme>>,
    pub(super) realm: Option<String>,
    pub(super) accounts: Option<GoodFor>,
}

impl Written {
    /// The first key that is there, for a rule that takes no passwords.
    pub(super) fn stray(&self) -> Option<&'static str> {
        let keys = [
            ("password_file", self.password_file.is_some()),
            ("challenge", self.challenge.is_some()),
            ("realm", self.realm.is_some()),
            ("accounts", self.accounts.is_some()),
        ];
        keys.into_iter().find_map(|(name, present)| present.then_some(name))
    }

    /// Reads the file and holds it against what is to be asked.
    pub(super) fn check(self, folder: &Path) -> Result<Passwords, String> {
        let file = self.password_file.ok_or("rule.password_file is missing: the accounts of proof = \"password\"")?;
        let file = folder.join(file);
        let challenge = self.challenge.unwrap_or_else(|| vec![Scheme::Basic]);
        if challenge.is_empty() {
            return Err(
                "rule.challenge is empty: leave it out for basic, or name basic, digest-md5 or digest-sha256".into()
            );
        }
        let realm = self.realm.unwrap_or_else(|| password::REALM.to_owned());
        if realm.is_empty() || realm.bytes().any(|byte| !(b' '..=b'~').contains(&byte) || byte == b':') {
            return Err("rule.realm: expected printable ASCII characters without a colon".into());
        }
        let of_file = |error: &dyn std::fmt::Display| format!("rule.password_file: {}: {error}", file.display());
        let text = super::file::read_bounded(&file, LARGEST).map_err(|error| of_file(&error))?;
        let accounts = Accounts::parse(&text, &realm).map_err(|error| of_file(&error))?;
        accounts.answer_to(&challenge, &realm).map_err(|error| of_file(&error))?;
        let good_for = self.accounts.unwrap_or_default();
        Ok(Passwords { file, accounts: Arc::new(accounts), challenge, realm, good_for })
    }
}

/// The largest password file (bytes): some half a million accounts.
const LARGEST: u64 = 64 * 1024 * 1024;
