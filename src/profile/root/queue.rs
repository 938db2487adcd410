//! A queue of what the kernel has to tell (`inotify(7)`), and who knows whether a look at it is worth a system call.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::inotify::{self, CreateFlags};

/// A queue, kept by whoever drives the process.
pub trait Queue: AsFd + fmt::Debug + Send {
    /// Calls `look`, unless the queue is known to have been empty when the request under way was heard; `look` says whether
    /// it has emptied it. Whether it is empty.
    fn hear(&self, look: &mut dyn FnMut() -> bool) -> bool;
}

/// Makes a queue of a new one of the kernel's.
pub type Keep = fn(OwnedFd) -> io::Result<Box<dyn Queue>>;

/// Keeps a queue that nobody watches: it is looked at each time.
///
/// # Errors
/// None; other ways to keep one have some.
pub fn asked(queue: OwnedFd) -> io::Result<Box<dyn Queue>> {
    Ok(Box::new(Asked(queue)))
}

/// A new queue of the kernel's, kept by `keep`.
pub(super) fn open(keep: Keep) -> io::Result<Box<dyn Queue>> {
    keep(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?)
}

/// The file systems of Linux whose every change is made by this kernel, by the magic numbers of `statfs(2)`.
const TELLING: [u64; 6] = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0xF2F5_2010, 0x2FC1_2FC1];

/// Whether the kernel tells of every change to what stands at this path.
pub(super) fn is_told_of(path: &str) -> bool {
    let magic = rustix::fs::statfs(path).ok().and_then(|file_system| u64::try_from(file_system.f_type).ok());
    magic.is_some_and(|magic| TELLING.contains(&magic))
}

#[derive(Debug)]
struct Asked(OwnedFd);

impl AsFd for Asked {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Queue for Asked {
    fn hear(&self, look: &mut dyn FnMut() -> bool) -> bool {
        look()
    }
}
