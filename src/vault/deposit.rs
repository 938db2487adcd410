//! A file on its way into the vault: encrypted as it comes, hidden and locked until all of it is on the disk.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use age::stream::StreamWriter;
use data_encoding::HEXLOWER;
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use super::room::Reservation;
use super::{KeptName, Vault, VaultError, name};

/// Names that are tried: a sweep may take one away in the moment before it is locked.
const TRIES: usize = 16;

/// A file under way. Dropped before it is finished, it never was.
pub struct Deposit {
    name: KeptName,
    hidden: PathBuf,
    kept: PathBuf,
    /// Room for what is still to come; given back with the file.
    reservation: Reservation,
    /// The encryption; gone when the file is finished.
    writer: Option<StreamWriter<BufWriter<File>>>,
    digest: Sha256,
    size: u64,
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What it is called in the vault.
    pub name: KeptName,
    /// Its length before it was encrypted (bytes).
    pub size: u64,
    /// The SHA-256 of what it was before, in hexadecimal digits.
    pub sha256: String,
}

impl Deposit {
    /// An empty file that nobody else sees.
    pub(super) fn begin(vault: &Vault, reservation: Reservation) -> Result<Self, VaultError> {
        let (name, hidden, file) = hidden_file(&vault.folder)?;
        let mut deposit =
            Self { kept: vault.path(&name), name, hidden, reservation, writer: None, digest: Sha256::new(), size: 0 };
        let recipients = vault.recipients.iter().map(|recipient| -> &dyn age::Recipient { recipient });
        let encryptor = age::Encryptor::with_recipients(recipients)
            .map_err(|error| deposit.failed(std::io::Error::other(error.to_string())))?;
        let writer = encryptor.wrap_output(BufWriter::new(file)).map_err(|error| deposit.failed(error))?;
        deposit.writer = Some(writer);
        Ok(deposit)
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`VaultError::Full`], or they cannot be written. The file is then given up.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), VaultError> {
        let length = bytes.len() as u64;
        self.reservation.make_room(self.size, length).inspect_err(|_| self.writer = None)?;
        let written = match &mut self.writer {
            Some(writer) => writer.write_all(bytes),
            None => Err(std::io::ErrorKind::NotConnected.into()),
        };
        written.map_err(|error| {
            // What was begun cannot be gone on with.
            self.writer = None;
            self.failed(error)
        })?;
        self.digest.update(bytes);
        self.size += length;
        self.reservation.came(self.size);
        Ok(())
    }

    /// How much has come so far (bytes).
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Ends the file, waits until all of it is on the disk, and gives it its name.
    ///
    /// # Errors
    /// [`VaultError::Full`], or it cannot be written. Nothing of it is left then.
    pub fn finish(mut self) -> Result<Kept, VaultError> {
        let Some(writer) = self.writer.take() else { return Err(self.failed(std::io::ErrorKind::NotConnected.into())) };
        let file = writer.finish().and_then(|buffer| buffer.into_inner().map_err(std::io::IntoInnerError::into_error));
        let file = file.map_err(|error| self.failed(error))?;
        file.sync_all().map_err(|error| self.failed(error))?;
        fs::rename(&self.hidden, &self.kept).map_err(|error| self.failed(error))?;
        let folder = self.kept.parent().unwrap_or(Path::new("."));
        if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
            // Not known to be there: it has to be gone.
            let _ = fs::remove_file(&self.kept);
            return Err(self.failed(error));
        }
        let sha256 = HEXLOWER.encode(&std::mem::take(&mut self.digest).finalize());
        Ok(Kept { name: self.name.clone(), size: self.size, sha256 })
    }

    fn failed(&self, error: std::io::Error) -> VaultError {
        VaultError::of(&self.hidden, error)
    }
}

impl Drop for Deposit {
    fn drop(&mut self) {
        // A finished one has another name by now.
        let _ = fs::remove_file(&self.hidden);
    }
}

impl fmt::Debug for Deposit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deposit").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}

/// A new file under a random hidden name, locked for as long as it is open.
fn hidden_file(folder: &Path) -> Result<(KeptName, PathBuf, File), VaultError> {
    for _ in 0..TRIES {
        let name = KeptName::random()?;
        let path = folder.join(format!(".{name}{}", name::UNFINISHED));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = made.map_err(|error| VaultError::of(&path, error))?;
        let is_ours = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        let links = file.metadata().map_err(|error| VaultError::of(&path, error))?.nlink();
        if is_ours && links == 1 {
            return Ok((name, path, file));
        }
        // A sweep that met the file before it was locked takes it for one that was left behind.
        let _ = fs::remove_file(&path);
    }
    Err(VaultError::of(folder, std::io::ErrorKind::WouldBlock.into()))
}
