//! The census on its way to the disk: soon after a change, seldom while changes go on, and once more at the end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::census::{Census, CensusError};
use crate::listen::Shared;

/// What one phone brings is gathered: it asks for several files.
const SOON: Duration = Duration::from_secs(1);

/// While phones come and go.
const SELDOM: Duration = Duration::from_secs(30);

/// The census of a state folder. Phones are served whatever is there: a table that cannot be read is set aside, and where
/// nothing can be written, what is seen is forgotten with the process.
pub(super) fn open(folder: Option<&Path>) -> Census {
    // There are two tables, each of which may be unreadable.
    for _ in 0..3 {
        let error = match Census::open(folder) {
            Ok(census) => return census,
            Err(error) => error,
        };
        if let Err(error) = set_aside(error) {
            tracing::warn!(%error, "the table of TLS is not kept: let `state` name a folder that the server may write to");
            break;
        }
    }
    Census::default()
}

/// A table that cannot be read makes room for a new one.
fn set_aside(error: CensusError) -> Result<(), CensusError> {
    let CensusError::Content { path, .. } = &error else { return Err(error) };
    let aside = path.with_extension("json.unreadable");
    tracing::warn!(%error, aside = %aside.display(), "the table begins anew");
    std::fs::rename(path, &aside).map_err(|error| CensusError::System { path: path.clone(), error })
}

/// Writes the census whenever it has changed, until the server stops.
pub(super) async fn keep(shared: Arc<Shared>) {
    let writing = async {
        loop {
            shared.census.changed().await;
            tokio::time::sleep(SOON).await;
            save(&shared.census).await;
            tokio::time::sleep(SELDOM).await;
        }
    };
    tokio::select! {
        () = shared.stop.cancelled() => {}
        () = writing => {}
    }
}

/// Writes it now. A full disk stops no phone.
pub(super) async fn save(census: &Arc<Census>) {
    let census = census.clone();
    let saved = tokio::task::spawn_blocking(move || census.save()).await;
    if let Ok(Err(error)) = saved {
        tracing::error!(%error, "the table of TLS is not kept");
    }
}
