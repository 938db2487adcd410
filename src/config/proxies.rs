//! The proxies of a `[[listen]]` or an `[[intake]]`: who may speak for a client, and in which words. Nobody else's word counts.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;

use super::{Revocation, TlsKind};

/// Who may speak for the clients of a listener, and how. One header for each thing, so that a client can smuggle no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxies {
    /// Their addresses.
    pub trusted: Networks,
    /// Their connections begin with a header of the PROXY protocol, version 1 or 2.
    pub protocol: bool,
    /// How they name the client's address and what it spoke.
    pub address: Option<AddressHeader>,
    /// How they hand over the client's certificate.
    pub certificate: Option<CertificateHeader>,
    /// Authorities of those certificates, which we verify again: PEM files, or folders of them. Empty without them.
    pub client_ca: Vec<PathBuf>,
    /// Which of those have been taken back.
    pub revocation: Revocation,
    /// How strictly.
    pub kind: TlsKind,
}

/// The header with the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressHeader {
    /// `Forwarded` (RFC 7239), address and scheme in one.
    Forwarded,
    /// `X-Forwarded-For`, with the scheme in `X-Forwarded-Proto`.
    XForwardedFor,
}

/// The header with the client's certificate, by who speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CertificateHeader {
    /// `Client-Cert` and `Client-Cert-Chain` (RFC 9440).
    Rfc9440,
    /// `X-SSL-Client-Cert` with nginx's `$ssl_client_escaped_cert`: PEM, percent-encoded.
    Nginx,
    /// `X-SSL-Client-Cert` with Apache's `SSL_CLIENT_CERT`: PEM, its line ends made spaces.
    Apache,
    /// `X-SSL-Client-Cert` with `HAProxy`'s `%[ssl_c_der,base64]`: DER in base64.
    Haproxy,
    /// `X-Forwarded-Client-Cert` with Envoy's `Cert` or `Chain`: PEM, percent-encoded.
    Envoy,
}

/// A set of networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether an address is in one of them. An IPv4 address that came over an IPv6 socket is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Reads networks and single addresses.
    ///
    /// # Errors
    /// One is neither, or is written so that it says something else than it means.
    pub fn parse(texts: &[impl AsRef<str>]) -> Result<Self, String> {
        texts.iter().map(|text| network(text.as_ref())).collect::<Result<_, _>>().map(Self)
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let parsed = IpNet::from_str(text).or_else(|_| IpAddr::from_str(text).map(IpNet::from));
    let network = parsed.map_err(|_| {
        format!("`{text}` is no network: expected an address, or one with a prefix, such as 10.0.0.0/8")
    })?;
    if network.prefix_len() == 0 {
        return Err(format!("`{text}` is everybody: name the proxies' own addresses"));
    }
    if network.trunc() != network {
        return Err(format!("`{text}` has bits behind its prefix: write {}, or the one address", network.trunc()));
    }
    match network.addr().to_canonical() {
        IpAddr::V4(address) if network.addr().is_ipv6() => Err(format!("`{text}` is IPv4: write {address}")),
        IpAddr::V4(_) | IpAddr::V6(_) => Ok(network),
    }
}

/// The keys as they are written.
#[derive(Debug)]
pub(super) struct Written {
    /// The table that has them.
    pub(super) table: &'static str,
    pub(super) trusted: Option<Vec<String>>,
    pub(super) protocol: Option<bool>,
    pub(super) address: Option<AddressHeader>,
    pub(super) certificate: Option<CertificateHeader>,
    pub(super) kind: TlsKind,
}

impl Written {
    /// Holds the keys against each other.
    pub(super) fn check(self, client_ca: Vec<PathBuf>, revocation: Revocation) -> Result<Option<Proxies>, String> {
        let (table, protocol) = (self.table, self.protocol.unwrap_or_default());
        let keys = [
            ("proxy_protocol", self.protocol.is_some()),
            ("proxy_address", self.address.is_some()),
            ("proxy_certificate", self.certificate.is_some()),
        ];
        let Some(trusted) = self.trusted.filter(|networks| !networks.is_empty()) else {
            return match keys.into_iter().find(|(_, present)| *present) {
                Some((key, _)) => Err(format!(
                    "{table}.{key} without {table}.trusted_proxies: name the proxies' addresses, such as [\"10.0.0.5\"]"
                )),
                None => Ok(None),
            };
        };
        if !protocol && self.address.is_none() && self.certificate.is_none() {
            let how = match table {
                "listen" => "proxy_protocol = true, proxy_address or proxy_certificate",
                _ => "proxy_protocol = true or proxy_address",
            };
            return Err(format!("{table}.trusted_proxies: in which words do they speak for a client? Add {how}"));
        }
        if self.certificate.is_some() && client_ca.is_empty() {
            return Err("listen.proxy_certificate without listen.client_ca: whose certificates are taken, \
                        PEM files or folders"
                .into());
        }
        let trusted = Networks::parse(&trusted).map_err(|error| format!("{table}.trusted_proxies: {error}"))?;
        let client_ca = if self.certificate.is_some() { client_ca } else { Vec::new() };
        Ok(Some(Proxies {
            trusted,
            protocol,
            address: self.address,
            certificate: self.certificate,
            client_ca,
            revocation: if self.certificate.is_some() { revocation } else { Revocation::default() },
            kind: self.kind,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(networks: &[&str], address: &str) -> bool {
        Networks::parse(networks).expect("networks").contains(address.parse().expect("an address"))
    }

    #[test]
    fn an_address_is_in_its_network_whichever_socket_it_came_over() {
        assert!(contains(&["10.0.0.0/8"], "10.1.2.3"));
        assert!(contains(&["10.0.0.0/8"], "::ffff:10.1.2.3"));
        assert!(contains(&["192.0.2.1", "2001:db8::/32"], "2001:db8:1::2"));
        assert!(!contains(&["192.0.2.1"], "192.0.2.2"));
        assert!(!contains(&["10.0.0.0/8"], "::10.1.2.3"));
        assert!(!Networks::default().contains(IpAddr::from([127, 0, 0, 1])));
    }

    #[test]
    fn a_network_that_says_something_else_than_it_means_is_refused() {
        let cases = [
            ("localhost", "is no network"),
            ("10.0.0.0/33", "is no network"),
            ("0.0.0.0/0", "is everybody"),
            ("::/0", "is everybody"),
            ("10.0.0.5/8", "write 10.0.0.0/8"),
            ("::ffff:10.0.0.5", "is IPv4: write 10.0.0.5"),
        ];
        for (text, wanted) in cases {
            let error = Networks::parse(&[text]).expect_err(text);
            assert!(error.contains(wanted), "{error}");
        }
    }
}
