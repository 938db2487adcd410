//! What is kept of devices in memory, told of changes while the server runs; and when phones were seen, on its way to the
//! store.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::config;
use crate::inventory::Inventory;
use crate::listen::Shared;
use crate::metrics::StoreMetrics;
use crate::store::{Store, StoreError};

/// Between two questions for what has changed: a change counts within this everywhere.
const OFTEN: Duration = Duration::from_millis(250);

/// Such questions between two writings of who was seen.
const SELDOM: u32 = 60;

/// A store, and what is remembered of it.
pub(super) struct Opened {
    pub(super) store: Option<Arc<Store>>,
    pub(super) inventory: Option<Arc<Inventory>>,
}

/// The store of a configuration, brought to the form that this program knows. One that cannot be reached now keeps no
/// server from starting: what needs no device is served.
pub(super) async fn open(config: Option<&config::Store>) -> Result<Opened, StoreError> {
    let Some(config) = config else { return Ok(Opened { store: None, inventory: None }) };
    let store = Store::new(&config.place)?.sealing(config.sealing.as_ref());
    let revision = match store.migrate().await {
        Ok(()) => store.revision().await,
        Err(error) => Err(error),
    };
    let inventory = match revision {
        Ok(revision) => {
            tracing::info!(store = store.place(), "the store is open");
            Inventory::new(config.remembered, revision)
        }
        Err(error) if error.is_passing() => {
            tracing::error!(%error, "started without the store: devices get nothing until it is back");
            let inventory = Inventory::new(config.remembered, -1);
            inventory.set_away(true);
            inventory
        }
        Err(error) => return Err(error),
    };
    Ok(Opened { store: Some(Arc::new(store)), inventory: Some(Arc::new(inventory)) })
}

/// Asks for changes and writes who was seen, until the server stops.
pub(super) async fn keep(shared: Arc<Shared>, inventory: Arc<Inventory>) {
    let Some(store) = shared.store.clone() else { return };
    let keeping = async {
        let mut round: u32 = 0;
        loop {
            tokio::time::sleep(OFTEN).await;
            look(&store, &inventory).await;
            count(&shared.metrics.store, &inventory);
            round = round.wrapping_add(1);
            write_met(&store, &inventory).await;
            write_asked(&store, &inventory).await;
            if round.is_multiple_of(SELDOM) {
                write_seen(&store, &inventory).await;
            }
        }
    };
    tokio::select! {
        () = shared.stop.cancelled() => {}
        () = keeping => {}
    }
    write_seen(&store, &inventory).await;
    write_asked(&store, &inventory).await;
}

/// Forgets what has changed. A store that was away may never have been brought to its form.
async fn look(store: &Store, inventory: &Inventory) {
    let told = match inventory.is_away() {
        true => store.migrate().await,
        false => Ok(()),
    };
    let told = match told {
        Ok(()) => store.tell(inventory).await,
        Err(error) => Err(error),
    };
    let news = inventory.set_away(told.is_err());
    match told {
        Err(error) if news => {
            tracing::error!(%error, "the store does not answer: devices that are remembered are served, others are not");
        }
        Ok(()) if news => tracing::info!(store = store.place(), "the store is back"),
        Ok(()) | Err(_) => {}
    }
}

/// Takes the metrics further.
fn count(metrics: &StoreMetrics, inventory: &Inventory) {
    metrics.reads.inc_by(inventory.reads());
    metrics.revision.set(inventory.revision());
    metrics.up.set(i64::from(!inventory.is_away()));
    if !inventory.is_away() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        metrics.told.set(i64::try_from(now.as_secs()).unwrap_or_default());
    }
}

/// Writes who asked and is not known.
async fn write_met(store: &Store, inventory: &Inventory) {
    let strangers = inventory.strangers();
    if strangers.is_empty() || inventory.is_away() {
        return;
    }
    match store.asked(strangers).await {
        Ok(0) => {}
        Ok(left_out) => {
            tracing::warn!(left_out, "too many devices wait: `phoneprov device waiting --clear` makes room");
        }
        Err(error) => tracing::warn!(%error, "who waits is not written"),
    }
}

/// Writes which phones have asked under a key that they were handed. What cannot be written now is kept for later: until
/// then the key before is good too.
async fn write_asked(store: &Store, inventory: &Inventory) {
    let asked = inventory.asked();
    if asked.is_empty() {
        return;
    }
    let written = async {
        let mut writing = store.write("the phone", "key in use").await?;
        let devices = writing.asked_under(&asked).await?;
        writing.commit().await.map(|_| devices)
    };
    match written.await {
        Ok(devices) => tracing::info!(devices, "phones have their new keys"),
        Err(error) => {
            tracing::warn!(%error, "which phones have their new keys is not written yet");
            inventory.asked_under(asked);
        }
    }
}

/// Writes who was seen. What cannot be written is forgotten: it is no change.
async fn write_seen(store: &Store, inventory: &Inventory) {
    let sightings = inventory.sightings();
    if sightings.is_empty() || inventory.is_away() {
        return;
    }
    if let Err(error) = store.saw(sightings).await {
        tracing::warn!(%error, "when devices were seen is not written");
    }
}
