//! Who would break: which TLS the phones of each model and firmware use, and who signed their certificates, so that an
//! operator knows what it would cost to switch the old versions off; and when the certificate of each device ends. It
//! never decides anything about a request.
//!
//! A connection is counted once, at its first request. The table is small, bounded, and kept in one file of the state
//! folder: several servers over one folder would overwrite each other's.

mod expiry;
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

pub use expiry::{Expiries, Expiry};
pub use file::CensusError;
pub use row::{Row, Secured, Sighting};
use table::Table;

use crate::certificate::Credential;
use crate::device::DeviceIdentity;
use expiry::Devices;

/// The table of TLS in the state folder.
const FILE: &str = "tls.json";

/// That of devices by the end of their certificates.
const CERTIFICATES: &str = "certificates.json";

/// What has been seen, in this run and the ones before.
#[derive(Debug, Default)]
pub struct Census {
    table: Mutex<Table>,
    devices: Mutex<Devices>,
    folder: Option<PathBuf>,
    is_changed: AtomicBool,
    has_new_devices: AtomicBool,
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
        let devices = Mutex::new(Devices::of(expiries(folder)?));
        Ok(Self { table, devices, folder: Some(folder.to_owned()), ..Self::default() })
    }

    /// Counts a connection.
    pub fn note(&self, sighting: &Sighting<'_>) {
        self.table().count(sighting, Timestamp::now());
        self.tell(&self.is_changed);
    }

    /// Takes note of the certificate that a device showed: one that verifies, or did until it expired.
    pub fn note_certificate(&self, identity: &DeviceIdentity, credential: &Credential) {
        if lock(&self.devices).note(identity, credential, Timestamp::now()) {
            self.tell(&self.has_new_devices);
        }
    }

    fn tell(&self, changed: &AtomicBool) {
        if self.folder.is_some() && !changed.swap(true, Ordering::Relaxed) {
            self.changed.notify_one();
        }
    }

    /// Waits until there is something to save.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Writes the tables that have changed, where there is a folder for them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> Result<(), CensusError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        if self.is_changed.swap(false, Ordering::Relaxed) {
            file::write(&folder.join(FILE), self.rows())?;
        }
        if self.has_new_devices.swap(false, Ordering::Relaxed) {
            file::write(&folder.join(CERTIFICATES), self.expiries())?;
        }
        Ok(())
    }

    /// The rows, in order of model, firmware and version.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.table().rows()
    }

    /// The devices, in the order in which their certificates end.
    #[must_use]
    pub fn expiries(&self) -> Expiries {
        lock(&self.devices).kept()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }
}

fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The devices that are kept in a state folder, by the end of their certificates.
///
/// # Errors
/// There is a file, and it cannot be read.
pub fn expiries(folder: &Path) -> Result<Expiries, CensusError> {
    file::read(&folder.join(CERTIFICATES))
}

/// The rows that are kept in a state folder.
///
/// # Errors
/// There is a file, and it cannot be read.
pub fn read(folder: &Path) -> Result<Vec<Row>, CensusError> {
    file::read(&folder.join(FILE))
}
