//! The kernel's news of the profile folder, as the runtime's turns bring them.
//!
//! A turn of the runtime (`epoll_wait(2)`) brings everything that became ready before it, in the order in which it did. What
//! changed in a folder before a request came in is there with the request, or was there before it: a queue of which the
//! runtime has told nothing is empty for a request that its task had to wait for, without a system call of its own.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;

use crate::profile::root::{Queue, asked};

/// Keeps a queue that the runtime watches; outside of a runtime it is looked at each time.
///
/// # Errors
/// The runtime cannot watch it.
#[expect(
    deprecated,
    reason = "its successor is `unsafe` and asks that the descriptor outlives the registration: an OwnedFd does"
)]
pub fn watched(queue: OwnedFd) -> io::Result<Box<dyn Queue>> {
    match Handle::try_current() {
        Ok(_) => Ok(Box::new(Watched(AsyncFd::with_interest(queue, Interest::READABLE)?))),
        Err(_) => asked(queue),
    }
}

#[derive(Debug)]
struct Watched(AsyncFd<OwnedFd>);

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Queue for Watched {
    fn hear(&self, look: &mut dyn FnMut() -> bool) -> bool {
        let looked = self.0.try_io(Interest::READABLE, |_| match look() {
            // The runtime takes it as told, until there is more.
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => Ok(()),
        });
        match looked {
            Ok(()) => false,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
            // The runtime ends, and tells of nothing any more.
            Err(_) => look(),
        }
    }
}
