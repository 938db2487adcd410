//! Reverse proxies: what a trusted one says of the client that it speaks for. Nobody else is heard.
//!
//! ```text
//! connection → PROXY protocol → its peer → trusted? → headers → the request's client
//! ```
//!
//! A header that a trusted proxy got wrong makes nobody's identity: a wrong address refuses the request, a wrong
//! certificate proves nobody. The chain is verified here again, by what verifies those of TLS.

pub mod certificate_header;
pub mod forwarded;
pub mod hop;
pub mod protocol;
#[cfg(test)]
mod tests;
pub mod x_forwarded;

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hyper::header::HeaderMap;

use self::hop::{Hop, HopError, Scheme};
use self::protocol::{Announced, ProtocolError};
use super::client::Client;
use super::tls::{self, Judge, TlsError};
use crate::certificate::Reader;
use crate::config::{self, AddressHeader, Protocol};
use crate::provision::Presented;

/// The proxies of a listener, ready to be heard.
#[derive(Debug)]
pub struct Proxies {
    config: config::Proxies,
    judge: Option<Judge>,
}

/// Who is at the other end of a connection, once its PROXY protocol header is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client, or the proxy that speaks in headers.
    pub(crate) peer: SocketAddr,
    /// Who announced it.
    pub(super) through: Option<SocketAddr>,
    /// Its headers count.
    pub(super) is_heard: bool,
}

impl Origin {
    /// A connection that nobody speaks on for another.
    pub(crate) fn own(peer: SocketAddr) -> Self {
        Self { peer, through: None, is_heard: false }
    }
}

impl Proxies {
    /// Reads the authorities of the certificates that proxies hand over.
    ///
    /// # Errors
    /// A file of `client_ca` is missing or holds no authority.
    pub fn open(config: &config::Proxies, reader: &Reader) -> Result<Self, TlsError> {
        let judge = config.certificate.map(|_| tls::judge(config.kind, &config.client_ca, &config.revocation, reader));
        let judge = judge.transpose()?;
        Ok(Self { config: config.clone(), judge })
    }

    /// Whether its connections are those of many.
    pub(crate) fn trusts(&self, peer: SocketAddr) -> bool {
        self.config.trusted.contains(peer.ip())
    }

    /// Finds out whose connection it is before anything else of it is read, and hands the stream back; `None`: a trusted
    /// proxy owed a header of the PROXY protocol and sent none within this time. The log says so then.
    pub(crate) async fn announced(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        limit: Duration,
    ) -> Option<(Origin, TcpStream)> {
        let origin = tokio::time::timeout(limit, self.origin(stream, peer)).await;
        match origin.unwrap_or(Err(ProtocolError::Late)) {
            Ok(known) => Some(known),
            // A proxy that looks whether we are there.
            Err(ProtocolError::Cut(0)) => None,
            Err(error) => {
                tracing::warn!(target: "phoneprov::proxy", proxy = %peer, reason = %error, "connection closed");
                None
            }
        }
    }

    /// What a PROXY header announces is then the peer: a proxy in front of the proxy is heard where it is trusted itself.
    async fn origin(&self, stream: TcpStream, peer: SocketAddr) -> Result<(Origin, TcpStream), ProtocolError> {
        let is_trusted = |address: SocketAddr| self.trusts(address);
        let speaks = self.config.address.is_some() || self.config.certificate.is_some();
        if !self.config.protocol || !is_trusted(peer) {
            return Ok((Origin { peer, through: None, is_heard: speaks && is_trusted(peer) }, stream));
        }
        let stream = tokio::net::TcpStream::from_std(stream)?;
        let origin = match protocol::read(&stream).await? {
            Announced::Client(client) => {
                Origin { peer: client, through: Some(peer), is_heard: speaks && is_trusted(client) }
            }
            // Somebody whom the proxy does not name: their headers are not the proxy's.
            Announced::Nobody => Origin::own(peer),
        };
        Ok((origin, stream.into_std()?))
    }

    /// The address of the client of a request that came over this connection.
    ///
    /// # Errors
    /// What a trusted proxy says of it is not understood.
    pub(crate) fn address(&self, origin: Origin, headers: &HeaderMap) -> Result<SocketAddr, HopError> {
        let hop = if origin.is_heard { self.hop(headers)? } else { None };
        Ok(hop.and_then(|hop| hop.address).unwrap_or(origin.peer))
    }

    /// The client of a request that came over this connection of a trusted proxy. Where the proxy says nothing, it
    /// asks for itself.
    ///
    /// # Errors
    /// What it says of the address is not understood.
    pub fn client(&self, connection: &Client, headers: &HeaderMap) -> Result<Client, HopError> {
        let hop = self.hop(headers)?;
        let presented = self.presented(hop, headers);
        if hop.is_none() && presented.is_none() {
            return Ok(connection.clone());
        }
        // What the proxy does not say of the client's way to it counts as the less.
        let transport = hop.map_or(connection.transport, |hop| match hop.scheme {
            Some(Scheme::Https) => Protocol::Https,
            Some(Scheme::Http) | None => Protocol::Http,
        });
        Ok(Client {
            transport,
            peer: hop.and_then(|hop| hop.address).unwrap_or(connection.peer),
            through: Some(connection.peer),
            // A certificate of the connection is the proxy's own.
            presented: presented.unwrap_or(Presented::Nothing),
        })
    }

    fn hop(&self, headers: &HeaderMap) -> Result<Option<Hop>, HopError> {
        match self.config.address {
            None => Ok(None),
            Some(AddressHeader::Forwarded) => forwarded::client(headers, &self.config.trusted),
            Some(AddressHeader::XForwardedFor) => x_forwarded::client(headers, &self.config.trusted),
        }
    }

    /// What the certificate proves that the proxy hands over; `None` where it hands over none.
    fn presented(&self, hop: Option<Hop>, headers: &HeaderMap) -> Option<Presented> {
        let (form, judge) = (self.config.certificate?, self.judge.as_ref()?);
        let chain = match certificate_header::chain(form, headers) {
            Ok(chain) => chain?,
            Err(error) => return Some(Presented::Unproven(error.to_string())),
        };
        if hop.is_some_and(|hop| hop.scheme == Some(Scheme::Http)) {
            let reason = "the proxy sent one for a client that spoke http, which carries none";
            return Some(Presented::Unproven(reason.to_owned()));
        }
        Some(judge.verdict_on(chain))
    }

    fn reads(&self, header: &str) -> bool {
        self.config.certificate.is_some_and(|form| certificate_header::names(form).contains(&header))
    }
}

/// Every header that some proxy speaks for a client with.
const HEADERS: [&str; 7] = [
    certificate_header::CLIENT_CERT,
    certificate_header::CLIENT_CERT_CHAIN,
    certificate_header::X_SSL_CLIENT_CERT,
    certificate_header::X_FORWARDED_CLIENT_CERT,
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
];

/// How many of them are about certificates.
const CERTIFICATES: usize = 4;

/// A proxy's header that is not heard: any from a client, and from a trusted proxy a certificate in another form than
/// the listener's, which some client may have sent through it. For the log; nothing reads it.
pub(super) fn unheard(headers: &HeaderMap, heard: Option<&Proxies>) -> Option<&'static str> {
    let mut known = headers.keys().filter_map(|name| HEADERS.iter().position(|header| *header == name.as_str()));
    let unheard = match heard {
        None => known.next(),
        Some(proxies) => known.find(|place| *place < CERTIFICATES && !proxies.reads(HEADERS[*place])),
    };
    unheard.map(|place| HEADERS[place])
}
