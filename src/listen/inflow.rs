//! A request's body as it comes in: no more than a limit, and not for ever.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use crate::config::Limits;
use crate::provision::UploadFault;

/// The body of an upload.
pub(super) struct Inflow {
    body: Incoming,
    limit: &'static str,
    most: u64,
    came: u64,
    pause: Duration,
    end: Instant,
}

impl Inflow {
    /// A body that may have so many bytes; the limit's key is for the log.
    ///
    /// # Errors
    /// It announces more.
    pub(super) fn new(
        body: Incoming,
        limits: &Limits,
        (limit, most): (&'static str, u64),
    ) -> Result<Self, UploadFault> {
        if body.size_hint().lower() > most {
            return Err(UploadFault::TooLarge { limit, most });
        }
        let (pause, end) = (limits.request.duration(), Instant::now() + limits.upload.duration());
        Ok(Self { body, limit, most, came: 0, pause, end })
    }

    /// How much is to come, where the client says so (bytes).
    pub(super) fn announced(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// It is too much, too slow, or the client has gone.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, UploadFault> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            let late =
                if left < self.pause { "not at its end within limits.upload" } else { "nothing for limits.request" };
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
            let frame = timeout(left.min(self.pause), frame).await.map_err(|_| UploadFault::Slow(late))?;
            let Some(frame) = frame.transpose().map_err(|_| UploadFault::Broken)? else { return Ok(None) };
            // Trailers say nothing here.
            let Ok(bytes) = frame.into_data() else { continue };
            self.came = self.came.saturating_add(bytes.len() as u64);
            if self.came > self.most {
                return Err(UploadFault::TooLarge { limit: self.limit, most: self.most });
            }
            return Ok(Some(bytes));
        }
    }

    /// All of it, in memory.
    ///
    /// # Errors
    /// As [`Inflow::next`].
    pub(super) async fn whole(&mut self, came: &mut u64) -> Result<Vec<u8>, UploadFault> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            *came += bytes.len() as u64;
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }
}
