//! What a device is found by.

use std::fmt;
use std::str::FromStr;

use super::{MacAddress, SerialNumber};

/// A MAC address or a serial number. Twelve hexadecimal digits are a MAC address; a serial number that looks like one is
/// written `sn:88012BA01234`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeviceName {
    /// The address, or that of another port.
    Mac(MacAddress),
    /// The serial number.
    Serial(SerialNumber),
}

/// The text names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no device: expected a MAC address of 12 hexadecimal digits, or a serial number, sn:FCH2133E8B9")]
pub struct NameError(String);

impl FromStr for DeviceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let serial = |text: &str| text.parse().ok().map(Self::Serial);
        let name = match text.strip_prefix("sn:") {
            Some(number) => serial(number),
            None => text.parse().ok().map(Self::Mac).or_else(|| serial(text)),
        };
        name.ok_or_else(|| NameError(text.to_owned()))
    }
}

impl From<MacAddress> for DeviceName {
    fn from(mac: MacAddress) -> Self {
        Self::Mac(mac)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => write!(f, "{mac}"),
            Self::Serial(serial) => write!(f, "sn:{serial}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits_are_an_address_and_anything_else_a_serial_number() {
        let name = |text: &str| text.parse::<DeviceName>().map(|name| name.to_string());
        assert_eq!(name("00:0E:08:AB:CD:EF").as_deref(), Ok("000e08abcdef"));
        assert_eq!(name("88012BA01234").as_deref(), Ok("88012ba01234"));
        assert_eq!(name("sn:88012BA01234").as_deref(), Ok("sn:88012BA01234"));
        assert_eq!(name("fch2133e8b9").as_deref(), Ok("sn:FCH2133E8B9"));
        for text in ["", "sn:", "a b", "../x"] {
            assert!(name(text).is_err(), "{text}");
        }
    }
}
