//! One hop of a request's way, and which one is the client: the nearest that is not a proxy of ours. What stands before
//! it was sent by the client, which may claim anything.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

use crate::config::Networks;

/// What a proxy says of the one that came to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// Its address, port 0 where it is not told; `None` where the proxy hides it.
    pub address: Option<SocketAddr>,
    /// What it spoke.
    pub scheme: Option<Scheme>,
}

/// What a client spoke on its way to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In clear, or anything that we do not know.
    Http,
    /// Over TLS.
    Https,
}

/// What a trusted proxy says of the client's address is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HopError {
    /// Bytes that no header of this kind has.
    #[error("{0}: expected visible ASCII characters")]
    NotText(&'static str),
    /// No address where one stands.
    #[error("{header}: `{node}` is no address: expected one such as 192.0.2.7 or [2001:db8::7]:4711")]
    NotAnAddress {
        /// Which header.
        header: &'static str,
        /// What stands there, shortened.
        node: String,
    },
    /// Not what RFC 7239 §4 says.
    #[error("forwarded: expected for=ADDRESS;proto=SCHEME, as RFC 7239 writes it, and found {0}")]
    Syntax(&'static str),
    /// More hops than any request has.
    #[error("forwarded: more than {0} hops")]
    TooMany(usize),
}

impl Scheme {
    /// By name; what is not `https` protects nothing.
    #[must_use]
    pub fn named(name: &str) -> Self {
        if name.eq_ignore_ascii_case("https") { Self::Https } else { Self::Http }
    }
}

/// The client among the hops, told from the nearest on. An address that is hidden leaves the one before as the last
/// that is known.
pub(super) fn client<E>(
    nearest_first: impl Iterator<Item = Result<Hop, E>>,
    trusted: &Networks,
) -> Result<Option<Hop>, E> {
    let mut client: Option<Hop> = None;
    for hop in nearest_first {
        let hop = hop?;
        let known = client.and_then(|nearer| nearer.address);
        client = Some(Hop { address: hop.address.or(known), scheme: hop.scheme });
        if !hop.address.is_some_and(|address| trusted.contains(address.ip())) {
            break;
        }
    }
    Ok(client)
}

/// An address as headers have it: `192.0.2.7`, `192.0.2.7:4711`, `[2001:db8::7]`, `[2001:db8::7]:4711`, and bare
/// `2001:db8::7`. `None` inside: hidden (`unknown`, or a name that begins with `_`: RFC 7239 §6.2, §6.3).
pub(super) fn node(header: &'static str, text: &str) -> Result<Option<SocketAddr>, HopError> {
    if text.eq_ignore_ascii_case("unknown") || text.starts_with('_') {
        return Ok(None);
    }
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let address = IpAddr::from_str(text).ok().or_else(bracketed).map(|address| SocketAddr::new(address, 0));
    let address = address.or_else(|| SocketAddr::from_str(text).ok()).or_else(|| hidden_port(text));
    let address = address.ok_or_else(|| {
        let node = text.chars().take(48).collect();
        HopError::NotAnAddress { header, node }
    })?;
    Ok(Some(match address {
        SocketAddr::V6(address) => plain(address),
        SocketAddr::V4(_) => address,
    }))
}

/// A port may be hidden behind a name, too (RFC 7239 §6).
fn hidden_port(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once(':')?;
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    Some(SocketAddr::new(address.parse().ok()?, 0)).filter(|_| port.starts_with('_'))
}

/// An IPv4 address in IPv6's clothes is the IPv4 address.
fn plain(address: SocketAddrV6) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
