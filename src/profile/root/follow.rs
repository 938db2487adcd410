//! Which names come to a folder and go from it, as the kernel tells (`inotify(7)`): who follows a folder need not read all of
//! it again for each.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::fs::{AtFlags, OFlags};
use rustix::io::Errno;

use super::{Inode, Root, Stamp, queue};

/// News read in one look (bytes, and how many): four times what the kernel's queue holds unless its owner made it longer.
const ROOM: usize = 16_384;
const NEWS: usize = 65_536;

/// A folder that is followed since before it was read.
#[derive(Debug)]
pub struct Follower {
    queue: OwnedFd,
    inode: Inode,
}

/// The kernel has lost count, or the folder is gone: it has to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

impl Root {
    /// Follows the names of a folder from now on; `None` where the kernel does not tell of all that happens there.
    ///
    /// # Errors
    /// There is no such folder, it is a link out of the tree, or the kernel has no more queues for us.
    pub fn follow(&self, relative: &str) -> io::Result<Option<Follower>> {
        let folder = self.open_beneath(relative, OFlags::PATH | OFlags::DIRECTORY)?;
        let path = format!("/proc/self/fd/{}", folder.as_raw_fd());
        if !queue::is_told_of(&path) {
            return Ok(None);
        }
        let queue = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let wanted = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::ONLYDIR;
        inotify::add_watch(&queue, path.as_str(), wanted)?;
        Ok(Some(Follower { queue, inode: Stamp::of(&rustix::fs::fstat(&folder)?).inode() }))
    }

    /// Whether a name is there, be it that of a link that leads nowhere.
    ///
    /// # Errors
    /// Anything but "there is no such file".
    pub fn has(&self, relative: &str) -> io::Result<bool> {
        match rustix::fs::statat(&self.folder, relative, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Follower {
    /// Which folder it is.
    #[must_use]
    pub fn inode(&self) -> Inode {
        self.inode
    }

    /// Tells of each name that may have come or gone since the last time: the last word on it is the folder's. What was done
    /// before a request came is told by then, since the kernel tells before the call that does it returns.
    ///
    /// # Errors
    /// [`Lost`]: names may have come and gone that nobody was told of.
    pub fn hear(&self, tell: &mut dyn FnMut(&str)) -> Result<(), Lost> {
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut reader = Reader::new(&self.queue, &mut room);
        let lost = ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED | ReadFlags::UNMOUNT;
        for _ in 0..NEWS {
            match reader.next() {
                Ok(event) if event.events().intersects(lost) => return Err(Lost),
                // A name that is no UTF-8 is none that a phone can ask for.
                Ok(event) => event.file_name().and_then(|name| name.to_str().ok()).into_iter().for_each(&mut *tell),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Lost),
            }
        }
        Err(Lost)
    }
}
