//! The store at the start of the process.

use std::sync::Arc;

use crate::config;
use crate::store::{Store, StoreError};

/// The store of a configuration, brought to the form that this program knows. One that cannot be reached now keeps no
/// server from starting: what needs no device is served.
pub(super) async fn open(config: Option<&config::Store>) -> Result<Option<Arc<Store>>, StoreError> {
    let Some(config) = config else { return Ok(None) };
    let store = Store::new(&config.place)?;
    match store.migrate().await {
        Ok(()) => tracing::info!(store = store.place(), "the store is open"),
        Err(error) if error.is_passing() => tracing::error!(%error, "started without the store"),
        Err(error) => return Err(error),
    }
    Ok(Some(Arc::new(store)))
}
