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
