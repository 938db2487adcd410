//! A code that a person types on a phone, once: sixteen digits.

use std::fmt;

use argon2::Argon2;
use data_encoding::HEXLOWER;

use super::{Authorization, HashError};
use crate::device::Secret;

/// Digits of a code: 53 bits, which nobody guesses while guesses are paid for.
const DIGITS: usize = 16;

/// Codes are found by their hash, so the salt is the same for all; a table of ten quadrillion Argon2 runs is none that
/// somebody makes.
const SALT: &[u8] = b"phoneprov code 1";

/// A code; its digits are a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Secret);

/// Why a code gives nothing; for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// Nobody has given it out, or it was taken back.
    #[error("is none that was given out")]
    Unknown,
    /// A phone has it.
    #[error("has been used")]
    Used,
    /// Too late.
    #[error("has expired")]
    Expired,
    /// The device is there already, and a code would give its profile to anybody.
    #[error("is for a new device, and the store has this one")]
    Enrolled,
    /// Neither path nor certificate names a device, or they name two.
    #[error("comes from a phone that neither path nor certificate names")]
    Nobody,
    /// The store does not answer.
    #[error("cannot be looked up: the store does not answer")]
    Away,
}

impl Code {
    /// A random one.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> Result<Self, HashError> {
        let all = 10_u64.pow(16);
        loop {
            let mut octets = [0; 8];
            aws_lc_rs::rand::fill(&mut octets).map_err(|_| HashError::Random)?;
            let number = u64::from_be_bytes(octets);
            // Above the last multiple of all codes, some would come more often than others.
            if number < u64::MAX - u64::MAX % all {
                return Ok(Self(Secret::new(format!("{:016}", number % all))));
            }
        }
    }

    /// Sixteen digits, with spaces or hyphens between them as people write them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let fits = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| Self(Secret::new(digits)))
    }

    /// The code that a client presents: as its password, or where that is none as its name.
    #[must_use]
    pub fn presented(authorization: &Authorization) -> Option<Self> {
        match authorization {
            Authorization::Basic(basic) => Self::parse(basic.password.expose()).or_else(|| Self::parse(&basic.user)),
            Authorization::Digest(_) => None,
        }
    }

    /// As a person is told it, once: in groups of four.
    #[must_use]
    pub fn grouped(&self) -> Secret {
        let digits = self.0.expose();
        let groups: Vec<&str> = (0..DIGITS / 4).map(|at| &digits[at * 4..at * 4 + 4]).collect();
        Secret::new(groups.join(" "))
    }

    /// What it is found by, and does not follow from: Argon2id. It takes some 20 ms.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn print(&self) -> Result<String, HashError> {
        let mut output = [0; 32];
        let hashed = Argon2::default().hash_password_into(self.0.expose().as_bytes(), SALT, &mut output);
        hashed.map(|()| HEXLOWER.encode(&output)).map_err(|_| HashError::Malformed)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = Code::parse("1234567890123456").expect("a code");
        for text in ["1234 5678 9012 3456", "1234-5678-9012-3456", " 1234567890123456 "] {
            assert_eq!(Code::parse(text).as_ref(), Some(&code), "{text}");
        }
        for text in ["", "123456789012345", "12345678901234567", "123456789012345x", "١234567890123456"] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
        assert_eq!((code.grouped().expose(), format!("{code:?}")), ("1234 5678 9012 3456", "Code(••••)".into()));
    }

    #[test]
    fn a_random_code_is_a_code_and_another_each_time() {
        let codes: Vec<Code> = (0..100).map(|_| Code::random().expect("random numbers")).collect();
        for (at, code) in codes.iter().enumerate() {
            assert!(!codes[..at].contains(code));
            assert_eq!(Code::parse(code.grouped().expose()).as_ref(), Some(code));
        }
    }

    #[test]
    fn the_same_code_has_the_same_print() {
        let print = |text: &str| Code::parse(text).expect("a code").print().expect("a print");
        assert_eq!(print("1234567890123456"), print("1234 5678 9012 3456"));
        assert_ne!(print("1234567890123456"), print("1234567890123457"));
    }
}
