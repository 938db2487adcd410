//! A connection's bytes as hyper moves them, under its clock.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::clock::Clock;

/// A stream that tells the clock when bytes come in and go out.
pub(super) struct Timed<S> {
    io: TokioIo<S>,
    clock: Clock,
}

impl<S> Timed<S> {
    /// A stream under this clock.
    pub(super) fn new(stream: S, clock: Clock) -> Self {
        Self { io: TokioIo::new(stream), clock }
    }
}

impl<S: AsyncRead + Unpin> Read for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = &read {
            self.clock.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> Write for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, buffer);
        if let Poll::Ready(Ok(1..)) = &written {
            self.clock.sent();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        if let Poll::Ready(Ok(())) = &flushed {
            self.clock.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, buffers);
        if let Poll::Ready(Ok(1..)) = &written {
            self.clock.sent();
        }
        written
    }
}
