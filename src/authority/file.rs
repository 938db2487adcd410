//! Writing certificates and keys so that a crash leaves either the whole file or none, and nobody's file is lost.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::AuthorityError;

/// The largest file that is read, in bytes: a certificate or a key has a hundredth of it.
const LARGEST: u64 = 1024 * 1024;

/// Who may read the file, from its first byte on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner alone (mode 0600): private keys.
    Owner,
    /// Everyone (mode 0644): certificates.
    Everyone,
}

/// What to do where the file is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Present {
    /// Nothing is written, and the error names the file.
    Refuse,
    /// The new file takes its place in one step.
    Replace,
}

/// Writes `text` to `path` by way of a temporary file in the same folder.
pub(super) fn write(path: &Path, text: &str, readers: Readers, present: Present) -> Result<(), AuthorityError> {
    let failed = |reason| AuthorityError::Write { path: path.into(), reason };
    let temporary = temporary(path)?;
    let result = fill(&temporary, text, readers).and_then(|()| match present {
        Present::Refuse => place(&temporary, path),
        Present::Replace => fs::rename(&temporary, path),
    });
    if result.is_err() || present == Present::Refuse {
        // After a link both names are the same file; after a failure the temporary one is of no use.
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => AuthorityError::Exists(path.into()),
        _ => failed(error),
    })
}

fn fill(path: &Path, text: &str, readers: Readers) -> io::Result<()> {
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everyone => 0o644,
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Gives the file its name unless the name is taken: a link fails on a taken name, a rename would overwrite. Where the
/// file system has no links (shared folders of virtual machines), a look beforehand must do.
fn place(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => {
            if path.try_exists()? { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(temporary, path) }
        }
        linked => linked,
    }
}

/// A name beside `path` that the server does not serve and no other process takes.
fn temporary(path: &Path) -> Result<PathBuf, AuthorityError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.{:016x}", u64::from_be_bytes(super::random()?))))
}

/// The text of a file of the authority.
pub(super) fn read(path: &Path) -> Result<String, AuthorityError> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text)).and_then(|_| {
        let is_large = text.len() as u64 > LARGEST;
        if is_large { Err(io::Error::other("it is larger than any file of the authority")) } else { Ok(()) }
    });
    read.map(|()| text).map_err(|reason| AuthorityError::Read { path: path.into(), reason })
}

/// Whether there is something of this name.
pub(super) fn exists(path: &Path) -> Result<bool, AuthorityError> {
    path.try_exists().map_err(|reason| AuthorityError::Read { path: path.into(), reason })
}

/// Makes the folder where there is none; only its owner may put files in it.
pub(super) fn folder(path: &Path) -> Result<(), AuthorityError> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.map_err(|reason| AuthorityError::Write { path: path.into(), reason })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_has_its_mode_and_leaves_no_other_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.key");
        write(&path, "key", Readers::Owner, Present::Refuse).expect("written");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["ca.key"]);
    }

    #[test]
    fn a_file_that_is_there_stays_unless_it_is_to_be_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("server.pem");
        write(&path, "old", Readers::Everyone, Present::Refuse).expect("written");
        let error = write(&path, "new", Readers::Everyone, Present::Refuse).expect_err("refused");
        assert!(error.to_string().contains("server.pem` exists already"), "{error}");
        assert_eq!(read(&path).expect("text"), "old");
        write(&path, "new", Readers::Everyone, Present::Replace).expect("replaced");
        assert_eq!(read(&path).expect("text"), "new");
        assert_eq!(names(folder.path()), ["server.pem"]);
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let error = write(Path::new("/nowhere/ca.key"), "", Readers::Owner, Present::Refuse).expect_err("refused");
        assert!(error.to_string().starts_with("cannot write `/nowhere/ca.key`"), "{error}");
    }
}
