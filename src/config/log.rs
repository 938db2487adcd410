//! `[log]`: how the server tells what it does.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use tracing_subscriber::filter::{Directive, LevelFilter};

/// The log goes to standard output; a service manager keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Text for eyes or JSON for queries.
    pub format: Format,
    /// What is told.
    pub level: LogLevel,
    /// One line for each request.
    pub requests: bool,
}

/// What is told: a level, or filters such as `info,phoneprov::handshake=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevel(String);

/// The text is no level and no list of filters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "log.level: `{0}` is not understood: expected error, warn, info, debug, trace or off, or filters such as \
     info,phoneprov::handshake=debug"
)]
pub struct LogLevelError(String);

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
        Self { format: Format::Text, level: LogLevel("info".into()), requests: true }
    }
}

impl FromStr for LogLevel {
    type Err = LogLevelError;

    fn from_str(text: &str) -> Result<Self, LogLevelError> {
        let filters: Vec<&str> = text.split(',').map(str::trim).filter(|filter| !filter.is_empty()).collect();
        let wrong = if filters.is_empty() { Some(text) } else { filters.iter().copied().find(|word| !is_filter(word)) };
        // Spaces would count as part of a target.
        wrong.map_or_else(|| Ok(Self(filters.join(","))), |wrong| Err(LogLevelError(wrong.into())))
    }
}

/// Whether a filter says something. A word alone that is no level would be taken for a target, which silences all others:
/// only one of ours is meant so.
fn is_filter(word: &str) -> bool {
    let is_ours = || word == "phoneprov" || word.starts_with("phoneprov::");
    let is_word = !word.contains(['=', '[']);
    word.parse::<Directive>().is_ok() && (!is_word || is_ours() || word.parse::<LevelFilter>().is_ok())
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LogLevel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_or_filters_are_taken() {
        for text in [
            "error",
            "WARN",
            "info",
            "debug",
            "trace",
            "off",
            "3",
            "info,phoneprov::handshake=debug",
            "hyper=debug",
            "phoneprov::handshake",
            "phoneprov",
            "info,phoneprov[request]=trace",
            "[{peer}]",
        ] {
            assert_eq!(text.parse::<LogLevel>().map(|level| level.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn spaces_and_empty_places_are_left_out() {
        let level = " info , phoneprov::request=off,".parse::<LogLevel>().map(|level| level.to_string());
        assert_eq!(level.as_deref(), Ok("info,phoneprov::request=off"));
    }

    #[test]
    fn a_word_that_is_no_level_is_refused_by_name() {
        for (text, wrong) in [
            ("", ""),
            (",", ","),
            (" ", " "),
            ("inof", "inof"),
            ("nonsense", "nonsense"),
            ("phoneprove", "phoneprove"),
            ("x=bogus", "x=bogus"),
            ("info,phoneprov::request=of", "phoneprov::request=of"),
            ("info,handshake", "handshake"),
            ("6", "6"),
            ("info;debug", "info;debug"),
        ] {
            let error = text.parse::<LogLevel>().expect_err(text).to_string();
            assert!(
                error.starts_with(&format!("log.level: `{wrong}` is not understood: expected error, warn")),
                "{error}"
            );
        }
    }
}
