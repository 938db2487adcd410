//! How a phone finds a server: IPv4 addresses of a name, all of which it tries in turn (ATA 191/192 Provisioning Guide).

use std::collections::HashMap;
use std::net::IpAddr;

use crate::phone::failure::Failure;

/// Addresses that are tried of one name; ATA guide: up to ten.
const MOST: usize = 10;

/// The resolver: the system's, but for the names that were given an address.
#[derive(Debug, Clone, Default)]
pub struct Names {
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
}
