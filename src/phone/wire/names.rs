//! How a phone finds a server: IPv4 addresses of a name, all of which it tries in turn (ATA 191/192 Provisioning Guide).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::srv;
use crate::phone::failure::Failure;
use crate::phone::schedule::Chance;
use crate::phone::url::Url;

/// Addresses that are tried of one name; ATA guide: up to ten.
const MOST: usize = 10;

/// The resolver: the system's, but for the names that were given an address.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Who is asked for SRV records; `None` is the system's first name server.
    pub nameserver: Option<SocketAddr>,
    given: HashMap<String, Vec<IpAddr>>,
}

impl Names {
    /// Gives a name one more address; DNS is no longer asked for it.
    pub fn give(&mut self, name: &str, address: IpAddr) {
        self.given.entry(name.to_ascii_lowercase()).or_default().push(address);
    }

    /// The addresses of a host, in the order in which to try them. Phones look up IPv4 addresses only; one that is given
    /// as itself may be of either kind.
    ///
    /// # Errors
    /// There is none.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        if let Some(given) = self.given.get(&host.to_ascii_lowercase()) {
            return Ok(given.clone());
        }
        let unknown = |cause: String| Failure::Name { host: host.to_owned(), cause };
        let found = tokio::net::lookup_host((host, 0)).await.map_err(|error| unknown(error.to_string()))?;
        let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).filter(IpAddr::is_ipv4).collect();
        addresses.dedup();
        addresses.truncate(MOST);
        if addresses.is_empty() { Err(unknown("it has no IPv4 address".to_owned())) } else { Ok(addresses) }
    }

    /// The places of a domain's provisioning service by SRV; the URL's host is the domain, and its port counts no more.
    ///
    /// # Errors
    /// There is none, or the URL is of TFTP.
    pub(super) async fn places(&self, url: &Url, chance: Chance) -> Result<Vec<SocketAddr>, Failure> {
        let of_tftp = || Failure::Url("--srv is for http and https".to_owned());
        let name = srv::name(url.scheme, &url.host).ok_or_else(of_tftp)?;
        let nobody = || Failure::Name { host: name.clone(), cause: "no name server is known".to_owned() };
        let server = self.nameserver.or_else(srv::system).ok_or_else(nobody)?;
        let mut found = Vec::new();
        for place in srv::places(server, &name, chance).await? {
            let addresses = self.addresses(&place.host).await.unwrap_or_default();
            found.extend(addresses.into_iter().map(|address| SocketAddr::new(address, place.port)));
        }
        found.truncate(MOST);
        let lost = || Failure::Name { host: name.clone(), cause: "none of its places has an address".to_owned() };
        if found.is_empty() { Err(lost()) } else { Ok(found) }
    }
}
