//! A control connection: lines in, replies out, and from some moment on by TLS.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::listen::tls::{Cover, Covered};

/// The longest line (bytes): a name of 4 KiB is refused with a reply, not with the connection's end.
const LONGEST: usize = 8 * 1024;

/// How long a client may take to read a reply.
const REPLY: Duration = Duration::from_secs(30);

/// A control connection.
pub(super) struct Control {
    wire: Wire,
    /// What has come and is no whole line yet.
    bytes: Vec<u8>,
}

/// A connection's bytes, in clear or by TLS.
pub(super) enum Wire {
    /// As they are.
    Clear(TcpStream),
    /// By TLS.
    Covered(Box<Covered>),
    /// The handshake failed.
    Lost,
}

impl Wire {
    /// Reads what there is; 0: the other side has closed, by TLS in order.
    pub(super) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(into).await,
            Self::Covered(stream) => stream.read(into).await,
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(bytes).await,
            Self::Covered(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Tells the other side that no more comes.
    pub(super) async fn close(&mut self) {
        let closing = async {
            match self {
                Self::Clear(stream) => stream.shutdown().await,
                Self::Covered(stream) => stream.shutdown().await,
                Self::Lost => Ok(()),
            }
        };
        // A client that is gone already is as well.
        let _ = tokio::time::timeout(REPLY, closing).await;
    }
}

impl Control {
    /// A connection that has just begun.
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, bytes: Vec::new() }
    }

    /// Whether it is by TLS.
    pub(super) fn is_covered(&self) -> bool {
        matches!(self.wire, Wire::Covered(_))
    }

    /// The next line without its end. May be dropped while it waits, and called again.
    ///
    /// # Errors
    /// The client is gone, or its line has no end.
    pub(super) async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut seen = 0;
        loop {
            if let Some(end) = self.bytes[seen..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.bytes.drain(..=seen + end).collect();
                line.pop();
                line.pop_if(|byte| *byte == b'\r');
                return Ok(line);
            }
            seen = self.bytes.len();
            if seen >= LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end"));
            }
            let mut piece = [0; 1024];
            match self.wire.read(&mut piece).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                length => self.bytes.extend_from_slice(&piece[..length]),
            }
        }
    }

    /// Replies by one line.
    ///
    /// # Errors
    /// The client is gone, or does not read.
    pub(super) async fn reply(&mut self, code: u16, text: &str) -> io::Result<()> {
        self.send(&format!("{code} {text}\r\n")).await
    }

    /// Replies by text that has its code and line ends.
    ///
    /// # Errors
    /// As [`Control::reply`].
    pub(super) async fn send(&mut self, text: &str) -> io::Result<()> {
        tokio::time::timeout(REPLY, self.wire.write(text.as_bytes())).await?
    }

    /// From here on by TLS. What came in clear behind the request for it is nobody's.
    ///
    /// # Errors
    /// The client speaks no TLS, or said something more in clear: it may have been another's word.
    pub(super) async fn cover(&mut self, cover: &Cover, limit: Duration) -> io::Result<()> {
        if !self.bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "commands in clear behind AUTH"));
        }
        let Wire::Clear(stream) = std::mem::replace(&mut self.wire, Wire::Lost) else {
            return Err(io::ErrorKind::AlreadyExists.into());
        };
        self.wire = Wire::Covered(Box::new(tokio::time::timeout(limit, cover.accept(stream)).await??));
        Ok(())
    }

    /// The end.
    pub(super) async fn close(&mut self) {
        self.wire.close().await;
    }
}
