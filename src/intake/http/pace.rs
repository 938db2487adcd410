//! A body as it comes, as fast as it has to.

use std::pin::Pin;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};

use super::Door;
use crate::intake::pace::{Pace, STALLED};

/// No more of a body is read: the client went away, its body is no HTTP, it is too slow, or we stop. Which.
pub(super) struct Broken(pub(super) &'static str);

/// A body that is read.
pub(super) struct Paced<'a> {
    door: &'a Door,
    body: Incoming,
    pace: Pace,
}

impl<'a> Paced<'a> {
    /// The time begins to run.
    pub(super) fn new(door: &'a Door, body: Incoming) -> Self {
        Self { door, body, pace: Pace::new(door.intake.settings().stall.duration()) }
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let frame = std::future::poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
            let frame = tokio::select! {
                biased;
                frame = frame => frame,
                () = tokio::time::sleep_until(self.pace.deadline()) => return Err(Broken(STALLED)),
                () = self.door.has_to_end() => return Err(Broken("the server stops")),
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Broken("it broke off before its end"))?;
            // Trailers are nothing that is kept.
            let Ok(bytes) = frame.into_data() else { continue };
            self.pace.came(bytes.len());
            return Ok(Some(bytes));
        }
    }

    /// What came is written.
    pub(super) fn wrote(&mut self) {
        self.pace.wrote();
    }
}
