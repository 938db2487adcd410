//! `[log]`: how the server tells what it does.

use serde::Deserialize;

/// The log goes to standard output; a service manager keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Text for eyes or JSON for queries.
    pub format: Format,
    /// What is told: a level, or directives such as `info,phoneprov::listen=debug`.
    pub level: String,
    /// One line for each request.
    pub requests: bool,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `name=value` pairs.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: Format::Text, level: "info".into(), requests: true }
    }
}
