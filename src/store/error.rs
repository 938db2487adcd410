//! What can go wrong with the store, in words that say what to do.

use std::path::Path;

use sqlx::migrate::MigrateError;

use super::disk::{Disk, Filled};
use crate::case::CaseNumber;
use crate::cipher::seal::SealError;
use crate::device::{DeviceError, DeviceName, GroupName};

/// The store does not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached now; it may be later.
    #[error("the store {place} is not to be reached: {reason}")]
    Away {
        /// Where it is, without a password.
        place: String,
        /// What the system or the driver says.
        reason: String,
    },
    /// It cannot be opened, and will not be by itself.
    #[error("the store {place} cannot be opened: {reason}")]
    Closed {
        /// Where it is, without a password.
        place: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A newer program has changed its form.
    #[error(
        "the store {place} was changed by a newer phoneprov: it has the form {found}, this program knows {known} and \
         older. Install that version again, or restore the copy that was made before it"
    )]
    Newer {
        /// Where it is, without a password.
        place: String,
        /// The migration that this program does not know.
        found: i64,
        /// The newest that it knows.
        known: i64,
    },
    /// No room is left.
    #[error("{0}")]
    Full(Filled),
    /// Files that were handed in have all that they may.
    #[error("uploads.{key} is {quota} bytes, and the file would go past it: nothing of it was kept")]
    Quota {
        /// Which quota.
        key: &'static str,
        /// How much it is (bytes).
        quota: u64,
    },
    /// So many files were handed in as there may be, however small they are.
    #[error("uploads.{key} is {most}, and so many files are kept or come in: nothing of this one is")]
    Crowded {
        /// Which bound.
        key: &'static str,
        /// What it is.
        most: u64,
    },
    /// There is none.
    #[error("there is no case {0}: `phoneprov case open` makes one")]
    NoSuchCase(CaseNumber),
    /// There is one already.
    #[error("there is a case {0} already")]
    CaseTaken(CaseNumber),
    /// It takes nothing any more.
    #[error("the case {0} is closed")]
    CaseClosed(CaseNumber),
    /// Nothing can be written.
    #[error("the store {0} cannot be written: let the user that phoneprov runs as write the file and its folder")]
    ReadOnly(String),
    /// Somebody else writes for a long time.
    #[error("the store {0} is being written by another process: nothing was changed, try again")]
    Busy(String),
    /// The device is not what the store can keep.
    #[error("{name}: {error}")]
    Device {
        /// Which one.
        name: DeviceName,
        /// What is wrong with it.
        error: DeviceError,
    },
    /// The name is that of another device.
    #[error("{name} is a name of the device {owner} already")]
    Taken {
        /// The name.
        name: DeviceName,
        /// Whose it is.
        owner: DeviceName,
    },
    /// Two devices of one change have the same name.
    #[error("{0} stands twice")]
    Twice(DeviceName),
    /// There is none.
    #[error("there is no device {0}: `phoneprov device add` makes one")]
    NoSuchDevice(DeviceName),
    /// There is none.
    #[error("there is no group {0}: `phoneprov group add` makes one")]
    NoSuchGroup(GroupName),
    /// There is one already.
    #[error("there is a group {0} already")]
    GroupTaken(GroupName),
    /// Devices would lose it.
    #[error("the group {group} has {devices} devices: take them out first")]
    GroupInUse {
        /// The group.
        group: GroupName,
        /// How many devices.
        devices: i64,
    },
    /// There is none.
    #[error("there is no change {0}")]
    NoSuchChange(i64),
    /// Something was changed since.
    #[error("{subject} was changed again by change {later}: undo that one first")]
    ChangedSince {
        /// What.
        subject: String,
        /// The later change.
        later: i64,
    },
    /// What is kept is not what this program writes.
    #[error("the store holds {what} that is not understood: {reason}")]
    Damaged {
        /// What.
        what: String,
        /// Why not.
        reason: String,
    },
    /// The change was none of a device or group.
    #[error("change {0} has changed nothing that could be taken back: somebody looked at secrets, or sealed them anew")]
    NothingToUndo(i64),
    /// A secret is to be kept, and there is no key.
    #[error(
        "secrets are kept sealed, and there is no key: `phoneprov secrets key > state/seal.key` makes one, and \
         `seal_key_file = \"state/seal.key\"` under [store] names it, for a running server from SIGHUP on"
    )]
    NoSealingKey,
    /// The keys cannot be read.
    #[error("{0}")]
    SealingKey(String),
    /// A secret does not open.
    #[error("{what} does not open: {error}")]
    Sealed {
        /// Which one.
        what: String,
        /// Why not.
        error: SealError,
    },
    /// No secret can be sealed.
    #[error("the system gives no random numbers")]
    NoRandomNumbers,
    /// Anything else.
    #[error("the store {place}: {reason}")]
    Other {
        /// Where it is, without a password.
        place: String,
        /// What the driver says.
        reason: String,
    },
}

impl StoreError {
    /// Whether trying again later may help, without anybody doing anything here.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Busy(_))
    }

    /// What a row says that cannot be.
    pub(super) fn damaged(what: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { what: what.into(), reason: reason.to_string() }
    }

    /// The driver's error, in our words.
    pub(super) fn of(place: &str, error: sqlx::Error) -> Self {
        let place = place.to_owned();
        match error {
            sqlx::Error::Io(error) => Self::Away { place, reason: error.to_string() },
            sqlx::Error::PoolTimedOut => Self::Away { place, reason: "no answer in time".into() },
            sqlx::Error::Tls(error) | sqlx::Error::Configuration(error) => {
                Self::Closed { place, reason: error.to_string() }
            }
            sqlx::Error::Database(error) => {
                let (code, reason) = (error.code().unwrap_or_default().into_owned(), error.message().to_owned());
                if code.len() == 5 {
                    Self::of_postgres(place, &code, reason)
                } else {
                    Self::of_sqlite(place, &code, reason)
                }
            }
            other => Self::Other { place, reason: other.to_string() },
        }
    }

    /// SQLite's result codes; the primary one is in the low byte (sqlite.org/rescode.html).
    fn of_sqlite(place: String, code: &str, reason: String) -> Self {
        match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(5 | 6) => Self::Busy(place),
            Ok(8) => Self::ReadOnly(place),
            // A file beside the database that cannot grow is told as an error of the disk (SQLITE_IOERR_SHMSIZE and others).
            Ok(10) => match Disk::of(Path::new(&place)) {
                Some(disk) if disk.is_full() => Self::Full(Filled::of_file(place)),
                disk => Self::Other { place, reason: of_disk(&reason, disk.as_ref()) },
            },
            Ok(13) => Self::Full(Filled::of_file(place)),
            Ok(14) => {
                Self::Closed { place, reason: "the file or its folder cannot be written, or is not there".into() }
            }
            Ok(11 | 26) => Self::Closed { place, reason: format!("{reason}: restore a copy") },
            _ => Self::Other { place, reason },
        }
    }

    /// PostgreSQL's SQLSTATE (appendix A of its manual).
    fn of_postgres(place: String, code: &str, reason: String) -> Self {
        match code {
            "53100" => Self::Full(Filled::of_server(place)),
            "25006" => Self::ReadOnly(place),
            "28000" | "28P01" | "3D000" | "42501" | "3F000" => Self::Closed { place, reason },
            _ if code.starts_with("08") || code.starts_with("57P") || code == "53300" => Self::Away { place, reason },
            _ => Self::Other { place, reason },
        }
    }

    /// What keeps migrations from running.
    pub(super) fn of_migration(place: &str, known: i64, error: MigrateError) -> Self {
        let place_owned = place.to_owned();
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::of(place, error),
            MigrateError::VersionMissing(found) => Self::Newer { place: place_owned, found, known },
            MigrateError::VersionMismatch(version) => Self::Closed {
                place: place_owned,
                reason: format!("its form {version} was made by a phoneprov that was never released"),
            },
            other => Self::Other { place: place_owned, reason: other.to_string() },
        }
    }
}

/// What is to be done about a disk that does not read or write.
fn of_disk(reason: &str, disk: Option<&Disk>) -> String {
    let disk = disk.map(|disk| format!(", and {disk}")).unwrap_or_default();
    format!("{reason}{disk}: see what the system's log says of the disk, and whether a quota is used up there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_with_room_on_it_is_no_full_one() {
        let file = std::env::temp_dir().join("phoneprov.db").display().to_string();
        let said = StoreError::of_sqlite(file, "4874", "disk I/O error".into()).to_string();
        assert!(said.contains("phoneprov.db: disk I/O error, and ") && said.contains(" are free on "), "{said}");
        assert!(said.ends_with("see what the system's log says of the disk, and whether a quota is used up there"));
        let said = StoreError::of_sqlite("/no/such/folder/x.db".into(), "10", "disk I/O error".into()).to_string();
        assert!(said.starts_with("the store /no/such/folder/x.db: disk I/O error: see what"), "{said}");
        let said = StoreError::of_postgres("postgres://db/x".into(), "53100", "no space".into()).to_string();
        assert_eq!(said, "the store postgres://db/x is full: nothing was changed. Make room on its disk");
    }
}
