//! Standard output, in batches while the server is busy and at once when it is not.
//!
//! Lines gather in memory until the runtime has nothing else to do, which is when a thread is about to wait for the
//! network ([`flush`] is its hook), or until they fill the buffer. An idle server writes each line at once; a busy one
//! saves most of the system calls. What is lost by a kill -9 is at most what a busy moment has gathered.
//!
//! A log that nobody reads stops no phone: a full pipe is never waited for. Its lines are kept up to a bound, then left
//! out, and how many is said once somebody reads again.

use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::FileType;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::Format;
use crate::terminal::{Json, Lines as Text};

/// Lines are written when they have gathered to this many bytes, busy or not.
const FULL: usize = 32 * 1024;

/// What is kept of a log that nobody reads (bytes).
const KEPT: usize = 4 * 1024 * 1024;

/// What a pipe that has room is sure to take whole (`PIPE_BUF`, pipe(7)).
const ATOMIC: usize = 4096;

static LINES: Mutex<Lines> = Mutex::new(Lines { waiting: Vec::new(), left_out: 0 });

/// What is not written yet.
struct Lines {
    waiting: Vec<u8>,
    left_out: u64,
}

/// Adds a request's line.
pub(super) fn push(line: &[u8]) {
    let mut lines = lines();
    lines.add(line);
    if lines.waiting.len() >= FULL {
        lines.write();
    }
}

/// Writes what has gathered.
pub fn flush() {
    let left_out = {
        let mut lines = lines();
        lines.write();
        if lines.waiting.is_empty() { mem::take(&mut lines.left_out) } else { 0 }
    };
    if left_out > 0 {
        tracing::warn!(lines = left_out, "log lines were left out: nobody read standard output");
    }
}

fn lines() -> MutexGuard<'static, Lines> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lines {
    fn add(&mut self, line: &[u8]) {
        if self.waiting.len() + line.len() > KEPT {
            self.left_out += 1;
        } else {
            self.waiting.extend_from_slice(line);
        }
    }

    /// Writes as much as standard output takes without being waited for. One that is closed takes everything.
    fn write(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let out = io::stdout();
        let mut written = 0;
        while let Some(rest) = self.waiting.get(written..).filter(|rest| !rest.is_empty()) {
            let part = if never_blocks(out.as_fd()) { rest } else { &rest[..rest.len().min(ATOMIC)] };
            match has_room(out.as_fd()).then(|| rustix::io::write(&out, part)) {
                Some(Ok(taken)) => written += taken,
                Some(Err(rustix::io::Errno::INTR)) => {}
                None | Some(Err(rustix::io::Errno::AGAIN)) => break,
                Some(Err(_)) => written = self.waiting.len(),
            }
        }
        self.waiting.drain(..written);
    }
}

/// Whether it is a file: the only kind that is never full for a while.
fn never_blocks(out: BorrowedFd<'_>) -> bool {
    static IS_FILE: OnceLock<bool> = OnceLock::new();
    *IS_FILE.get_or_init(|| {
        rustix::fs::fstat(out).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    })
}

fn has_room(out: BorrowedFd<'_>) -> bool {
    never_blocks(out) || {
        let mut polled = [PollFd::from_borrowed_fd(out, PollFlags::OUT)];
        !matches!(rustix::event::poll(&mut polled, Some(&Timespec::default())), Ok(0))
    }
}

/// Tracing's way to the same place: an event is rare and goes out at once, after the requests before it. Nothing in it moves
/// a cursor or turns a line around, which tracing itself leaves to others.
#[derive(Clone, Copy)]
pub(super) struct Events(pub(super) Format);

impl MakeWriter<'_> for Events {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

impl Events {
    /// The event as it may be read at a terminal. An error of the configuration has several lines, as it is.
    fn shown(self, event: &[u8]) -> String {
        let text = String::from_utf8_lossy(event);
        match self.0 {
            Format::Json => Json(&text).to_string(),
            Format::Text => Text(&text).to_string(),
        }
    }
}

impl Write for Events {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let shown = self.shown(event);
        let mut lines = lines();
        lines.add(shown.as_bytes());
        lines.write();
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_event_moves_a_cursor_or_turns_a_line_around() {
        let event = "INFO a\u{1b}[2J\u{9b}1m\u{202e}\n".as_bytes();
        assert_eq!(Events(Format::Text).shown(event), "INFO a\\u{1b}[2J\\u{9b}1m\\u{202e}\n");
        let json = "{\"message\":\"\u{9b}1m\u{202e}\"}\n".as_bytes();
        assert_eq!(Events(Format::Json).shown(json), "{\"message\":\"\\u009b1m\\u202e\"}\n");
    }
}
