//! Whether the store can be used.

use super::Finding;
use crate::config::Config;

/// Opens it, as the server would at its start.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    match crate::cli::store::try_open(config) {
        Ok(()) => Vec::new(),
        Err(error) => vec![Finding::error("store", format!("{error:#}"))],
    }
}
