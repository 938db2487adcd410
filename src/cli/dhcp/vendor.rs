//! Options 43 and 125, and 17 of IPv6, as TR-069 has them (section 3.1: sub-option 1 is the URL of its server): phones that
//! say `dslforum.org` in option 60 read them so.

use std::fmt::Write as _;

/// The Broadband Forum's number (IANA "Private Enterprise Numbers").
pub(super) const ENTERPRISE: u32 = 3561;

/// What those phones call themselves in option 60.
pub(super) const CLASS: &str = "dslforum.org";

/// The longest URL that fits option 125 with all that stands around it (RFC 3925, section 4).
pub(super) const LONGEST: usize = 240;

/// The URL of a TR-069 server, `LONGEST` bytes at the most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Acs(pub(super) String);

impl Acs {
    /// Option 43 (RFC 2132, section 8.4): code, length, value.
    pub(super) fn option_43(&self) -> Vec<u8> {
        [&[1, octet(self.0.len())], self.0.as_bytes()].concat()
    }

    /// Option 125 (RFC 3925, section 4): whose it is, its length, and the same again.
    pub(super) fn option_125(&self) -> Vec<u8> {
        let inner = self.option_43();
        [&ENTERPRISE.to_be_bytes()[..], &[octet(inner.len())], &inner].concat()
    }

    /// Option 17 of IPv6 (RFC 8415, section 21.17): codes and lengths have two octets.
    pub(super) fn option_17(&self) -> Vec<u8> {
        let length = u16::from(octet(self.0.len())).to_be_bytes();
        [&ENTERPRISE.to_be_bytes()[..], &1_u16.to_be_bytes(), &length, self.0.as_bytes()].concat()
    }
}

/// Octets in hexadecimal, with this between them.
pub(super) fn hex(octets: &[u8], between: &str) -> String {
    let mut text = String::new();
    for (place, octet) in octets.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{octet:02x}", if place == 0 { "" } else { between });
    }
    text
}

fn octet(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_has_the_url_as_its_first_sub_option() {
        let acs = Acs("http://a/".into());
        assert_eq!(hex(&acs.option_43(), ""), "0109687474703a2f2f612f");
        assert_eq!(hex(&acs.option_125(), ":"), "00:00:0d:e9:0b:01:09:68:74:74:70:3a:2f:2f:61:2f");
        assert_eq!(hex(&acs.option_17(), ""), "00000de900010009687474703a2f2f612f");
        assert!(Acs("x".repeat(LONGEST)).option_125().len() <= 255);
    }
}
