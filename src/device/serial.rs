//! A phone's serial number (`$SN`).

use std::fmt;
use std::str::FromStr;

use super::MacAddress;

/// A serial number: 6 to 20 letters and digits, kept in upper case (`88012BA01234`, `FCH2133E8B9`; domain: Cisco SPA
/// Provisioning Guide, TAC traces). The bounds are ours: no guide gives any.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SerialNumber(String);

/// The text is not a serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a serial number: expected 6 to 20 letters and digits")]
pub struct SerialError(String);

impl SerialNumber {
    /// `$SN`: upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The serial number of a lab's phone that was given none: `FCH` and the address's last five octets in base 36. It has
    /// the look of a real one (`FCH2133E8B9`), is always the same for one address, and different for two whose last five
    /// octets differ.
    #[must_use]
    pub fn for_lab(mac: MacAddress) -> Self {
        let [_, octets @ ..] = mac.octets();
        let mut number = octets.iter().fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
        let mut digits = [b'0'; 8];
        for digit in digits.iter_mut().rev() {
            let value = u8::try_from(number % 36).expect("a remainder of 36 fits a byte");
            *digit = if value < 10 { b'0' + value } else { b'A' + value - 10 };
            number /= 36;
        }
        Self("FCH".chars().chain(digits.map(char::from)).collect())
    }
}

impl FromStr for SerialNumber {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, SerialError> {
        let fits = (6..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(Self(text.to_ascii_uppercase())) } else { Err(SerialError(text.into())) }
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_make_another_phone() {
        let lower: SerialNumber = "fch2133e8b9".parse().expect("a serial number");
        assert_eq!(lower, "FCH2133E8B9".parse().expect("a serial number"));
        assert_eq!(lower.as_str(), "FCH2133E8B9");
    }

    #[test]
    fn text_that_could_leave_its_place_is_refused() {
        for text in ["", "12345", "../../../etc", "FCH2133E8B9.cfg", "FCH 2133E8B9", "123456789012345678901"] {
            assert!(text.parse::<SerialNumber>().is_err(), "{text}");
        }
    }
}
