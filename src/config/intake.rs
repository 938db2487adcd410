//! `[[intake]]`: where files of cases are handed in. Off by default; never a phone's listener.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{AddressHeader, Proxies, Revocation, Tls, TlsKind, proxies};

/// One address that files are handed in at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// Address and port; port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// What is spoken there.
    pub speaks: Hears,
    /// Who may speak for its clients; `None`: nobody. Of HTTP and HTTPS alone.
    pub proxies: Option<Proxies>,
}

/// An intake's protocol with the settings that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hears {
    /// HTTP in clear, on this host alone: behind a proxy that speaks TLS.
    Http,
    /// The same over TLS.
    Https(Box<Tls>),
    /// SFTP and SCP.
    Sftp {
        /// The key that the server proves itself with, as `ssh-keygen` writes it.
        host_key: PathBuf,
    },
    /// FTP, in clear, by TLS, or as its client wishes.
    Ftp(Ftp),
}

/// How FTP is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ftp {
    /// Whether by TLS.
    pub tls: FtpTls,
    /// The certificate chain and its private key, PEM; `None`: no TLS.
    pub pair: Option<(PathBuf, PathBuf)>,
    /// Ports for data.
    pub ports: RangeInclusive<u16>,
    /// The address that clients are told for data, behind a translation of addresses.
    pub external: Option<IpAddr>,
}

/// Whether a client of FTP speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum FtpTls {
    /// If it likes, where there is a certificate.
    #[default]
    Offered,
    /// By `AUTH TLS` before it says who it is (explicit FTPS).
    Required,
    /// From the first byte (implicit FTPS).
    #[serde(skip)]
    Implicit,
}

/// Where clients come for data by default.
const PORTS: RangeInclusive<u16> = 30_000..=40_000;

/// The protocol of an intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntakeProtocol {
    /// HTTP in clear.
    Http,
    /// HTTP over TLS.
    Https,
    /// SFTP and SCP.
    Sftp,
    /// FTP, with explicit TLS where there is a certificate.
    Ftp,
    /// FTP by implicit TLS.
    Ftps,
}

impl IntakeProtocol {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Http, Self::Https, Self::Sftp, Self::Ftp, Self::Ftps];

    /// As it is written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Sftp => "sftp",
            Self::Ftp => "ftp",
            Self::Ftps => "ftps",
        }
    }
}

impl Intake {
    /// What is spoken there.
    #[must_use]
    pub fn protocol(&self) -> IntakeProtocol {
        match &self.speaks {
            Hears::Http => IntakeProtocol::Http,
            Hears::Https(_) => IntakeProtocol::Https,
            Hears::Sftp { .. } => IntakeProtocol::Sftp,
            Hears::Ftp(Ftp { tls: FtpTls::Implicit, .. }) => IntakeProtocol::Ftps,
            Hears::Ftp(_) => IntakeProtocol::Ftp,
        }
    }

    /// What everybody should know before it is used; `None` for nothing.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let clear = match &self.speaks {
            Hears::Ftp(Ftp { tls: FtpTls::Offered, pair: None, .. }) => "there is no certificate for anything else",
            Hears::Ftp(Ftp { tls: FtpTls::Offered, .. }) => "tls = \"required\" refuses that",
            Hears::Ftp(_) | Hears::Http | Hears::Https(_) | Hears::Sftp { .. } => return None,
        };
        Some(format!(
            "intake {}: over ftp, tokens and files go over the network in clear where the client speaks no TLS: {clear}; \
             protocol = \"sftp\" and \"https\" are never in clear",
            self.address
        ))
    }
}

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    address: SocketAddr,
    protocol: IntakeProtocol,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    host_key: Option<PathBuf>,
    tls: Option<FtpTls>,
    passive_ports: Option<String>,
    passive_address: Option<IpAddr>,
    trusted_proxies: Option<Vec<String>>,
    proxy_protocol: Option<bool>,
    proxy_address: Option<AddressHeader>,
}

impl Written {
    /// Holds the keys against the protocol.
    pub(super) fn check(self, folder: &Path) -> Result<Intake, String> {
        use IntakeProtocol::{Ftp, Ftps, Http, Https, Sftp};
        let only = [
            ("certificate", self.certificate.is_some(), &[Https, Ftp, Ftps][..], "\"https\", \"ftp\" or \"ftps\""),
            ("key", self.key.is_some(), &[Https, Ftp, Ftps], "\"https\", \"ftp\" or \"ftps\""),
            ("host_key", self.host_key.is_some(), &[Sftp], "\"sftp\""),
            ("tls", self.tls.is_some(), &[Ftp], "\"ftp\""),
            ("passive_ports", self.passive_ports.is_some(), &[Ftp, Ftps], "\"ftp\" or \"ftps\""),
            ("passive_address", self.passive_address.is_some(), &[Ftp, Ftps], "\"ftp\" or \"ftps\""),
            ("trusted_proxies", self.trusted_proxies.is_some(), &[Http, Https], "\"http\" or \"https\""),
            ("proxy_protocol", self.proxy_protocol.is_some(), &[Http, Https], "\"http\" or \"https\""),
            ("proxy_address", self.proxy_address.is_some(), &[Http, Https], "\"http\" or \"https\""),
        ];
        let stray = only.into_iter().find(|(_, present, of, _)| *present && !of.contains(&self.protocol));
        if let Some((name, _, _, of)) = stray {
            return Err(format!("intake.{name}: only an intake with protocol = {of} has one"));
        }
        let pair = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some((folder.join(certificate), folder.join(key))),
            (None, None) => None,
            (Some(_), None) => return Err("intake.key is missing: the private key of intake.certificate, PEM".into()),
            (None, Some(_)) => return Err("intake.certificate is missing: the chain of intake.key, PEM".into()),
        };
        let proxies = self.proxies()?;
        let speaks = match (self.protocol, pair) {
            (Https, Some((certificate, key))) => Hears::Https(Box::new(Tls::without_clients(certificate, key)?)),
            (Https | Ftps, None) => {
                let protocol = self.protocol.as_str();
                return Err(format!("intake.certificate and intake.key are missing: {protocol} needs both, PEM"));
            }
            (Http, _) if self.address.ip().is_loopback() => Hears::Http,
            (Http, _) => {
                return Err(format!(
                    "intake.address {}: with protocol = \"http\" tokens would go over the network in clear: expected \
                     127.0.0.1 or [::1], with a proxy in front that speaks TLS, or protocol = \"https\"",
                    self.address
                ));
            }
            (Sftp, _) => Hears::Sftp { host_key: self.host_key(folder)? },
            (Ftp | Ftps, pair) => Hears::Ftp(self.ftp(pair)?),
        };
        Ok(Intake { address: self.address, speaks, proxies })
    }

    /// No certificate comes in here, by whatever header.
    fn proxies(&self) -> Result<Option<Proxies>, String> {
        let written = proxies::Written {
            table: "intake",
            trusted: self.trusted_proxies.clone(),
            protocol: self.proxy_protocol,
            address: self.proxy_address,
            certificate: None,
            kind: TlsKind::default(),
        };
        written.check(Vec::new(), Revocation::default())
    }

    fn host_key(&self, folder: &Path) -> Result<PathBuf, String> {
        let missing = "intake.host_key is missing: the file of the key that sftp proves the server with, of \
                       `ssh-keygen -t ed25519 -N '' -f host.key`";
        self.host_key.as_ref().map(|key| folder.join(key)).ok_or_else(|| missing.to_owned())
    }

    fn ftp(&self, pair: Option<(PathBuf, PathBuf)>) -> Result<Ftp, String> {
        let tls = match (self.protocol, self.tls.unwrap_or_default()) {
            (IntakeProtocol::Ftps, _) => FtpTls::Implicit,
            (_, FtpTls::Required) if pair.is_none() => {
                return Err("intake.tls is \"required\" without intake.certificate and intake.key, PEM".into());
            }
            (_, tls) => tls,
        };
        let ports = self.passive_ports.as_deref().map_or(Ok(PORTS), ports)?;
        Ok(Ftp { tls, pair, ports, external: self.passive_address })
    }
}

/// `30000-40000`.
fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let parse = |text: &str| text.trim().parse().ok().filter(|port| *port >= 1024);
    let range = text.split_once('-').and_then(|(first, last)| Some(parse(first)?..=parse(last)?));
    range
        .filter(|range| !range.is_empty())
        .ok_or_else(|| format!("intake.passive_ports is `{text}`: expected such as \"30000-40000\", from 1024 on"))
}

/// What must hold of all of them together.
pub(super) fn check_all(intake: &[Intake], has_uploads: bool) -> Result<(), String> {
    if !intake.is_empty() && !has_uploads {
        return Err("[[intake]] without [uploads]: where are the files kept, and for whom?".into());
    }
    let mut seen = HashSet::new();
    match intake.iter().map(|intake| intake.address).find(|address| address.port() != 0 && !seen.insert(*address)) {
        Some(address) => Err(format!("two [[intake]] have the address {address}: each needs its own")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Intake, String> {
        toml::from_str::<Written>(text).map_err(|error| error.to_string())?.check(Path::new("/etc/phoneprov"))
    }

    #[test]
    fn a_token_never_goes_over_the_network_in_clear() {
        let error = checked("address = \"0.0.0.0:9080\"\nprotocol = \"http\"").expect_err("in clear");
        assert!(error.contains("tokens would go over the network in clear"), "{error}");
        for address in ["127.0.0.1:9080", "[::1]:9080"] {
            let intake = checked(&format!("address = \"{address}\"\nprotocol = \"http\"")).expect("an intake");
            assert_eq!(intake.speaks, Hears::Http);
        }
    }

    #[test]
    fn https_needs_a_certificate_and_http_has_none() {
        assert!(checked("address = \"0.0.0.0:1\"\nprotocol = \"https\"").expect_err("refused").contains("needs both"));
        let text = "address = \"127.0.0.1:1\"\nprotocol = \"http\"\nkey = \"k\"";
        assert!(checked(text).expect_err("refused").contains("only an intake with protocol = \"https\""));
        assert!(checked("address = \"127.0.0.1:1\"\nprotocol = \"gopher\"").is_err());
    }

    #[test]
    fn each_protocol_has_keys_of_its_own() {
        let of = |text: &str| checked(&format!("address = \"0.0.0.0:0\"\n{text}"));
        let sftp = of("protocol = \"sftp\"\nhost_key = \"h\"").expect("an intake");
        assert_eq!(sftp.speaks, Hears::Sftp { host_key: "/etc/phoneprov/h".into() });
        let ftp = of("protocol = \"ftp\"").expect("an intake");
        assert!(ftp.warning().expect("in clear").contains("in clear"));
        let Hears::Ftp(Ftp { ports, .. }) = ftp.speaks else { panic!("{ftp:?}") };
        assert_eq!(ports, 30_000..=40_000);
        let required =
            "protocol = \"ftp\"\ntls = \"required\"\ncertificate = \"c\"\nkey = \"k\"\npassive_ports = \"5000-5000\"";
        assert_eq!(of(required).expect("an intake").warning(), None);
        let implicit = of("protocol = \"ftps\"\ncertificate = \"c\"\nkey = \"k\"").expect("an intake");
        assert_eq!(implicit.protocol(), IntakeProtocol::Ftps);
        for (text, expected) in [
            ("protocol = \"sftp\"", "intake.host_key is missing"),
            ("protocol = \"sftp\"\nhost_key = \"h\"\nkey = \"k\"", "intake.key: only an intake with protocol"),
            ("protocol = \"ftp\"\ntls = \"required\"", "intake.tls is \"required\" without"),
            ("protocol = \"ftp\"\ntls = \"implicit\"", "unknown variant"),
            ("protocol = \"ftps\"", "ftps needs both"),
            ("protocol = \"ftp\"\ncertificate = \"c\"", "intake.key is missing"),
            ("protocol = \"ftp\"\npassive_ports = \"9-8\"", "intake.passive_ports is `9-8`"),
            ("protocol = \"ftp\"\npassive_ports = \"8000-7000\"", "intake.passive_ports is"),
            (
                "protocol = \"https\"\ncertificate = \"c\"\nkey = \"k\"\npassive_address = \"192.0.2.1\"",
                "intake.passive_address: only",
            ),
        ] {
            let error = of(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn proxies_speak_for_clients_of_http_and_say_how() {
        let of = |text: &str| checked(&format!("address = \"127.0.0.1:0\"\nprotocol = \"http\"\n{text}"));
        let trusted = "trusted_proxies = [\"127.0.0.1\"]\n";
        let proxies = of(&format!("{trusted}proxy_address = \"x-forwarded-for\"")).expect("an intake").proxies;
        let proxies = proxies.expect("proxies");
        assert!(proxies.trusted.contains(IpAddr::from([127, 0, 0, 1])));
        assert_eq!((proxies.address, proxies.protocol), (Some(AddressHeader::XForwardedFor), false));
        assert_eq!(of("").expect("an intake").proxies, None);
        for (text, expected) in [
            (
                trusted,
                "intake.trusted_proxies: in which words do they speak for a client? Add proxy_protocol = true or proxy_address",
            ),
            ("proxy_protocol = true", "intake.proxy_protocol without intake.trusted_proxies"),
            ("trusted_proxies = [\"x\"]\nproxy_protocol = true", "intake.trusted_proxies: `x` is no network"),
        ] {
            let error = of(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
        let sftp = format!("address = \"127.0.0.1:0\"\nprotocol = \"sftp\"\nhost_key = \"h\"\n{trusted}");
        assert!(checked(&sftp).expect_err("sftp").starts_with("intake.trusted_proxies: only an intake with protocol"));
    }

    #[test]
    fn two_of_them_have_two_addresses_and_all_need_uploads() {
        let one = checked("address = \"127.0.0.1:9080\"\nprotocol = \"http\"").expect("an intake");
        assert!(check_all(&[one.clone(), one.clone()], true).expect_err("refused").contains("two [[intake]]"));
        assert!(check_all(std::slice::from_ref(&one), false).expect_err("refused").contains("without [uploads]"));
        assert_eq!(check_all(&[one], true), Ok(()));
    }
}
