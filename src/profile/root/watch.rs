//! What the kernel has promised to tell of (`inotify(7)`): the stamp of a file in a watched folder holds until it tells.
//!
//! The kernel queues what it has to tell before the call that changes a file returns. So an empty queue says of every
//! remembered stamp that it still holds, for a tenth of what one `stat` costs, or for nothing where the runtime knows that it
//! is empty. All doubt ends at `stat`: other file systems than those that tell, links, files with a second name, folders
//! past the bound, anything told.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use rustix::fs::inotify::{self, ReadFlags, Reader, WatchFlags};
use rustix::fs::{AtFlags, Stat};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use super::print::{Print, Printed, Prints};
use super::queue::{self, Keep, Queue};
use super::{Kind, Stamp};

/// Memories at the most: the kernel allows a user 128 queues in all.
const MEMORIES: usize = 16;

/// Stamps that one of them keeps before all are forgotten.
const STAMPS: usize = 32_768;

/// Folders that one of them watches: the kernel allows a user some thousands.
const FOLDERS: usize = 1024;

/// How long a stamp is believed (seconds). A mount on top of a watched folder, and a file written by way of a memory map, are told
/// by nobody.
const BELIEVED: i64 = 10;

/// News read in one look (bytes, and how many).
const ROOM: usize = 4096;
const NEWS: usize = 1024;

/// Remembered stamps, in several memories so that threads need not wait for each other.
#[derive(Debug)]
pub(super) struct Watches(Box<[Mutex<Memory>]>);

/// The stamps of one queue.
#[derive(Debug)]
struct Memory {
    queue: Box<dyn Queue>,
    keep: Keep,
    /// Whether each folder is watched, or cannot be.
    folders: HashMap<Box<str>, bool>,
    /// By the print of each path: ten thousand names would be ten thousand misses of the processor's cache.
    stamps: HashMap<Print, Option<Stamp>, Printed>,
    prints: Prints,
    /// When the oldest stamp was taken, by [`now`].
    since: i64,
    /// How often everything was forgotten.
    forgotten: u64,
}

/// What a memory knows of a path.
enum Known {
    /// Its stamp, or that nothing stands there.
    Stamp(Option<Stamp>),
    /// Nothing yet. Its stamp may be remembered if nothing has been forgotten since; that of a folder only if it was
    /// watched itself.
    Watched { forgotten: u64, itself: bool },
    /// Nothing, and nothing may be remembered.
    Nothing,
}

impl Watches {
    /// Nothing is watched yet; `None` where the kernel has no queue for us.
    pub(super) fn new(keep: Keep) -> Option<Self> {
        let memories = available_parallelism().map_or(1, usize::from).min(MEMORIES);
        (0..memories).map(|_| Memory::new(keep).map(Mutex::new)).collect::<io::Result<_>>().ok().map(Self)
    }

    /// The stamp of what stands at `relative` below `root`, links followed.
    pub(super) fn stamp(&self, root: BorrowedFd<'_>, relative: &str) -> io::Result<Option<Stamp>> {
        // Somebody else's turn is no reason to wait: a look at the file is as good.
        let known = self.mine().try_lock().map_or(Known::Nothing, |mut memory| memory.known(root, relative));
        let (forgotten, itself) = match known {
            Known::Stamp(stamp) => return Ok(stamp),
            Known::Nothing => return super::look(root, relative),
            Known::Watched { forgotten, itself } => (forgotten, itself),
        };
        let found = match rustix::fs::statat(root, super::relative_or_dot(relative), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if is_told_of(&stat) => Some(Stamp::of(&stat)),
            Err(Errno::NOENT) => None,
            // A link, a second name, or a failure.
            Ok(_) | Err(_) => return super::look(root, relative),
        };
        let is_folder = found.is_some_and(|stamp| stamp.kind == Kind::Folder);
        if let Ok(mut memory) = self.mine().try_lock() {
            match is_folder && !itself {
                // What changes in a folder is told to its own watcher, who comes too late for this stamp.
                true => drop(memory.watch(root, relative)),
                false => memory.remember(relative, found, forgotten),
            }
        }
        Ok(found)
    }

    /// Hears what has been told until now, for who stamps next on this thread.
    pub(super) fn hear(&self) {
        // Whoever has it for the moment looks at the same queue, and has not looked yet for all we know.
        let mut memory = self.mine().lock().unwrap_or_else(PoisonError::into_inner);
        let news = News::read(memory.queue.as_fd());
        memory.take(news);
    }

    /// This thread's memory. Threads share one only where there are more of them than processors.
    fn mine(&self) -> &Mutex<Memory> {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed));
        &self.0[THREAD.with(|thread| thread % self.0.len())]
    }
}

/// Seconds of a clock that only goes forward, as of the kernel's last tick: every request asks.
fn now() -> i64 {
    clock_gettime(ClockId::MonotonicCoarse).tv_sec
}

/// Whether the kernel tells the watcher of its folder whenever this changes: it is no link, whose target stands
/// elsewhere, and has no second name in another folder, by which it might change.
fn is_told_of(stat: &Stat) -> bool {
    match Stamp::of(stat).kind {
        Kind::File => stat.st_nlink == 1,
        Kind::Folder => true,
        Kind::Other => false,
    }
}

impl Memory {
    fn new(keep: Keep) -> io::Result<Self> {
        let (queue, prints) = (queue::open(keep)?, Prints::default());
        let (folders, stamps) = (HashMap::new(), HashMap::default());
        Ok(Self { queue, keep, folders, stamps, prints, since: now(), forgotten: 0 })
    }

    fn known(&mut self, root: BorrowedFd<'_>, relative: &str) -> Known {
        if !self.is_quiet() {
            return Known::Nothing;
        }
        if let Some(stamp) = self.stamps.get(&self.prints.of(relative)) {
            return Known::Stamp(*stamp);
        }
        // Each folder on the way: one that moves takes what is below it along.
        let ends =
            std::iter::once(0).filter(|_| !relative.is_empty()).chain(relative.match_indices('/').map(|(at, _)| at));
        let is_watched = ends.map(|end| &relative[..end]).all(|folder| self.watch(root, folder));
        let itself = self.folders.get(relative).is_some_and(|is_watched| *is_watched);
        if is_watched { Known::Watched { forgotten: self.forgotten, itself } } else { Known::Nothing }
    }

    /// Keeps a stamp that was taken while its folder was watched, unless something was told since.
    fn remember(&mut self, relative: &str, stamp: Option<Stamp>, forgotten: u64) {
        if self.forgotten != forgotten {
            return;
        }
        if self.stamps.len() >= STAMPS {
            self.forget();
        }
        if self.stamps.is_empty() {
            self.since = now();
        }
        self.stamps.insert(self.prints.of(relative), stamp);
    }

    /// Hears what the kernel has to tell, and forgets what may have changed. Whether there is no more to hear.
    fn is_quiet(&mut self) -> bool {
        let mut news = News::default();
        let queue = &self.queue;
        let is_quiet = queue.hear(&mut || {
            news = News::read(queue.as_fd());
            news.is_all
        });
        self.take(news);
        is_quiet
    }

    /// Forgets what may have changed.
    fn take(&mut self, news: News) {
        if news.of_folders {
            self.begin_again();
        } else if news.is_any {
            self.forget();
        } else if !self.stamps.is_empty() && now() - self.since >= BELIEVED {
            // Another file system may stand on a folder by now: what is there has to be watched.
            self.folders.clear();
            self.forget();
        }
    }

    /// Whether the folder is watched; from now on, if it can be.
    fn watch(&mut self, root: BorrowedFd<'_>, folder: &str) -> bool {
        if let Some(is_watched) = self.folders.get(folder) {
            return *is_watched;
        }
        if self.folders.len() >= FOLDERS {
            return false;
        }
        // The root is known by its descriptor; its own path may be another's by now.
        let path = format!("/proc/self/fd/{}/{folder}", root.as_raw_fd());
        let is_watched =
            match queue::is_told_of(&path).then(|| inotify::add_watch(self.queue.as_fd(), path.as_str(), wanted())) {
                Some(Ok(_)) => true,
                // There is none, or none yet.
                Some(Err(Errno::NOENT)) => return false,
                Some(Err(_)) | None => false,
            };
        self.folders.insert(folder.into(), is_watched);
        is_watched
    }

    fn forget(&mut self) {
        self.stamps.clear();
        self.forgotten += 1;
    }

    /// Nothing that was watched need be where it was.
    fn begin_again(&mut self) {
        self.forget();
        self.folders.clear();
        // The old watches go with the queue. Without a new one it serves on, and tells of more than is wanted.
        if let Ok(queue) = queue::open(self.keep) {
            self.queue = queue;
        }
    }
}

/// What a look at a queue has brought.
#[derive(Debug, Default, Clone, Copy)]
struct News {
    /// Something has changed.
    is_any: bool,
    /// Folders among it, or nobody knows what.
    of_folders: bool,
    /// There is no more.
    is_all: bool,
}

impl News {
    fn read(queue: BorrowedFd<'_>) -> Self {
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut reader = Reader::new(queue, &mut room);
        let mut news = Self::default();
        for _ in 0..NEWS {
            match reader.next() {
                Ok(event) => {
                    news.is_any = true;
                    news.of_folders |= changes_folders(event.events());
                }
                Err(Errno::AGAIN) => return Self { is_all: true, ..news },
                Err(Errno::INTR) => {}
                Err(_) => return Self { of_folders: true, ..news },
            }
        }
        news
    }
}

/// Everything that changes a stamp. A link to a folder is not watched: what it leads to could change without a word.
fn wanted() -> WatchFlags {
    WatchFlags::MODIFY
        | WatchFlags::ATTRIB
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVE
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
        | WatchFlags::DONT_FOLLOW
}

/// A folder came, went or moved, or the kernel has lost count.
fn changes_folders(news: ReadFlags) -> bool {
    let shapes = ReadFlags::ISDIR
        | ReadFlags::DELETE_SELF
        | ReadFlags::MOVE_SELF
        | ReadFlags::IGNORED
        | ReadFlags::UNMOUNT
        | ReadFlags::QUEUE_OVERFLOW;
    news.intersects(shapes)
}

#[cfg(test)]
mod tests;
