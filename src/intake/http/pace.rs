//! How fast a body has to come: a client that stalls or trickles holds no place for ever.

use std::pin::Pin;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

use super::Door;

/// What has to come in `uploads.stall` (bytes).
const LEAST: u64 = 16 * 1024;

/// No more of a body is read: the client went away, its body is no HTTP, it is too slow, or we stop. Which.
pub(super) struct Broken(pub(super) &'static str);

/// How fast a body has to come.
pub(super) struct Pace<'a> {
    door: &'a Door,
    deadline: Instant,
    /// What came since the deadline was set (bytes).
    came: u64,
    /// When what came last was there.
    read: Instant,
}

impl<'a> Pace<'a> {
    /// The time begins to run.
    pub(super) fn new(door: &'a Door) -> Self {
        let now = Instant::now();
        Self { door, deadline: now + door.stall(), came: 0, read: now }
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, Broken> {
        loop {
            let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
            let frame = tokio::select! {
                biased;
                frame = frame => frame,
                () = tokio::time::sleep_until(self.deadline) => {
                    return Err(Broken("it stalled: less than 16 KiB came within uploads.stall"));
                }
                () = self.door.has_to_end() => return Err(Broken("the server stops")),
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Broken("it broke off before its end"))?;
            // Trailers are nothing that is kept.
            let Ok(bytes) = frame.into_data() else { continue };
            self.read = Instant::now();
            self.came += bytes.len() as u64;
            if self.came >= LEAST {
                (self.deadline, self.came) = (self.read + self.door.stall(), 0);
            }
            return Ok(Some(bytes));
        }
    }

    /// The client is not to blame for the time that our disk took.
    pub(super) fn wrote(&mut self) {
        self.deadline += self.read.elapsed();
    }
}
