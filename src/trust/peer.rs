//! Where another server is: `prov.example.com:443`.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    host: String,
    port: u16,
}

/// The text is no host with a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not HOST:PORT: expected a name or an address and a port, such as prov.example.com:443 or [2001:db8::1]:443"
)]
pub struct PeerError(String);

impl Peer {
    /// The host as it was written, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host, where it is an address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Every address of it.
    pub(super) fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        (self.host.as_str(), self.port).to_socket_addrs().map(Iterator::collect)
    }
}

impl FromStr for Peer {
    type Err = PeerError;

    fn from_str(text: &str) -> Result<Self, PeerError> {
        let wrong = || PeerError(text.to_owned());
        let (written, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let bracketed = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = bracketed.unwrap_or(written);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let fits = match bracketed {
            Some(address) => matches!(address.parse(), Ok(IpAddr::V6(_))),
            None => (1..=253).contains(&host.len()) && host.bytes().all(is_name),
        };
        let port = port.parse().ok().filter(|port| *port != 0 && fits).ok_or_else(wrong)?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_both_needed() {
        for text in ["prov.example.com:443", "192.0.2.1:8443", "[2001:db8::1]:443"] {
            assert_eq!(text.parse::<Peer>().map(|peer| peer.to_string()).as_deref(), Ok(text));
        }
        for text in
            ["", "prov.example.com", "prov.example.com:", ":443", "a:0", "a:65536", "2001:db8::1:443", "[a]:1", "a b:1"]
        {
            assert!(text.parse::<Peer>().is_err(), "{text}");
        }
    }
}
