//! A stream that remembers the first octet that came: it tells a server that speaks TLS where HTTP was expected.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The first octets of TLS records that may answer an HTTP request: an alert, a handshake (RFC 8446, section 5.1).
const RECORDS: [u8; 2] = [21, 22];

/// What came first, if anything did.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstOctet(Arc<OnceLock<u8>>);

/// A connection whose first octet is looked at.
pub(super) struct Watched {
    stream: TcpStream,
    first: FirstOctet,
}

impl FirstOctet {
    /// Whether the server answered in TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.0.get().is_some_and(|first| RECORDS.contains(first))
    }

    /// Watches a connection.
    pub(super) fn watch(&self, stream: TcpStream) -> Watched {
        Watched { stream, first: self.clone() }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(first) = buffer.filled().get(before) {
            self.first.0.get_or_init(|| *first);
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
