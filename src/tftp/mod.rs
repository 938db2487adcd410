//! A TFTP server for read requests (RFC 1350, 2347, 2348, 2349, 7440). It moves bytes; which file a client gets is decided
//! by whoever calls [`serve`].
//!
//! The order of work: `listener` takes datagrams and admits transfers to the table in `live`; `transfer` sends the blocks
//! that `blocks` cuts; `window` says which, `pace` when, and `link` is the way. `packet`, `options` and `netascii` are codecs without I/O.
//!
//! Who may disturb a transfer (RFC 1350 §4): normally each has a connected socket, so the kernel drops packets from any
//! other address or port and answers them with ICMP "port unreachable". With [`Settings::single_port`] packets are told
//! apart by their sender, and one that belongs to no transfer gets error 5. Neither touches a transfer under way.
//!
//! A listener bound to a wildcard address answers from the address that the route to the client starts at. On a host
//! with several addresses, bind one listener to each.

use std::fmt;
use std::time::Duration;

pub mod door;
pub mod netascii;
pub mod options;
pub mod packet;

mod blocks;
mod link;
mod listener;
mod live;
mod pace;
mod socket;
mod transfer;
mod window;

#[cfg(test)]
mod tests;

pub use listener::serve;
pub use options::Requested;
pub use packet::Mode;

use crate::provision::Body;

/// How to serve. [`Default`] suits phones in a local network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Answer from the listening port instead of a new one for each transfer, for NAT and containers.
    pub single_port: bool,
    /// The pause before the first retransmission; later ones double. A client may ask for its own (RFC 2349).
    pub timeout: Duration,
    /// Retransmissions of the same window before the client has vanished.
    pub retries: u32,
    /// The longest that one transfer may take.
    pub time_limit: Duration,
    /// Transfers at the same time; further clients are told to try again.
    pub max_transfers: usize,
    /// The same from one address.
    pub max_per_address: usize,
    /// The largest block in bytes that a client gets, 8 to 65464 (RFC 2348).
    pub max_block_size: u16,
    /// The largest window in blocks that a client gets, at least 1 (RFC 7440).
    pub max_window: u16,
}

impl Default for Settings {
    /// A block is as large as one Ethernet frame holds over IPv4.
    fn default() -> Self {
        Self {
            single_port: false,
            timeout: Duration::from_secs(1),
            retries: 5,
            time_limit: Duration::from_mins(5),
            max_transfers: 4096,
            max_per_address: 4096,
            max_block_size: 1468,
            max_window: 64,
        }
    }
}

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A file.
    Read(ReadRequest),
    /// Something that has been refused already: this only lets it be known.
    Refused {
        /// What was asked for, unchecked.
        name: Vec<u8>,
        /// Why not.
        reason: &'static str,
    },
}

/// A file that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest {
    /// The file name, unchecked: any bytes but NUL, with or without a leading slash, perhaps empty.
    pub name: Vec<u8>,
    /// How the file is to be sent.
    pub mode: Mode,
    /// The options asked for, not yet granted.
    pub options: Requested,
}

/// Why a client gets no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// It is told that there is none, whatever the reason.
    NotFound,
    /// It is told nothing.
    Silence,
}

/// What a client gets.
pub struct Offer {
    /// The file.
    pub body: Body,
    /// Called once, when the transfer has ended.
    pub finished: Box<dyn FnOnce(Ending) + Send>,
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer").finish_non_exhaustive()
    }
}

/// How a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Bytes that the client has acknowledged, as sent (netascii is longer than its file).
    pub bytes: u64,
    /// Why it ended.
    pub result: TransferResult,
}

/// Why a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferResult {
    /// The client has acknowledged all of it.
    Delivered,
    /// The client stopped answering, or its port is closed. If only the last acknowledgement was lost, it has the file.
    Vanished,
    /// The client sent an ERROR packet.
    Refused {
        /// Its code (RFC 1350, appendix).
        code: u16,
        /// Its text, not to be trusted.
        text: String,
    },
    /// It took longer than [`Settings::time_limit`].
    OverTime,
    /// The server was told to stop.
    Stopped,
    /// The file could not be read or no socket opened; the text says why.
    Broken(String),
}
