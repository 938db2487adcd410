//! Whom a request comes from.

use std::net::SocketAddr;

use crate::config::Protocol;
use crate::provision::Presented;

/// The client, as its connection shows it, or as a trusted proxy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// What it spoke on its own way, which decides what rules serve it.
    pub transport: Protocol,
    /// Its address; port 0 where only the address is known.
    pub peer: SocketAddr,
    /// The proxy that it came through.
    pub through: Option<SocketAddr>,
    /// Its certificate.
    pub presented: Presented,
}
