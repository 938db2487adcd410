//! Who would break: which TLS the phones of each model and firmware use, and who signed their certificates, so that an
//! operator knows what it would cost to switch the old versions off. It never decides anything about a request.
//!
//! A connection is counted once, at its first request. The table is small, bounded, and kept in one file of the state
//! folder: several servers over one folder would overwrite each other's.

mod agent;
mod file;
mod row;
mod table;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

pub use file::CensusError;
pub use row::{Row, Secured, Sighting};
use table::Table;

/// The table in the state folder.
const FILE: &str = "tls.json";

/// What has been seen, in this run and the ones before.
#[derive(Debug, Default)]
pub struct Census {
    table: Mutex<Table>,
    file: Option<PathBuf>,
    is_changed: AtomicBool,
    changed: Notify,
}

impl Census {
    /// The table that is kept in this state folder, which is made where it is not there; without a folder, one that is
    /// forgotten with the process.
    ///
    /// # Errors
    /// The folder cannot be made, or its table cannot be read.
    pub fn open(folder: Option<&Path>) -> Result<Self, CensusError> {
        let Some(folder) = folder else { return Ok(Self::default()) };
        std::fs::create_dir_all(folder).map_err(|error| CensusError::System { path: folder.to_owned(), error })?;
        let table = Mutex::new(Table::of(read(folder)?));
        Ok(Self { table, file: Some(folder.join(FILE)), ..Self::default() })
    }

    /// Counts a connection.
    pub fn note(&self, sighting: &Sighting<'_>) {
        self.table().count(sighting, Timestamp::now());
        if self.file.is_some() && !self.is_changed.swap(true, Ordering::Relaxed) {
            self.changed.notify_one();
        }
    }

    /// Waits until there is something to save.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Writes the table, where it has a file and has changed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> Result<(), CensusError> {
        match &self.file {
            Some(file) if self.is_changed.swap(false, Ordering::Relaxed) => file::write(file, self.rows()),
            Some(_) | None => Ok(()),
        }
    }

    /// The rows, in order of model, firmware and version.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.table().rows()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows that are kept in a state folder.
///
/// # Errors
/// There is a file, and it cannot be read.
pub fn read(folder: &Path) -> Result<Vec<Row>, CensusError> {
    file::read(&folder.join(FILE))
}
