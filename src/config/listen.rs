//! `[[listen]]`: where phones are heard, and over what.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::proxies::{self, AddressHeader, CertificateHeader, Proxies};
use super::revocation::{PastDate, Revocation};
use super::tls::{TlsKind, TlsVersion, TlsVersions};
use crate::device::Model;

/// One address that phones come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address and port; port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// What is spoken there.
    pub speaks: Speaks,
    /// Who may speak for a client, if anybody.
    pub proxies: Option<Proxies>,
}

/// A listener's protocol with the settings that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1.0 and 1.1 in clear.
    Http,
    /// The same over TLS.
    Https(Tls),
    /// TFTP.
    Tftp {
        /// All transfers over the listening port, for NAT and containers.
        single_port: bool,
    },
}

/// A TLS listener's certificate, and whose certificates it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Authorities of phones' certificates: PEM files, or folders of them.
    pub client_ca: Vec<PathBuf>,
    /// Which of those have been taken back.
    pub revocation: Revocation,
    /// Whether phones are asked for a certificate.
    pub client_certificate: ClientCertificate,
    /// Which phones it is for.
    pub kind: TlsKind,
    /// The versions that are spoken.
    pub versions: TlsVersions,
    /// The only models that are served; empty: all. A legacy listener's alone.
    pub models: Vec<Model>,
}

/// The protocol of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP in clear.
    Http,
    /// HTTP over TLS.
    Https,
    /// TFTP.
    Tftp,
}

/// Whether a client certificate is asked for at TLS level. What a path needs is a rule's matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificate {
    /// Not asked for.
    None,
    /// Asked for; a client without one, or with one that does not verify, is served what needs no proof.
    #[default]
    Request,
    /// No connection without one that verifies.
    Require,
}

impl Tls {
    /// A certificate and its key for a listener that asks clients for none.
    pub(super) fn without_clients(certificate: PathBuf, key: PathBuf) -> Result<Self, String> {
        Ok(Self {
            certificate,
            key,
            client_ca: Vec::new(),
            revocation: Revocation { lists: Vec::new(), past_date: PastDate::default() },
            client_certificate: ClientCertificate::None,
            kind: TlsKind::Modern,
            versions: TlsVersions::bounded(TlsKind::Modern, None, None)?,
            models: Vec::new(),
        })
    }
}

impl Protocol {
    /// As it is written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tftp => "tftp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Listen {
    /// What is spoken there.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match &self.speaks {
            Speaks::Http => Protocol::Http,
            Speaks::Https(_) => Protocol::Https,
            Speaks::Tftp { .. } => Protocol::Tftp,
        }
    }

    /// Whether requests over this protocol come in here: it is spoken, or a trusted proxy may say that it was spoken to it.
    #[must_use]
    pub fn carries(&self, protocol: Protocol) -> bool {
        let told = self.proxies.as_ref().is_some_and(|proxies| proxies.address.is_some());
        protocol == self.protocol() || (told && protocol != Protocol::Tftp)
    }

    /// Lists of those that have been taken back.
    #[must_use]
    pub fn revocation(&self) -> Option<&Revocation> {
        match (&self.speaks, &self.proxies) {
            (Speaks::Https(tls), _) => Some(&tls.revocation),
            (Speaks::Http | Speaks::Tftp { .. }, Some(proxies)) => Some(&proxies.revocation),
            (Speaks::Http | Speaks::Tftp { .. }, None) => None,
        }
    }

    /// Authorities of the certificates that come in here, by handshake or by a proxy's header.
    #[must_use]
    pub fn client_ca(&self) -> &[PathBuf] {
        match (&self.speaks, &self.proxies) {
            (Speaks::Https(tls), _) => &tls.client_ca,
            (Speaks::Http | Speaks::Tftp { .. }, Some(proxies)) => &proxies.client_ca,
            (Speaks::Http | Speaks::Tftp { .. }, None) => &[],
        }
    }
}

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    address: SocketAddr,
    protocol: Protocol,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<Vec<PathBuf>>,
    crl: Option<Vec<PathBuf>>,
    crl_past_date: Option<PastDate>,
    client_certificate: Option<ClientCertificate>,
    tls: Option<TlsKind>,
    tls_min: Option<TlsVersion>,
    tls_max: Option<TlsVersion>,
    models: Option<Vec<String>>,
    single_port: Option<bool>,
    trusted_proxies: Option<Vec<String>>,
    proxy_protocol: Option<bool>,
    proxy_address: Option<AddressHeader>,
    proxy_certificate: Option<CertificateHeader>,
}

impl Written {
    /// Holds the keys against the protocol.
    pub(super) fn check(self, folder: &Path) -> Result<Listen, String> {
        // The certificates that a proxy hands over are judged, too.
        let judges = self.proxy_certificate.is_some();
        let tls_key = [
            ("certificate", self.certificate.is_some()),
            ("key", self.key.is_some()),
            ("client_ca", self.client_ca.is_some() && !judges),
            ("crl", self.crl.is_some() && !judges),
            ("crl_past_date", self.crl_past_date.is_some() && !judges),
            ("client_certificate", self.client_certificate.is_some()),
            ("tls", self.tls.is_some() && !judges),
            ("tls_min", self.tls_min.is_some()),
            ("tls_max", self.tls_max.is_some()),
            ("models", self.models.is_some()),
        ];
        let stray = tls_key.into_iter().find_map(|(name, present)| present.then_some(name));
        if let Some(name) = stray.filter(|_| self.protocol != Protocol::Https) {
            return Err(format!("listen.{name}: only a listener with protocol = \"https\" has one"));
        }
        if self.single_port.is_some() && self.protocol != Protocol::Tftp {
            return Err("listen.single_port: only a listener with protocol = \"tftp\" has it".into());
        }
        if self.trusted_proxies.is_some() && self.protocol == Protocol::Tftp {
            return Err("listen.trusted_proxies: only http and https go through proxies".into());
        }
        let issuers = self.client_ca.as_ref().map_or(0, Vec::len);
        if issuers == 0 && self.crl.as_ref().is_some_and(|lists| !lists.is_empty()) {
            return Err("listen.crl without listen.client_ca: whose certificates are taken back?".into());
        }
        if self.crl_past_date.is_some() && self.crl.is_none() {
            return Err("listen.crl_past_date without listen.crl: there is no list that could be past its date".into());
        }
        let proxies = self.proxies(folder)?;
        let speaks = match self.protocol {
            Protocol::Http => Speaks::Http,
            Protocol::Tftp => Speaks::Tftp { single_port: self.single_port.unwrap_or_default() },
            Protocol::Https => Speaks::Https(self.tls(folder)?),
        };
        Ok(Listen { address: self.address, speaks, proxies })
    }

    fn proxies(&self, folder: &Path) -> Result<Option<Proxies>, String> {
        let written = proxies::Written {
            table: "listen",
            trusted: self.trusted_proxies.clone(),
            protocol: self.proxy_protocol,
            address: self.proxy_address,
            certificate: self.proxy_certificate,
            kind: self.tls.unwrap_or_default(),
        };
        written.check(self.authorities(folder), self.revocation(folder))
    }

    fn authorities(&self, folder: &Path) -> Vec<PathBuf> {
        self.client_ca.iter().flatten().map(|path| folder.join(path)).collect()
    }

    fn revocation(&self, folder: &Path) -> Revocation {
        let lists = self.crl.iter().flatten().map(|path| folder.join(path)).collect();
        Revocation { lists, past_date: self.crl_past_date.unwrap_or_default() }
    }

    fn tls(&self, folder: &Path) -> Result<Tls, String> {
        let (certificate, key) = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => (folder.join(certificate), folder.join(key)),
            (Some(_), None) => return Err("listen.key is missing: the private key of listen.certificate, PEM".into()),
            (None, Some(_)) => return Err("listen.certificate is missing: the chain of listen.key, PEM".into()),
            (None, None) => return Err("listen.certificate and listen.key are missing: https needs both, PEM".into()),
        };
        let client_ca = self.authorities(folder);
        let client_certificate = match self.client_certificate {
            Some(wanted) => wanted,
            None if client_ca.is_empty() => ClientCertificate::None,
            None => ClientCertificate::Request,
        };
        if client_ca.is_empty() && client_certificate != ClientCertificate::None {
            return Err("listen.client_ca is missing: whose client certificates are taken, PEM files or folders".into());
        }
        let kind = self.tls.unwrap_or_default();
        let versions = TlsVersions::bounded(kind, self.tls_min, self.tls_max)?;
        let models = self.models(kind)?;
        let revocation = self.revocation(folder);
        Ok(Tls { certificate, key, client_ca, revocation, client_certificate, kind, versions, models })
    }

    fn models(&self, kind: TlsKind) -> Result<Vec<Model>, String> {
        let Some(written) = &self.models else { return Ok(Vec::new()) };
        if kind != TlsKind::Legacy {
            return Err("listen.models: only a listener with tls = \"legacy\" is limited to models".into());
        }
        if written.is_empty() {
            return Err(
                "listen.models is empty, which would serve nobody: name a model, or leave it out to serve all".into()
            );
        }
        written.iter().map(|model| model.parse().map_err(|error| format!("listen.models: {error}"))).collect()
    }
}

/// What must hold of all listeners together.
pub(super) fn check_all(listen: &[Listen]) -> Result<(), String> {
    if listen.is_empty() {
        return Err("no [[listen]]: add one, such as address = \"0.0.0.0:8080\" with protocol = \"http\"".into());
    }
    let mut seen = HashSet::new();
    for entry in listen.iter().filter(|entry| entry.address.port() != 0) {
        if !seen.insert((entry.address, entry.protocol() == Protocol::Tftp)) {
            return Err(format!("two [[listen]] have the address {}: each needs its own", entry.address));
        }
    }
    Ok(())
}
