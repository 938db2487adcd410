//! `[cache]`: how much finished work is kept.

use serde::Deserialize;

use super::Bytes;

/// Profiles as they were last sent: rendered, compressed, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// At the most this many bytes; `"0"` keeps none.
    pub size: Bytes,
}

impl Default for Cache {
    fn default() -> Self {
        Self { size: Bytes::mebibytes(64) }
    }
}
