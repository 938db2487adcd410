//! A connection that can be cut from outside, whatever is under way on it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A connection, until it is cut.
pub(super) struct Wire {
    stream: TcpStream,
    reading: Pin<Box<WaitForCancellationFutureOwned>>,
    writing: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Wire {
    /// A connection that ends with this token.
    pub(super) fn new(stream: TcpStream, cut: CancellationToken) -> Self {
        Self { stream, reading: Box::pin(cut.clone().cancelled_owned()), writing: Box::pin(cut.cancelled_owned()) }
    }

    fn is_cut(waiting: &mut Pin<Box<WaitForCancellationFutureOwned>>, context: &mut Context<'_>) -> bool {
        waiting.as_mut().poll(context).is_ready()
    }
}

/// What both sides are told afterwards. A future that has ended must not be asked again: the stream is closed by then.
fn cut<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        match Self::is_cut(&mut wire.reading, context) {
            true => cut(),
            false => Pin::new(&mut wire.stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        match Self::is_cut(&mut wire.writing, context) {
            true => cut(),
            false => Pin::new(&mut wire.stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_cut_ends_whoever_waits_and_whoever_comes_after() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let _client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("it listens");
        let (stream, _) = listener.accept().await.expect("a client");
        let token = CancellationToken::new();
        let mut wire = Wire::new(stream, token.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            token.cancel();
        });
        let waited = tokio::time::timeout(Duration::from_secs(5), wire.read_u8()).await.expect("in time");
        assert_eq!(waited.expect_err("cut").kind(), io::ErrorKind::ConnectionAborted);
        assert!(wire.read_u8().await.is_err() && wire.write_all(b"x").await.is_err());
    }
}
