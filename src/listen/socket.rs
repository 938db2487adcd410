//! A TCP stream that does for a short connection only what it must: it is watched by the runtime no sooner than there is
//! something to wait for, its last bytes leave with its FIN, and it ends by being closed, at once where its client sends
//! no more.

use std::io::{self, IoSlice};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use rustix::net::{SendAncillaryBuffer, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

/// How much of what nobody wants is taken from a client before the connection is closed on it (bytes).
const LINGERS: usize = 16 * 1024 * 1024;

/// A connection's bytes, in and out.
pub(crate) struct Socket {
    stream: Stream,
    ending: Ending,
    /// What was taken and thrown away since the last answer (bytes); `None` before.
    lingered: Option<usize>,
}

/// How the connection will end, as its requests say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending(Arc<AtomicU8>);

/// The answer under way is the last. What the kernel could hold back until the end then goes in one packet with FIN
/// (`MSG_MORE`), which halves what a connection for one small file costs both ends.
const LAST: u8 = 1;

/// A request has a body, which is not read. A socket that is closed on unread bytes tells its client to forget what it
/// has not yet read, and that is the answer.
const UNREAD: u8 = 2;

/// The task has waited for the runtime to tell of what it then read.
const WAITED: u8 = 4;

enum Stream {
    /// Just accepted: its request is there, as a rule, and no event loop needs to know of it.
    Fresh(TcpStream),
    /// It has been read from: the next bytes have to be waited for.
    Read(TcpStream),
    /// Its one request is read, and the answer may be on its way before anybody has to wait.
    Ending(TcpStream),
    /// The runtime watches it.
    Watched(tokio::net::TcpStream),
    /// The runtime could not take it.
    Lost,
}

impl Ending {
    /// From now on: the client has asked for the connection's end with the answer under way.
    pub(crate) fn comes_now(&self) {
        self.0.fetch_or(LAST, Ordering::Relaxed);
    }

    /// From now on: the client sends what nobody reads.
    pub(crate) fn leaves_a_body(&self) {
        self.0.fetch_or(UNREAD, Ordering::Relaxed);
    }

    /// Whether the bytes of the request that has just come had to be waited for, and nothing else since: they came with a turn
    /// of the runtime, after everything that came before them.
    pub(crate) fn takes_what_was_waited_for(&self) -> bool {
        self.0.fetch_and(!WAITED, Ordering::Relaxed) & WAITED != 0
    }

    fn is(&self, what: u8) -> bool {
        self.0.load(Ordering::Relaxed) & what != 0
    }

    fn flags(&self) -> SendFlags {
        let more = if self.is(LAST) { SendFlags::MORE } else { SendFlags::empty() };
        SendFlags::NOSIGNAL | more
    }
}

impl Socket {
    /// A stream that does not block, and what its end is announced with.
    pub(crate) fn new(stream: TcpStream) -> (Self, Ending) {
        let ending = Ending::default();
        (Self { stream: Stream::Fresh(stream), ending: ending.clone(), lingered: None }, ending)
    }

    /// The stream as the runtime watches it.
    fn watched(&mut self) -> io::Result<&mut tokio::net::TcpStream> {
        if !matches!(self.stream, Stream::Watched(_)) {
            self.stream = match std::mem::replace(&mut self.stream, Stream::Lost) {
                Stream::Fresh(stream) | Stream::Read(stream) | Stream::Ending(stream) => {
                    Stream::Watched(tokio::net::TcpStream::from_std(stream)?)
                }
                other => other,
            };
        }
        match &mut self.stream {
            Stream::Watched(stream) => Ok(stream),
            Stream::Fresh(_) | Stream::Read(_) | Stream::Ending(_) | Stream::Lost => {
                Err(io::ErrorKind::NotConnected.into())
            }
        }
    }

    /// Sends by `send`, at once where the kernel has room, else when it has.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        send: impl Fn(BorrowedFd<'_>, SendFlags) -> rustix::io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let flags = self.ending.flags();
        if let Stream::Fresh(stream) | Stream::Read(stream) | Stream::Ending(stream) = &self.stream {
            match send(stream.as_fd(), flags) {
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                gone => return Poll::Ready(Ok(gone?)),
            }
        }
        let stream = self.watched()?;
        loop {
            ready!(stream.poll_write_ready(context))?;
            match stream.try_io(Interest::WRITABLE, || Ok(send(stream.as_fd(), flags)?)) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                gone => return Poll::Ready(gone),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match std::mem::replace(&mut self.stream, Stream::Lost) {
            Stream::Fresh(mut stream) => match io::Read::read(&mut stream, into.initialize_unfilled()) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                    self.stream = Stream::Read(stream);
                }
                read => {
                    self.stream = Stream::Read(stream);
                    return Poll::Ready(read.map(|read| into.advance(read)));
                }
            },
            // HTTP looks for a hang-up while it answers. An answer that is ready needs no watch for that; one that is
            // not gets it when the task is looked at again, which is at once.
            Stream::Read(stream) if self.ending.is(LAST) => {
                self.stream = Stream::Ending(stream);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            other => self.stream = other,
        }
        let read = Pin::new(self.watched()?).poll_read(context, into);
        if read.is_pending() {
            self.ending.0.fetch_or(WAITED, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(context, |socket, flags| rustix::net::send(socket, bytes, flags))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closing sends what is left and then FIN; `shutdown(2)` right before it changes nothing that a client could see. Only
    /// a client that still sends is listened to until it stops: for so long as the connection's clock allows.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.ending.is(UNREAD) {
            return Poll::Ready(Ok(()));
        }
        if self.lingered.is_none() {
            self.lingered = Some(0);
            rustix::net::shutdown(self.watched()?, rustix::net::Shutdown::Write)?;
        }
        let mut room = [0; 16 * 1024];
        while self.lingered.is_some_and(|bytes| bytes < LINGERS) {
            let mut unwanted = ReadBuf::new(&mut room);
            ready!(Pin::new(self.watched()?).poll_read(context, &mut unwanted))?;
            match unwanted.filled().len() {
                0 => break,
                bytes => self.lingered = self.lingered.map(|all| all + bytes),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, |socket, flags| match parts {
            // As TLS has it.
            [part] => rustix::net::send(socket, part, flags),
            _ => rustix::net::sendmsg(socket, parts, &mut SendAncillaryBuffer::default(), flags),
        })
    }
}
