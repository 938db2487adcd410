//! A UDP socket that the runtime watches for reading and errors only, and that is written to directly.
//!
//! A datagram that cannot be sent at once is lost like any other on the way, and retransmission makes up for it. So
//! nothing waits for room, and a client that reads wakes nobody here; tokio's own `UdpSocket` watches for room too.

use std::io;
use std::net::UdpSocket;

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// What is watched: a datagram, or an ICMP error that the kernel keeps for the next call.
const WATCHED: Interest = Interest::READABLE.add(Interest::ERROR);

/// A socket registered with the runtime.
#[derive(Debug)]
pub(super) struct Socket(AsyncFd<UdpSocket>);

impl Socket {
    /// Registers a non-blocking socket with the current runtime.
    ///
    /// # Errors
    ///
    /// The runtime cannot watch it.
    #[expect(deprecated, reason = "the replacement is unsafe for the sake of types that change their descriptor")]
    pub(super) fn register(socket: UdpSocket) -> io::Result<Self> {
        AsyncFd::with_interest(socket, WATCHED).map(Self)
    }

    /// Waits for a datagram or an error, which is read from [`Socket::udp`]; whoever finds no more clears the guard.
    ///
    /// # Errors
    ///
    /// The runtime shuts down.
    pub(super) async fn readable(&self) -> io::Result<AsyncFdReadyGuard<'_, UdpSocket>> {
        self.0.ready(WATCHED).await
    }

    /// The socket itself, non-blocking.
    #[must_use]
    pub(super) fn udp(&self) -> &UdpSocket {
        self.0.get_ref()
    }
}
