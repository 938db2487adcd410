//! The way from a transfer to its client and back: a socket of its own, or a share of the one port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::{Domain, Type};
use tokio::sync::mpsc;

use super::packet::{ErrorCode, Packet};
use super::socket::Socket;

/// Room for an acknowledgement or an error; the end of a longer error text is lost.
const REPLY_ROOM: usize = 256;

/// What a client says during a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// It has all blocks up to this one.
    Ack(u16),
    /// It gives up.
    Error(ErrorCode, String),
    /// Its port is closed, says its host by ICMP.
    Gone,
}

impl Reply {
    /// The reply in a packet; `None` if it is none.
    #[must_use]
    pub(super) fn of(packet: &Packet<'_>) -> Option<Self> {
        match packet {
            Packet::Ack { block } => Some(Self::Ack(*block)),
            Packet::Error { code, text } => Some(Self::Error(*code, String::from_utf8_lossy(text).into_owned())),
            Packet::Read(_) | Packet::Write(_) | Packet::Data { .. } | Packet::OptionAck(_) => None,
        }
    }
}

/// One transfer's connection to its client.
#[derive(Debug)]
pub(super) enum Link {
    /// A connected socket: the kernel keeps other senders' packets away.
    Own(Socket),
    /// The listening socket, with replies sorted out by the listener.
    Shared {
        /// The listening socket.
        socket: Arc<Socket>,
        /// The client.
        peer: SocketAddr,
        /// What the client says.
        replies: mpsc::Receiver<Reply>,
    },
}

impl Link {
    /// Opens a socket to `peer` on a port of its own, from the address of the listener if that is bound to one, and
    /// else from the one that the route to the peer starts at.
    ///
    /// # Errors
    ///
    /// No socket or port is left, or there is no route to the peer.
    pub(super) fn open(listener: SocketAddr, peer: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(peer), Type::DGRAM.nonblocking(), None)?;
        if is_mapped(peer) {
            socket.set_only_v6(false)?;
        }
        if !listener.ip().is_unspecified() {
            let mut local = listener;
            local.set_port(0);
            socket.bind(&local.into())?;
        }
        socket.connect(&peer.into())?;
        Ok(Self::Own(Socket::register(socket.into())?))
    }

    /// Sends one packet. What goes wrong is as good as a packet lost on the way.
    pub(super) fn send(&self, packet: &[u8]) {
        let sent = match self {
            Self::Own(socket) => socket.udp().send(packet),
            Self::Shared { socket, peer, .. } => socket.udp().send_to(packet, *peer),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "packet not sent");
        }
    }

    /// Waits for the client. `newest` is the newest block under way: behind its acknowledgement nothing can be waiting
    /// that matters, and the socket is not asked in vain.
    pub(super) async fn receive(&mut self, newest: u16) -> Reply {
        match self {
            Self::Own(socket) => receive(socket, newest).await,
            // The listener holds the other end as long as this transfer is in its table.
            Self::Shared { replies, .. } => replies.recv().await.unwrap_or(Reply::Gone),
        }
    }
}

async fn receive(socket: &Socket, newest: u16) -> Reply {
    let mut room = [0; REPLY_ROOM];
    loop {
        // Only a runtime that shuts down has no readiness to tell.
        let Ok(mut ready) = socket.readable().await else {
            return Reply::Gone;
        };
        let reply = match socket.udp().recv(&mut room) {
            Ok(length) => Packet::parse(&room[..length]).ok().and_then(|packet| Reply::of(&packet)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Some(Reply::Gone),
            Err(_) => {
                ready.clear_ready();
                continue;
            }
        };
        if reply == Some(Reply::Ack(newest)) {
            ready.clear_ready();
        }
        if let Some(reply) = reply {
            return reply;
        }
    }
}

fn is_mapped(peer: SocketAddr) -> bool {
    match peer {
        SocketAddr::V4(_) => false,
        SocketAddr::V6(peer) => peer.ip().to_ipv4_mapped().is_some(),
    }
}
