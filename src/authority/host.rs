//! A name under which phones reach the server.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A DNS name or an IP address, as it stands in a server certificate (RFC 5280 section 4.2.1.6, RFC 1035 section
/// 2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostName {
    /// `prov.example.com`, in lower case; the first label may be `*`.
    Dns(String),
    /// `192.0.2.1` or `2001:db8::1`.
    Address(IpAddr),
}

/// The text is not a host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a host name: expected an IP address, or labels of letters, digits and `-` joined by dots, without \
     scheme or port"
)]
pub struct HostError(String);

impl FromStr for HostName {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        let labels = text.strip_prefix("*.").unwrap_or(text);
        // A last label of digits is a mistyped address, never a top-level domain (RFC 3696 section 2).
        let numeric = labels.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if text.len() <= 253 && !numeric && labels.split('.').all(is_label) {
            Ok(Self::Dns(text.to_ascii_lowercase()))
        } else {
            Err(HostError(text.into()))
        }
    }
}

fn is_label(label: &str) -> bool {
    let written = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&label.len()) && label.bytes().all(written) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl<'de> serde::Deserialize<'de> for HostName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_host_names() {
        for text in ["localhost", "prov.example.com", "*.example.com", "192.0.2.1", "2001:db8::1", "a-1"] {
            assert_eq!(text.parse::<HostName>().expect("a host name").to_string(), text);
        }
        assert_eq!("Prov.LAB".parse(), Ok(HostName::Dns("prov.lab".into())));
    }

    #[test]
    fn anything_else_is_named_in_the_error() {
        for text in ["", ".", "a..b", "-a", "a b", "https://a", "a:8443", "192.0.2", "192.0.2.256", "é", "*", "a.*.b"]
        {
            let error = text.parse::<HostName>().expect_err("not a host name");
            assert!(error.to_string().starts_with(&format!("`{text}` is not a host name")));
        }
    }
}
