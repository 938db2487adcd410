//! Whether the store can be used.

use std::sync::Arc;

use super::Finding;
use crate::config::{Config, Unknown};
use crate::profile::root::Root;
use crate::profile::tree::Tree;
use crate::provision::Named;

/// Opens it, as the server would at its start.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let opened = crate::cli::store::try_open(config).err();
    let opened = opened.map(|error| Finding::error("store", format!("{error:#}")));
    opened.into_iter().chain(strangers_file(config)).collect()
}

/// The file for devices that the store does not have.
fn strangers_file(config: &Config) -> Option<Finding> {
    let Unknown::Serve(path) = &config.store.as_ref()?.unknown else { return None };
    let root = Root::open(&config.profiles).ok()?;
    match Tree::new(Arc::new(root)).find(path) {
        Ok(Some(found)) if Named::of(&found) == Named::Nobody => None,
        Ok(Some(found)) => {
            let message = format!("store.unknown: {} names a device, and is for those that nobody knows", found.file);
            Some(Finding::error("store", message))
        }
        Ok(None) => Some(Finding::error("store", format!("store.unknown: {path} is not there"))),
        Err(error) => Some(Finding::error("store", format!("store.unknown: {path}: {error}"))),
    }
}
