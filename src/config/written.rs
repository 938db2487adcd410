//! The configuration file as it is written: every table by name, nothing checked but the kinds of values.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::error::{line, readable};
use super::{Admin, Cache, ClientTls, ConfigError, Keys, Lab, Limits, Lint, Log, Throttle};
use super::{certificates, listen, rule, store};

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct Written {
    pub(super) profiles: PathBuf,
    pub(super) state: Option<PathBuf>,
    #[serde(default)]
    pub(super) listen: Vec<Spanned<listen::Written>>,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<rule::Written>>,
    #[serde(default)]
    pub(super) certificates: certificates::Written,
    #[serde(default)]
    pub(super) variables: toml::Table,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) throttle: Throttle,
    #[serde(default)]
    pub(super) cache: Cache,
    #[serde(default)]
    pub(super) lint: Lint,
    #[serde(default)]
    pub(super) log: Log,
    #[serde(default)]
    pub(super) admin: Admin,
    #[serde(default)]
    pub(super) client_tls: ClientTls,
    #[serde(default)]
    pub(super) keys: Keys,
    pub(super) lab: Option<Lab>,
    pub(super) store: Option<store::Written>,
}

impl Written {
    /// Reads it; what its parts say is not checked yet.
    pub(super) fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text)
            .map_err(|error| ConfigError::new(file, line(text, error.span()), readable(error.message())))
    }
}
