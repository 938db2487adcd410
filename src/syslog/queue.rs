//! Lines on their way from a receiver to who keeps them: bounded by what they take in memory, not by their number, so that
//! a storm of short ones finds room and one of long ones does no harm.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::Line;

/// What a line takes beside its texts (bytes).
const BESIDE: usize = 256;

/// Where a receiver puts lines.
#[derive(Debug, Clone)]
pub struct Lines {
    room: Arc<Semaphore>,
    size: u32,
    out: mpsc::UnboundedSender<Line>,
}

/// Where they come out.
#[derive(Debug)]
pub struct Heard {
    room: Arc<Semaphore>,
    size: usize,
    lines: mpsc::UnboundedReceiver<Line>,
}

/// Nobody takes lines any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// A queue of lines that take so many bytes together. What was taken out counts until [`Heard::done`].
#[must_use]
pub fn queue(bytes: u32) -> (Lines, Heard) {
    let size = usize::try_from(bytes).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
    let room = Arc::new(Semaphore::new(size));
    let (out, lines) = mpsc::unbounded_channel();
    (Lines { room: room.clone(), size: bytes, out }, Heard { room, size, lines })
}

impl Lines {
    /// Puts a line in, as soon as there is room for it.
    ///
    /// # Errors
    /// Nobody takes lines any more.
    pub async fn send(&self, line: Line) -> Result<(), Closed> {
        let weight = u32::try_from(weight(&line)).unwrap_or(self.size).min(self.size);
        let room = self.room.acquire_many(weight).await.map_err(|_| Closed)?;
        self.out.send(line).map_err(|_| Closed)?;
        room.forget();
        Ok(())
    }
}

impl Heard {
    /// The next line.
    pub async fn recv(&mut self) -> Option<Line> {
        self.lines.recv().await
    }

    /// The next line, where there is one already.
    pub fn try_recv(&mut self) -> Option<Line> {
        self.lines.try_recv().ok()
    }

    /// Makes room: this line is where it belongs.
    pub fn done(&self, line: &Line) {
        self.room.add_permits(weight(line).min(self.size));
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.room.close();
    }
}

fn weight(line: &Line) -> usize {
    let said = line.said.as_ref();
    let texts = [said.and_then(|said| said.path.as_ref()), said.and_then(|said| said.error.as_ref())];
    BESIDE + line.text.len() + texts.into_iter().flatten().map(String::len).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use tokio::time::timeout;

    use super::*;
    use crate::syslog::Messages;

    fn line(text: &str) -> Line {
        Messages::default().read(text.as_bytes(), [192, 0, 2, 1].into(), Timestamp::UNIX_EPOCH)
    }

    #[tokio::test]
    async fn what_finds_no_room_waits_until_something_is_done() {
        let (lines, mut heard) = queue(1000);
        for _ in 0..3 {
            lines.send(line("short")).await.expect("room");
        }
        let one_more = || timeout(Duration::from_millis(20), lines.send(line("short")));
        assert!(one_more().await.is_err(), "there is no room");
        let first = heard.try_recv().expect("a line");
        assert!(one_more().await.is_err(), "it is not done yet");
        heard.done(&first);
        assert_eq!(one_more().await, Ok(Ok(())));
        drop(heard);
        assert_eq!(lines.send(line("short")).await, Err(Closed));
    }

    #[tokio::test]
    async fn a_line_that_is_larger_than_all_of_it_goes_through_alone() {
        let (lines, mut heard) = queue(100);
        lines.send(line("one")).await.expect("room");
        assert!(timeout(Duration::from_millis(20), lines.send(line("two"))).await.is_err());
        let first = heard.recv().await.expect("a line");
        heard.done(&first);
        lines.send(line("two")).await.expect("room");
    }
}
