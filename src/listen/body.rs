//! An answer's body as hyper asks for it, which writes the request's log line when it is done with.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use super::clock::{Clock, Stage};
use crate::log::Record;
use crate::provision::{Body, SHORTER};

/// How much of a file is read at once (bytes).
const CHUNK: u64 = 256 * 1024;

/// A body on its way to a client.
pub(super) struct Reply {
    content: Content,
    remaining: u64,
    sent: u64,
    record: Option<Box<Record>>,
    clock: Clock,
    wanted: bool,
}

enum Content {
    Whole(Option<Bytes>),
    Read(FileChunks),
}

/// A part of a file, read chunk by chunk off the runtime's threads.
struct FileChunks {
    file: Arc<File>,
    offset: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Reply {
    /// The body of an answer; `wanted` is false for HEAD, which gets the headers only.
    pub(super) fn new(body: Body, record: Box<Record>, clock: Clock, wanted: bool) -> Self {
        let remaining = body.length();
        let content = match body {
            Body::Bytes(bytes) => Content::Whole(Some(bytes)),
            Body::File { file, start, .. } => {
                Content::Read(FileChunks { file: Arc::new(file), offset: start, reading: None })
            }
        };
        Self { content, remaining, sent: 0, record: Some(record), clock, wanted }
    }
}

impl http_body::Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let reply = &mut *self;
        if reply.remaining == 0 {
            return Poll::Ready(None);
        }
        let read = match &mut reply.content {
            Content::Whole(bytes) => Ok(bytes.take().unwrap_or_default()),
            Content::Read(chunks) => ready!(chunks.poll_next(context, reply.remaining)),
        };
        let bytes = match read {
            Ok(bytes) if bytes.is_empty() => Err(io::Error::other(SHORTER)),
            other => other,
        };
        match bytes {
            Ok(bytes) => {
                reply.remaining = reply.remaining.saturating_sub(bytes.len() as u64);
                reply.sent += bytes.len() as u64;
                reply.clock.enter(Stage::Request);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Err(error) => {
                reply.remaining = 0;
                if let Some(record) = &mut reply.record {
                    record.broken(&error.to_string());
                }
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

impl FileChunks {
    fn poll_next(&mut self, context: &mut Context<'_>, remaining: u64) -> Poll<io::Result<Bytes>> {
        let (file, offset) = (&self.file, self.offset);
        let reading = self.reading.get_or_insert_with(|| {
            let file = file.clone();
            let length = usize::try_from(remaining.min(CHUNK)).unwrap_or_default();
            tokio::task::spawn_blocking(move || {
                let mut chunk = vec![0; length];
                let read = file.read_at(&mut chunk, offset)?;
                chunk.truncate(read);
                Ok(chunk.into())
            })
        });
        let read = ready!(Pin::new(reading).poll(context)).unwrap_or_else(|error| Err(io::Error::other(error)));
        self.reading = None;
        if let Ok(bytes) = &read {
            self.offset += bytes.len() as u64;
        }
        Poll::Ready(read)
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.clock.enter(Stage::Answered);
        if let Some(mut record) = self.record.take() {
            if self.wanted && self.remaining > 0 {
                match self.clock.is_late() {
                    true => record.broken("the client made no progress within limits.request"),
                    false => record.left("the client went away"),
                }
            }
            record.finish(self.sent);
        }
    }
}
