//! A phone's MAC address and the three ways in which phones write it.

use std::fmt;
use std::str::FromStr;

/// A 48-bit MAC address. Parses from 12 hexadecimal digits of any case: alone, in six pairs joined by `:` or `-`, or in
/// three fours joined by `.`, as Cisco's switches print it.
///
/// The three printed forms are the macros `$MA`, `$MAU` and `$MAC` (Cisco 8831 Provisioning Guide, macro expansion).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddress([u8; 6]);

/// The text is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a MAC address: expected 12 hexadecimal digits, alone, in pairs joined by `:` or `-`, or in fours joined by `.`"
)]
pub struct MacError(String);

impl MacAddress {
    /// The address with these six octets, first transmitted first.
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The six octets, first transmitted first.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// The first three octets, which say who made the device.
    #[must_use]
    pub const fn prefix(self) -> [u8; 3] {
        [self.0[0], self.0[1], self.0[2]]
    }

    /// `$MA`: lower case, no separators (`000e08abcdef`).
    #[must_use]
    pub fn ma(self) -> String {
        self.0.iter().flat_map(|octet| [octet >> 4, octet & 15]).map(hex_digit).collect()
    }

    /// `$MAU`: upper case, no separators (`000E08ABCDEF`).
    #[must_use]
    pub fn mau(self) -> String {
        self.ma().to_ascii_uppercase()
    }

    /// `$MAC`: lower case, colons (`00:0e:08:ab:cd:ef`).
    #[must_use]
    pub fn mac(self) -> String {
        let digits = self.ma();
        let pairs: Vec<&str> = (0..6).map(|pair| &digits[pair * 2..pair * 2 + 2]).collect();
        pairs.join(":")
    }

    /// Reads exactly 12 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_digits(digits: &[u8]) -> Option<Self> {
        let digits: &[u8; 12] = digits.try_into().ok()?;
        let mut octets = [0; 6];
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            *octet = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
        }
        Some(Self(octets))
    }
}

fn hex_digit(value: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(value)])
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl FromStr for MacAddress {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let bytes = text.as_bytes();
        let digits = match bytes {
            [_, _, separator @ (b':' | b'-'), ..] if bytes.len() == 17 => {
                let separated = bytes.iter().skip(2).step_by(3).all(|byte| byte == separator);
                if !separated {
                    return Err(MacError(text.into()));
                }
                bytes.iter().enumerate().filter(|(at, _)| at % 3 != 2).map(|(_, byte)| *byte).collect()
            }
            [_, _, _, _, b'.', _, _, _, _, b'.', ..] if bytes.len() == 14 => {
                bytes.iter().enumerate().filter(|(at, _)| at % 5 != 4).map(|(_, byte)| *byte).collect()
            }
            _ => bytes.to_vec(),
        };
        Self::from_digits(&digits).ok_or_else(|| MacError(text.into()))
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ma())
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_printed_form_parses_back(octets: [u8; 6]) {
            let mac = MacAddress::new(octets);
            let fours = mac.mau().as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(".");
            for text in [mac.ma(), mac.mau(), mac.mac(), mac.mac().replace(':', "-"), fours.to_lowercase(), fours] {
                prop_assert_eq!(text.parse::<MacAddress>().expect("a printed address"), mac);
            }
        }

        #[test]
        fn nothing_else_parses(text in "\\PC{0,20}") {
            if let Ok(mac) = text.parse::<MacAddress>() {
                let digits: String = text.chars().filter(|c| !":-.".contains(*c)).collect();
                prop_assert_eq!(digits.to_ascii_lowercase(), mac.ma());
            }
        }
    }

    #[test]
    fn the_seed_example_prints_as_phones_print_it() {
        let mac: MacAddress = "000E08ABCDEF".parse().expect("the seed's address");
        assert_eq!(
            (mac.ma(), mac.mau(), mac.mac()),
            ("000e08abcdef".into(), "000E08ABCDEF".into(), "00:0e:08:ab:cd:ef".into())
        );
    }

    #[test]
    fn it_may_be_written_as_switches_print_it() {
        for text in ["2C31.24C9.F8E1", "2c31.24c9.f8e1"] {
            assert_eq!(text.parse().map(MacAddress::ma), Ok("2c3124c9f8e1".to_owned()));
        }
    }

    #[test]
    fn the_error_names_the_text_and_what_would_be_right() {
        let pairs = ["00:0e-08:ab:cd:ef", "00:0e:08:ab:cd:e", "00.0e.08.ab.cd.ef"];
        let fours =
            ["000e.08ab.cde", "000e.08ab.cdef.", "000e08.abcdef", "000e:08ab:cdef", "000e.08ab-cdef", "000.e08ab.cdef"];
        let digits = ["", "zz", "000e08abcde", "000e08abcdef0", "000e08abcdeg"];
        for text in [&digits[..], &pairs, &fours].concat() {
            let error = text.parse::<MacAddress>().expect_err("not an address");
            assert!(error.to_string().starts_with(&format!("`{text}` is not a MAC address: expected 12")));
        }
    }
}
