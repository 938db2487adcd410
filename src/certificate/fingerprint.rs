//! The SHA-256 of a certificate, by which two people who talk to each other know that they mean the same one.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of a certificate in DER form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// The text is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 fingerprint: expected 64 hexadecimal digits, with or without colons between each two")]
pub struct FingerprintError(String);

impl Fingerprint {
    /// The fingerprint of these bytes.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits = match text.contains(':') {
            true if text.split(':').all(|pair| pair.len() == 2) => text.replace(':', ""),
            _ => text.to_owned(),
        };
        let decoded = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
        let bytes = decoded.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| FingerprintError(text.to_owned()))
    }
}

impl fmt::Display for Fingerprint {
    /// As `openssl x509 -fingerprint -sha256` and keytool write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        f.write_str(&pairs.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_openssl_and_others_write_it() {
        let fingerprint = Fingerprint::of(b"");
        let text = fingerprint.to_string();
        assert!(text.starts_with("E3:B0:C4:42:98:FC:1C:14:") && text.len() == 95, "{text}");
        for written in [text.clone(), text.replace(':', ""), text.to_ascii_lowercase()] {
            assert_eq!(written.parse(), Ok(fingerprint), "{written}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        let text = Fingerprint::of(b"").to_string();
        for wrong in ["", "E3", &text[..92], &format!("{text}:00"), &text.replacen("E3:B0", "E3B:0", 1)] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
