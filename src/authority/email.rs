//! The e-mail address that may follow the name in a server certificate's `CN`.

use std::fmt;
use std::str::FromStr;

/// `admin@telco.net` of `CN=pv.telco.net/admin@telco.net`: whom Cisco, which signs it, may ask (seed 004).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailTail(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an e-mail address: expected one such as admin@example.com, in ASCII and without spaces or `/`")]
pub struct EmailError(String);

impl FromStr for EmailTail {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let is_written = |byte: u8| byte.is_ascii_graphic() && !b"/@,\"\\<>()".contains(&byte);
        let fits = text.split_once('@').is_some_and(|(name, domain)| {
            let parts = [name, domain];
            parts.iter().all(|part| !part.is_empty() && part.bytes().all(is_written)) && !domain.starts_with('.')
        });
        if fits { Ok(Self(text.to_owned())) } else { Err(EmailError(text.to_owned())) }
    }
}

impl fmt::Display for EmailTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_domain() {
        assert_eq!("admin@telco.net".parse::<EmailTail>().expect("an address").to_string(), "admin@telco.net");
        for text in ["", "admin", "@telco.net", "admin@", "a@b@c", "a b@c", "a@b/c", "é@b.c", "a@.b", "a\n@b.c"] {
            assert!(text.parse::<EmailTail>().is_err(), "{text:?}");
        }
    }
}
