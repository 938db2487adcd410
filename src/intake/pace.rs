//! How fast a file has to come: a client that stalls or trickles holds no place for ever, whatever protocol it speaks.

use std::time::Duration;

use tokio::time::Instant;

/// What has to come in `uploads.stall` (bytes).
const LEAST: u64 = 16 * 1024;

/// What is told of a file that came too slowly.
pub const STALLED: &str = "it stalled: less than 16 KiB came within uploads.stall";

/// How fast one file has to come. No I/O: whoever reads waits no longer than its deadline.
#[derive(Debug)]
pub(super) struct Pace {
    stall: Duration,
    deadline: Instant,
    /// What came since the deadline was set (bytes).
    came: u64,
    /// When what came last was there.
    read: Instant,
}

impl Pace {
    /// The time begins to run.
    pub(super) fn new(stall: Duration) -> Self {
        let now = Instant::now();
        Self { stall, deadline: now + stall, came: 0, read: now }
    }

    /// When enough has to be there.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// So many bytes are there.
    pub(super) fn came(&mut self, bytes: usize) {
        self.read = Instant::now();
        self.came = self.came.saturating_add(bytes as u64);
        if self.came >= LEAST {
            (self.deadline, self.came) = (self.read + self.stall, 0);
        }
    }

    /// They are written: the client is not to blame for the time that our disk took.
    pub(super) fn wrote(&mut self) {
        self.deadline += self.read.elapsed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn enough_has_to_come_in_time_and_our_disk_has_its_own() {
        let (stall, second) = (Duration::from_mins(1), Duration::from_secs(1));
        let begun = Instant::now();
        let mut pace = Pace::new(stall);
        for _ in 0..50 {
            tokio::time::advance(second).await;
            pace.came(100);
        }
        assert_eq!(pace.deadline(), begun + stall, "a trickle is no progress");
        pace.came(16 * 1024 - 5000);
        assert_eq!(pace.deadline(), Instant::now() + stall);
        tokio::time::advance(30 * second).await;
        pace.wrote();
        assert_eq!(pace.deadline(), Instant::now() + stall);
    }
}
