//! What a certificate, or later the inventory, says about who a device is.

use std::fmt;

use super::{MacAddress, Model, SerialNumber};

/// A device that is named by its MAC address, its serial number, or both; the product name may come with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceIdentity {
    name: Name,
    model: Option<Model>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Mac(MacAddress),
    Serial(SerialNumber),
    Both(MacAddress, SerialNumber),
}

impl DeviceIdentity {
    /// The device with these names; `None` when neither a MAC address nor a serial number is given: a product name
    /// alone names nobody.
    #[must_use]
    pub fn new(mac: Option<MacAddress>, serial: Option<SerialNumber>, model: Option<Model>) -> Option<Self> {
        let name = match (mac, serial) {
            (Some(mac), Some(serial)) => Name::Both(mac, serial),
            (Some(mac), None) => Name::Mac(mac),
            (None, Some(serial)) => Name::Serial(serial),
            (None, None) => return None,
        };
        Some(Self { name, model })
    }

    /// The MAC address, where the identity has one.
    #[must_use]
    pub fn mac(&self) -> Option<MacAddress> {
        match &self.name {
            Name::Mac(mac) | Name::Both(mac, _) => Some(*mac),
            Name::Serial(_) => None,
        }
    }

    /// The serial number, where the identity has one.
    #[must_use]
    pub fn serial(&self) -> Option<&SerialNumber> {
        match &self.name {
            Name::Serial(serial) | Name::Both(_, serial) => Some(serial),
            Name::Mac(_) => None,
        }
    }

    /// The product name, where the identity has one.
    #[must_use]
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }
}

impl fmt::Display for DeviceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Mac(mac) => write!(f, "{mac}"),
            Name::Serial(serial) => write!(f, "{serial}"),
            Name::Both(mac, serial) => write!(f, "{mac}/{serial}"),
        }
    }
}
