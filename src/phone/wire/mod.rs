//! How a phone reaches servers: names, TLS, HTTP and TFTP, each with an end to every wait and a bound on every size.
//!
//! [`Wire`] is what phones of one place have in common, and may be shared by thousands of them. [`fetch`] is one file, or
//! one upload, with all that HTTP puts in between: redirects, challenges, codings.

pub mod dns;
pub mod fetch;

mod first_octet;
mod http;
mod names;
mod server_name;
mod srv;
mod tftp;
mod tls;
mod trust;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use super::failure::Failure;
use super::schedule::Chance;
use super::url::Url;

pub use names::Names;
pub use tls::Agreed;
pub use trust::{Identity, PemError, Trust, first_name};

/// The network as a phone finds it.
#[derive(Clone)]
pub struct Wire {
    /// The authorities in the phone's firmware.
    pub trust: Trust,
    /// The resolver.
    pub names: Names,
    /// What DHCP option 66 says.
    pub option_66: Option<String>,
    /// The domain that DHCP gives: without option 66 an MPP phone looks for its provisioning service by SRV.
    pub domain: Option<String>,
    /// The address to come from, where it is not the system's choice.
    pub from: Option<IpAddr>,
    /// The longest waits and largest sizes.
    pub limits: Limits,
}

/// What a phone looks up of a URL's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    /// Its addresses.
    Address,
    /// The places of its provisioning service, chosen among equals by chance.
    Service(Chance),
}

/// Where a phone stops waiting and reading. No guide gives these: all are choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection, and again for TLS.
    pub connect: Duration,
    /// For one whole answer, of whatever size.
    pub answer: Duration,
    /// Octets of a profile as it comes.
    pub download: usize,
    /// Octets of a profile after it was unpacked.
    pub profile: usize,
    /// Octets of an image.
    pub image: usize,
    /// Redirects in a row.
    pub redirects: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_mins(1),
            download: 4 << 20,
            profile: 16 << 20,
            image: 512 << 20,
            redirects: 5,
        }
    }
}

impl Wire {
    /// A network without DHCP, by the system's resolver, with the usual limits.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self { trust, names: Names::default(), option_66: None, domain: None, from: None, limits: Limits::default() }
    }

    /// Where to connect to for a URL, in the order in which to try; by SRV where the rule says so.
    pub(super) async fn places(&self, url: &Url, lookup: Lookup) -> Result<Vec<SocketAddr>, Failure> {
        match lookup {
            Lookup::Address => {
                let addresses = self.names.addresses(&url.host).await?;
                Ok(addresses.into_iter().map(|address| SocketAddr::new(address, url.port)).collect())
            }
            Lookup::Service(chance) => self.names.places(url, chance).await,
        }
    }

    /// Connects to the first place that answers.
    async fn connect(&self, places: &[SocketAddr]) -> Result<TcpStream, Failure> {
        let mut failure = Failure::NoServer;
        for address in places.iter().copied() {
            match tokio::time::timeout(self.limits.connect, self.connect_to(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = Failure::Connect { address, cause: told(&error) },
                Err(_) => {
                    let cause = format!("no answer in {} s", self.limits.connect.as_secs());
                    failure = Failure::Connect { address, cause };
                }
            }
        }
        Err(failure)
    }

    async fn connect_to(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("option_66", &self.option_66).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A connection that ended where it should not.
fn broken(protocol: &'static str, error: &(dyn std::error::Error + 'static)) -> Failure {
    // The innermost is what happened; those around it say where.
    let mut innermost = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    let stack = innermost.downcast_ref::<openssl::error::ErrorStack>();
    Failure::Protocol {
        protocol,
        cause: stack.map_or_else(|| innermost.to_string(), tls::told),
        alert: stack.and_then(tls::alert),
    }
}

/// What the system says, without its number.
fn told(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
