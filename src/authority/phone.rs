//! A phone for which the lab authority makes a certificate.

use std::str::FromStr;

use crate::certificate::Details;
use crate::device::{MacAddress, MacError, Model, ModelError, SerialError, SerialNumber};

/// What a lab phone's certificate says. Parses from `MAC[,MODEL[,SERIAL]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabPhone {
    /// The MAC address: the subject's `ST`.
    pub mac: MacAddress,
    /// The product name: the subject's `OU`.
    pub model: Model,
    /// The serial number: the subject's `L`.
    pub serial: SerialNumber,
    /// Whether model and serial number were said, or are what they are for want of another.
    said: [bool; 2],
}

/// The text is not a phone; the message says which part of it is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// The first part.
    #[error("the MAC address is wrong: {0}")]
    Mac(#[from] MacError),
    /// The second part.
    #[error("the model is wrong: {0}")]
    Model(#[from] ModelError),
    /// The third part.
    #[error("the serial number is wrong: {0}")]
    Serial(#[from] SerialError),
    /// More than three parts.
    #[error("`{0}` has more than three parts: expected MAC[,MODEL[,SERIAL]]")]
    Parts(String),
}

impl LabPhone {
    /// The phone with this address; the model is CP-8841-3PCC and the serial number is made from the address.
    #[must_use]
    pub fn new(mac: MacAddress) -> Self {
        Self { mac, model: model(), serial: SerialNumber::for_lab(mac), said: [false; 2] }
    }

    /// The same as a phone of this model.
    #[must_use]
    pub fn of_model(self, model: Model) -> Self {
        Self { model, said: [true, self.said[1]], ..self }
    }

    /// The same, where model or serial number were not said as a certificate has them that it has already.
    #[must_use]
    pub fn or_as_in(&self, certificate: &Details) -> Self {
        let field = |name| certificate.subject.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        let mut phone = self.clone();
        if let Some(model) = field("OU").and_then(|model| model.parse().ok()).filter(|_| !self.said[0]) {
            phone.model = model;
        }
        if let Some(serial) = field("L").and_then(|serial| serial.parse().ok()).filter(|_| !self.said[1]) {
            phone.serial = serial;
        }
        phone
    }
}

impl FromStr for LabPhone {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let mut parts = text.split(',');
        let mut phone = Self::new(parts.next().unwrap_or_default().parse()?);
        if let Some(model) = parts.next() {
            (phone.model, phone.said[0]) = (model.parse()?, true);
        }
        if let Some(serial) = parts.next() {
            (phone.serial, phone.said[1]) = (serial.parse()?, true);
        }
        if parts.next().is_some() { Err(PhoneError::Parts(text.into())) } else { Ok(phone) }
    }
}

/// The product that a lab phone is unless it is told.
fn model() -> Model {
    "CP-8841-3PCC".parse().expect("the constant is a product name")
}

impl<'de> serde::Deserialize<'de> for LabPhone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_said_has_a_default() {
        let phone: LabPhone = "00:0e:08:ab:cd:ef".parse().expect("a phone");
        assert_eq!(phone.mac.ma(), "000e08abcdef");
        assert_eq!((phone.model.as_str(), phone.serial.as_str()), ("CP-8841-3PCC", "FCH0ROU6UI7"));
        let phone: LabPhone = "000e08abcdef,SPA504G,88012BA01234".parse().expect("a phone");
        assert_eq!((phone.model.as_str(), phone.serial.as_str()), ("SPA504G", "88012BA01234"));
    }

    #[test]
    fn the_error_names_the_part_that_is_wrong() {
        let cases = [
            ("zz", "the MAC address is wrong: `zz`"),
            ("", "the MAC address is wrong: ``"),
            ("000e08abcdef,a/b", "the model is wrong: `a/b`"),
            ("000e08abcdef,SPA504G,1", "the serial number is wrong: `1`"),
            ("000e08abcdef,SPA504G,88012BA01234,x", "`000e08abcdef,SPA504G,88012BA01234,x` has more than three parts"),
        ];
        for (text, message) in cases {
            let error = text.parse::<LabPhone>().expect_err("not a phone").to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    proptest! {
        #[test]
        fn neighbours_have_serial_numbers_of_their_own(octets: [u8; 6]) {
            let neighbour = MacAddress::new(octets.map(|octet| octet ^ 1));
            let (first, second) = (SerialNumber::for_lab(MacAddress::new(octets)), SerialNumber::for_lab(neighbour));
            prop_assert_ne!(&first, &second);
            prop_assert_eq!(first.as_str().len(), 11);
        }
    }
}
