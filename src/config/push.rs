//! `[push]`: how phones are told to come.

use serde::Deserialize;

/// Where phones listen, and which variables of a device say how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Push {
    /// Where phones hear SIP.
    pub sip_port: u16,
    /// What their web page speaks.
    pub web: WebScheme,
    /// Where it is over HTTP.
    pub http_port: u16,
    /// Where it is over HTTPS.
    pub https_port: u16,
    /// Whom of those who answer there is believed.
    pub web_trust: WebTrust,
    /// The variable with the device's address, `HOST` or `HOST:PORT` where it hears SIP; without it, where it was last seen.
    pub address: String,
    /// The variable with the user of its line.
    pub user: String,
    /// The one with that user's password.
    pub password: String,
    /// The one with the user of its web page.
    pub web_user: String,
    /// The one with that user's password.
    pub web_password: String,
}

/// What a phone's web page speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebScheme {
    /// Everybody on the way reads the login.
    Http,
    /// Under the versions of `[client_tls]`.
    Https,
}

/// Whose certificate is taken for a phone's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebTrust {
    /// One that an authority of `client_tls.ca` vouches for, and that names this phone.
    Ca,
    /// Any, its own signature too: who stands between reads the login.
    Any,
}

impl Default for Push {
    fn default() -> Self {
        Self {
            sip_port: 5060,
            web: WebScheme::Http,
            http_port: 80,
            https_port: 443,
            web_trust: WebTrust::Ca,
            address: "phone_address".into(),
            user: "sip_user".into(),
            password: "sip_password".into(),
            web_user: "web_user".into(),
            web_password: "web_password".into(),
        }
    }
}

impl Push {
    /// Refuses ports at which nobody hears.
    pub(super) fn check(self) -> Result<Self, String> {
        let ports = [("sip_port", self.sip_port), ("http_port", self.http_port), ("https_port", self.https_port)];
        match ports.into_iter().find(|(_, port)| *port == 0) {
            Some((key, _)) => Err(format!("push.{key} is 0: expected 1 to 65535")),
            None => Ok(self),
        }
    }
}
