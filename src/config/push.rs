//! `[push]`: how phones are told to come.

use serde::Deserialize;

/// Where phones listen, and which variables of a device say how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Push {
    /// Where phones hear SIP.
    pub sip_port: u16,
    /// Where their web page is.
    pub http_port: u16,
    /// The variable with the device's address, `HOST` or `HOST:PORT`; without it, where it was last seen.
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

impl Default for Push {
    fn default() -> Self {
        Self {
            sip_port: 5060,
            http_port: 80,
            address: "phone_address".into(),
            user: "sip_user".into(),
            password: "sip_password".into(),
            web_user: "web_user".into(),
            web_password: "web_password".into(),
        }
    }
}
