//! `[[intake]]`: where files of cases are handed in. Off by default; never a phone's listener.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Tls;

/// One address that files are handed in at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// Address and port; port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// What is spoken there.
    pub speaks: Hears,
}

/// An intake's protocol with the settings that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hears {
    /// HTTP in clear, on this host alone: behind a proxy that speaks TLS.
    Http,
    /// The same over TLS.
    Https(Box<Tls>),
}

/// The protocol of an intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntakeProtocol {
    /// HTTP in clear.
    Http,
    /// HTTP over TLS.
    Https,
}

impl IntakeProtocol {
    /// As it is written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
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
        }
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
}

impl Written {
    /// Holds the keys against the protocol.
    pub(super) fn check(self, folder: &Path) -> Result<Intake, String> {
        let speaks = match (self.protocol, self.certificate, self.key) {
            (IntakeProtocol::Https, Some(certificate), Some(key)) => {
                Hears::Https(Box::new(Tls::without_clients(folder.join(certificate), folder.join(key))?))
            }
            (IntakeProtocol::Https, ..) => {
                return Err("intake.certificate and intake.key are missing: https needs both, PEM".into());
            }
            (IntakeProtocol::Http, None, None) if self.address.ip().is_loopback() => Hears::Http,
            (IntakeProtocol::Http, None, None) => {
                return Err(format!(
                    "intake.address {}: with protocol = \"http\" tokens would go over the network in clear: expected \
                     127.0.0.1 or [::1], with a proxy in front that speaks TLS, or protocol = \"https\"",
                    self.address
                ));
            }
            (IntakeProtocol::Http, ..) => {
                return Err("intake.certificate and intake.key: only protocol = \"https\" has them".into());
            }
        };
        Ok(Intake { address: self.address, speaks })
    }
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
        assert!(checked(text).expect_err("refused").contains("only protocol = \"https\""));
        assert!(checked("address = \"127.0.0.1:1\"\nprotocol = \"gopher\"").is_err());
    }

    #[test]
    fn two_of_them_have_two_addresses_and_all_need_uploads() {
        let one = checked("address = \"127.0.0.1:9080\"\nprotocol = \"http\"").expect("an intake");
        assert!(check_all(&[one.clone(), one.clone()], true).expect_err("refused").contains("two [[intake]]"));
        assert!(check_all(std::slice::from_ref(&one), false).expect_err("refused").contains("without [uploads]"));
        assert_eq!(check_all(&[one], true), Ok(()));
    }
}
