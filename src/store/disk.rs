//! The disk that a store's file is on, for errors that tell what to do about it.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A write that fails with less than this free failed for that (bytes): SQLite's two files beside the database take as much.
const NOTHING: u64 = 128 * 1024;

/// A store whose disk has no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    place: String,
    /// None where the disk is a database server's.
    disk: Option<Disk>,
}

/// A disk, and what is free on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Disk {
    mount: PathBuf,
    free: u64,
}

impl Filled {
    /// The store of a database server.
    pub(super) fn of_server(place: String) -> Self {
        Self { place, disk: None }
    }

    /// The store in a file.
    pub(super) fn of_file(place: String) -> Self {
        let disk = Disk::of(Path::new(&place));
        Self { place, disk }
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store {} is full: nothing was changed. Make room on its disk", self.place)?;
        self.disk.as_ref().map_or(Ok(()), |disk| write!(f, ": {disk}"))
    }
}

impl Disk {
    /// The disk of a file, which need not be there; none where the system does not tell.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(folder).ok()?;
        let space = rustix::fs::statvfs(&folder).ok()?;
        let device = fs::metadata(&folder).ok()?.dev();
        let is_same = |at: &&Path| fs::metadata(at).is_ok_and(|at| at.dev() == device);
        let mount = folder.ancestors().take_while(is_same).last()?.to_path_buf();
        // What is free for those who are not root.
        Some(Self { mount, free: space.f_bavail.saturating_mul(space.f_frsize) })
    }

    /// Whether nothing more fits.
    pub(super) fn is_full(&self) -> bool {
        self.free < NOTHING
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (free, unit) = match self.free {
            bytes if bytes < 1024 => (bytes, "bytes"),
            bytes if bytes < 1024 * 1024 => (bytes / 1024, "KiB"),
            bytes => (bytes / 1024 / 1024, "MiB"),
        };
        write!(f, "{free} {unit} are free on the one that is mounted at {}", self.mount.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_says_where_it_is_and_what_is_free() {
        let disk = |free| Disk { mount: "/srv".into(), free };
        assert_eq!(disk(0).to_string(), "0 bytes are free on the one that is mounted at /srv");
        assert_eq!(disk(4096).to_string(), "4 KiB are free on the one that is mounted at /srv");
        assert_eq!(disk(7 << 20).to_string(), "7 MiB are free on the one that is mounted at /srv");
        assert_eq!([0, 4096, 7 << 20].map(|free| disk(free).is_full()), [true, true, false]);
    }

    #[test]
    fn the_disk_of_a_file_is_where_its_folder_is() {
        let proc = Disk::of(Path::new("/proc/1/phoneprov.db")).expect("a mount");
        assert_eq!(proc.mount, Path::new("/proc"));
        assert!(Disk::of(Path::new("phoneprov.db")).is_some_and(|disk| disk.mount.is_absolute()));
        assert_eq!(Disk::of(Path::new("/no/such/folder/phoneprov.db")), None);
    }
}
