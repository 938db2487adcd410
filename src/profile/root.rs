//! The folder that holds the profiles, and the only way to a file below it.

mod follow;
mod print;
mod queue;
mod watch;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};

pub use follow::{Follower, Lost};
pub use queue::{Keep, Queue, asked};
use watch::Watches;

/// The profile folder, held open: a file below it is reached through this descriptor, and the kernel refuses whatever
/// would leave the folder, symbolic links included (`openat2(2)`, `RESOLVE_BENEATH`).
#[derive(Debug)]
pub struct Root {
    folder: OwnedFd,
    path: PathBuf,
    watches: Option<Watches>,
}

/// What the file system says of a file without opening it. Equal stamps mean equal content, once they have [`settled`].
///
/// [`settled`]: Stamp::is_settled
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, u32),
    changed: (i64, u32),
    kind: Kind,
}

/// Which file it is, whatever it is called: a name may be another's tomorrow, which changes the stamp.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Inode {
    device: u64,
    number: u64,
}

/// A thing in the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A socket, device, or pipe: never served.
    Other,
}

impl Root {
    /// Opens the folder of profiles.
    ///
    /// # Errors
    /// The folder is missing, is no folder, or may not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { folder, path: path.to_owned(), watches: None })
    }

    /// The same folder, for who asks for the same stamps again and again: where the kernel tells of changes, a stamp is
    /// taken once and holds until then. `keep` keeps the queues of what it tells.
    #[must_use]
    pub fn watched(self, keep: Keep) -> Self {
        Self { watches: Watches::new(keep), ..self }
    }

    /// Hears of all changes until now, for whom the keeper of the queues does not vouch: who has read on without waiting for
    /// the runtime, or is none of its threads. It is for the stamps that this thread takes next.
    pub fn hear(&self) {
        if let Some(watches) = &self.watches {
            watches.hear();
        }
    }

    /// Whether the folder is still the one at its path: it may have been replaced as a whole.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        let here = rustix::fs::fstat(&self.folder).map(|stat| (stat.st_dev, stat.st_ino));
        let there = rustix::fs::stat(&self.path).map(|stat| (stat.st_dev, stat.st_ino));
        here.is_ok_and(|here| there == Ok(here))
    }

    /// Where the folder is, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The stamp of what stands at `relative`, links followed; `None` when nothing does. A link that leads out of the
    /// folder is seen here and refused by [`Root::open_file`], which every content goes through.
    ///
    /// # Errors
    /// Anything but "there is no such file".
    pub fn stamp(&self, relative: &str) -> io::Result<Option<Stamp>> {
        match &self.watches {
            Some(watches) => watches.stamp(self.folder.as_fd(), relative),
            None => look(self.folder.as_fd(), relative),
        }
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// It is missing, unreadable, no regular file, or a link out of the folder.
    pub fn open_file(&self, relative: &str) -> io::Result<(File, Stamp)> {
        let file = self.open_beneath(relative, OFlags::RDONLY | OFlags::NONBLOCK)?;
        let stamp = Stamp::of(&rustix::fs::fstat(&file)?);
        match stamp.kind {
            Kind::File => Ok((file.into(), stamp)),
            Kind::Folder | Kind::Other => Err(io::Error::other("not a regular file")),
        }
    }

    /// The path, relative to the folder, of what stands at `relative` once every link is followed.
    ///
    /// # Errors
    /// Nothing stands there, or a link leads out of the folder.
    pub fn leads_to(&self, relative: &str) -> io::Result<String> {
        let target = self.open_beneath(relative, OFlags::PATH)?;
        let path = |descriptor: &OwnedFd| std::fs::read_link(format!("/proc/self/fd/{}", descriptor.as_raw_fd()));
        let (target, folder) = (path(&target)?, path(&self.folder)?);
        let below = target.strip_prefix(folder).map_err(io::Error::other)?;
        below.to_str().map(ToOwned::to_owned).ok_or_else(|| io::ErrorKind::InvalidFilename.into())
    }

    /// Whether no link is on the way to what stands at `relative`; no, where nothing does.
    #[must_use]
    pub fn is_direct(&self, relative: &str) -> bool {
        self.leads_to(relative).is_ok_and(|target| target == relative)
    }

    /// Reads a whole file of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Root::open_file`], and when the file is longer than `limit`.
    pub fn read(&self, relative: &str, limit: u64) -> io::Result<(Vec<u8>, Stamp)> {
        let (file, stamp) = self.open_file(relative)?;
        let mut content = Vec::with_capacity(usize::try_from(stamp.size.min(limit)).unwrap_or_default() + 1);
        file.take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(io::Error::other(format!("longer than {limit} bytes")));
        }
        Ok((content, stamp))
    }

    /// The names in a folder, with what each is; `None` when there is no such folder.
    ///
    /// # Errors
    /// It cannot be read, or is a link out of the tree.
    pub fn list(&self, relative: &str) -> io::Result<Option<(Vec<Entry>, Stamp)>> {
        let folder = match self.open_beneath(relative, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(folder) => folder,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let stamp = Stamp::of(&rustix::fs::fstat(&folder)?);
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::new(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name != "." && name != ".." {
                entries.push(Entry { name: name.to_owned(), kind: entry_kind(entry.file_type()) });
            }
        }
        Ok(Some((entries, stamp)))
    }

    fn open_beneath(&self, relative: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let flags = flags | OFlags::CLOEXEC;
        rustix::fs::openat2(&self.folder, relative_or_dot(relative), flags, Mode::empty(), resolve).map_err(|error| {
            if error == rustix::io::Errno::XDEV {
                io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "a symbolic link leads out of the profile folder, or is absolute",
                )
            } else {
                error.into()
            }
        })
    }
}

/// The stamp of what stands at `relative` now.
fn look(root: BorrowedFd<'_>, relative: &str) -> io::Result<Option<Stamp>> {
    match rustix::fs::statat(root, relative_or_dot(relative), AtFlags::empty()) {
        Ok(stat) => Ok(Some(Stamp::of(&stat))),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::NAMETOOLONG) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A name in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The name, without its folder.
    pub name: String,
    /// What it is; `None` for a link, or where the file system does not say.
    pub kind: Option<Kind>,
}

fn entry_kind(kind: FileType) -> Option<Kind> {
    match kind {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Folder),
        FileType::Symlink | FileType::Unknown => None,
        _ => Some(Kind::Other),
    }
}

impl Stamp {
    fn of(stat: &rustix::fs::Stat) -> Self {
        let nanoseconds = |value| u32::try_from(value).unwrap_or_default();
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: (stat.st_mtime, nanoseconds(stat.st_mtime_nsec)),
            changed: (stat.st_ctime, nanoseconds(stat.st_ctime_nsec)),
            kind: match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                _ => Kind::Other,
            },
        }
    }

    /// That of something that is no file, and never changes.
    #[must_use]
    pub(super) fn of_nothing() -> Self {
        Self { device: 0, inode: 0, size: 0, modified: (0, 0), changed: (0, 0), kind: Kind::File }
    }

    /// What stands there.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Which file it is.
    #[must_use]
    pub fn inode(&self) -> Inode {
        Inode { device: self.device, number: self.inode }
    }

    /// When the content was last written, or the file was given its name or its dates: a part of a profile that takes another's
    /// place may be older than it.
    #[must_use]
    pub fn changed(&self) -> SystemTime {
        at(self.modified.max(self.changed))
    }

    /// A text that changes with the content, for an `ETag` where hashing the content would cost a read. Whoever writes a file
    /// may set back when it was modified, but not when that was done.
    #[must_use]
    pub fn tag(&self) -> String {
        let (modified, changed) = (self.modified, self.changed);
        format!("{:x}-{:x}-{:x}.{:x}-{:x}.{:x}", self.inode, self.size, modified.0, modified.1, changed.0, changed.1)
    }

    /// Whether what was read before `now` is all that this stamp stands for. A file written twice within one tick of
    /// the file system's clock keeps its stamp; ticks are 10 ms at the most on Linux file systems, and two seconds
    /// where stamps have no fraction (FAT, old NFS).
    #[must_use]
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let tick = if self.modified.1 == 0 && self.changed.1 == 0 { 2000 } else { 20 };
        let last = at(self.modified.max(self.changed));
        now.duration_since(last).is_ok_and(|age| age > Duration::from_millis(tick))
    }
}

fn at((seconds, nanoseconds): (i64, u32)) -> SystemTime {
    let since = Duration::new(u64::try_from(seconds).unwrap_or_default(), nanoseconds);
    SystemTime::UNIX_EPOCH + since
}

fn relative_or_dot(relative: &str) -> &str {
    if relative.is_empty() { "." } else { relative }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_out_of_the_folder_is_not_opened() {
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("secret.cfg"), "x").expect("a file");
        let inside = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(outside.path().join("secret.cfg"), inside.path().join("a.cfg")).expect("a link");
        std::os::unix::fs::symlink(outside.path(), inside.path().join("b")).expect("a link");
        std::fs::write(inside.path().join("real.cfg"), "y").expect("a file");
        std::os::unix::fs::symlink("real.cfg", inside.path().join("c.cfg")).expect("a link");

        let root = Root::open(inside.path()).expect("the folder");
        let refused = |path: &str| root.read(path, 100).expect_err("out of the tree").to_string();
        assert_eq!(refused("a.cfg"), "a symbolic link leads out of the profile folder, or is absolute");
        assert_eq!(refused("b/secret.cfg"), "a symbolic link leads out of the profile folder, or is absolute");
        assert!(root.list("b").is_err());
        assert_eq!(root.read("c.cfg", 100).expect("a link within the tree").0, b"y");
        assert_eq!(root.leads_to("c.cfg").expect("a link within the tree"), "real.cfg");
        assert!(root.leads_to("a.cfg").is_err());
    }

    #[test]
    fn a_fresh_stamp_is_not_yet_settled() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.cfg"), "x").expect("a file");
        let root = Root::open(folder.path()).expect("the folder");
        let stamp = root.stamp("a.cfg").expect("a stat").expect("the file");
        assert!(!stamp.is_settled(stamp.changed() + Duration::from_millis(1)));
        assert!(stamp.is_settled(SystemTime::now() + Duration::from_secs(1)));
    }
}
