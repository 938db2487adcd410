//! A random token that a program or a person presents as a password: shown once, kept as its hash.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::HashError;
use crate::device::Secret;

/// Random octets of a token: 160 bits, which nobody guesses, so that a fast hash is enough.
const OCTETS: usize = 20;

/// The longest text that is looked at as a token.
const LONGEST: usize = 256;

/// A token: 32 letters and digits. It is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Secret);

/// What a token is known by, and does not follow from: its SHA-256.
#[derive(Clone, Debug, Eq)]
pub struct TokenPrint([u8; 32]);

/// The text is no print of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no print of a token: expected 64 hexadecimal digits")]
pub struct TokenPrintError(String);

impl Token {
    /// A random one.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> Result<Self, HashError> {
        let mut octets = [0; OCTETS];
        aws_lc_rs::rand::fill(&mut octets).map_err(|_| HashError::Random)?;
        Ok(Self(Secret::new(BASE32_NOPAD.encode(&octets).to_ascii_lowercase())))
    }

    /// The print of what a client presents, whatever it is.
    #[must_use]
    pub fn presented(text: &Secret) -> TokenPrint {
        // One that is too long is none of ours, and costs no time.
        let text = text.expose();
        let end = text.len().min(LONGEST);
        TokenPrint(Sha256::digest(&text.as_bytes()[..end]).into())
    }

    /// The text, for the person who is given it.
    #[must_use]
    pub fn text(&self) -> &Secret {
        &self.0
    }

    /// What it is kept as.
    #[must_use]
    pub fn print(&self) -> TokenPrint {
        Self::presented(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(••••)")
    }
}

impl PartialEq for TokenPrint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for TokenPrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for TokenPrint {
    type Err = TokenPrintError;

    fn from_str(text: &str) -> Result<Self, TokenPrintError> {
        let octets = HEXLOWER.decode(text.as_bytes()).ok().and_then(|octets| octets.try_into().ok());
        octets.map(Self).ok_or_else(|| TokenPrintError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_another_each_time_and_known_by_its_print() {
        let (one, two) = (Token::random().expect("random numbers"), Token::random().expect("random numbers"));
        assert_ne!(one, two);
        assert_eq!(one.text().expose().len(), 32);
        assert!(one.text().expose().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
        assert_eq!(Token::presented(one.text()), one.print());
        assert_ne!(one.print(), two.print());
        assert_eq!(one.print().to_string().parse(), Ok(one.print()));
        assert_eq!(format!("{one:?}"), "Token(••••)");
        assert!(!one.print().to_string().contains(one.text().expose()));
    }

    #[test]
    fn what_is_much_longer_than_a_token_is_none() {
        let text = |length: usize| Secret::new("a".repeat(length));
        assert_eq!(Token::presented(&text(256)), Token::presented(&text(1_000_000)));
        assert!("abc".parse::<TokenPrint>().is_err());
    }
}
