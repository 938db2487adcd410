//! Standard output, in batches while the server is busy and at once when it is not.
//!
//! Lines gather in memory until the runtime has nothing else to do, which is when a thread is about to wait for the
//! network ([`flush`] is its hook), or until they fill the buffer. An idle server writes each line at once; a busy one
//! saves most of the system calls. What is lost by a kill -9 is at most what a busy moment has gathered.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// Lines are written when they have gathered to this many bytes, busy or not.
const FULL: usize = 32 * 1024;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Adds a request's line.
pub(super) fn push(line: &[u8]) {
    let mut lines = lines();
    lines.extend_from_slice(line);
    if lines.len() >= FULL {
        write(&mut lines);
    }
}

/// Writes what has gathered.
pub fn flush() {
    write(&mut lines());
}

fn lines() -> MutexGuard<'static, Vec<u8>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A log that fails to be written stops no phone. One that nobody reads does: a full pipe blocks here.
fn write(lines: &mut Vec<u8>) {
    if !lines.is_empty() {
        let mut out = io::stdout().lock();
        let _ = out.write_all(lines).and_then(|()| out.flush());
        lines.clear();
    }
}

/// Tracing's way to the same place: an event is rare and goes out at once, after the requests before it.
pub(super) struct Events;

impl MakeWriter<'_> for Events {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Events {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut lines = lines();
        lines.extend_from_slice(event);
        write(&mut lines);
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
