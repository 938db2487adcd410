//! `[keys]`: the master secret that per-device keys are derived from.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::device::Secret;

/// Where the master secret is read from; one of the two, or neither.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// A file that holds it.
    pub master_file: Option<PathBuf>,
    /// An environment variable that holds it.
    pub master_env: Option<String>,
}

/// The master secret: at least 32 characters, which no person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKey(Secret);

/// The shortest master secret, in characters: 128 bits as hexadecimal digits.
const SHORTEST: usize = 32;

impl MasterKey {
    /// The secret's text, trimmed.
    ///
    /// # Errors
    /// It is shorter than 32 characters.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() < SHORTEST {
            return Err(format!(
                "the master secret has {} characters, expected at least {SHORTEST}: make one with `openssl rand -hex 32`",
                text.len()
            ));
        }
        Ok(Self(Secret::new(text.to_owned())))
    }

    /// The secret itself, for the derivation of device keys.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl Keys {
    /// Reads the secret.
    pub(super) fn load(&self, folder: &Path) -> Result<Option<MasterKey>, String> {
        match (&self.master_file, &self.master_env) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err("keys.master_file and keys.master_env exclude each other: keep one".into()),
            (Some(file), None) => {
                let path = folder.join(file);
                let text = super::file::read_secret(&path)
                    .map_err(|error| format!("keys.master_file: {}: {error}", path.display()))?;
                MasterKey::new(&text).map(Some).map_err(|error| format!("keys.master_file: {error}"))
            }
            (None, Some(name)) => {
                let text = std::env::var(name)
                    .map_err(|_| format!("keys.master_env: the environment has no variable `{name}`"))?;
                MasterKey::new(&text).map(Some).map_err(|error| format!("keys.master_env: {error}"))
            }
        }
    }
}
