//! A device as a person describes it: who it is, whether it is served, and what its profile is made with.

use serde::{Deserialize, Serialize};

use super::{DeviceIdentity, DeviceName, GroupName, MacAddress, Model, SerialNumber, Values, shown};

/// Everything that the store keeps of a device, but for when it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Device {
    /// Its MAC address, its serial number, or both, and its product (`$PN`).
    pub identity: DeviceIdentity,
    /// `$PSN`, where it does not follow from the product.
    pub series: Option<Model>,
    /// What people call it.
    pub label: String,
    /// Whether it gets anything at all.
    pub enabled: bool,
    /// MAC addresses that it asks with beside its own: the second port of an ATA.
    pub aliases: Vec<MacAddress>,
    /// Anything else that people want to know.
    pub notes: String,
    /// Its groups; what a later one says counts.
    pub groups: Vec<GroupName>,
    /// Its own variables.
    pub variables: Values,
}

/// What is wrong with a device as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// It has no name.
    #[error("a device needs a MAC address or a serial number")]
    Nameless,
    /// It has more of something than is kept.
    #[error("{what} of a device: {count} are too many, expected {most} at the most")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// The bound.
        most: usize,
    },
    /// A text is longer than is kept.
    #[error("the {what} has {length} bytes: expected {most} at the most")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// How long.
        length: usize,
        /// The bound.
        most: usize,
    },
    /// The same twice.
    #[error("{0} stands twice")]
    Twice(String),
}

/// Addresses, groups and variables of one device; far above what people need, far below what hurts.
const MOST: [(&str, usize); 3] = [("aliases", 16), ("groups", 64), ("variables", 1024)];

/// Bytes of label and notes.
const LONGEST: [(&str, usize); 2] = [("label", 200), ("notes", 4096)];

/// A device in JSON: what is empty is left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mac: Option<MacAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    serial: Option<SerialNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product: Option<Model>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    series: Option<Model>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<MacAddress>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    notes: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<GroupName>,
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    variables: Values,
}

fn yes() -> bool {
    true
}

impl Device {
    /// A device with these names, enabled, of which nothing more is known.
    #[must_use]
    pub fn new(identity: DeviceIdentity) -> Self {
        Self {
            identity,
            series: None,
            label: String::new(),
            enabled: true,
            aliases: Vec::new(),
            notes: String::new(),
            groups: Vec::new(),
            variables: Values::new(),
        }
    }

    /// Everything that it is found by, its own address first.
    pub fn names(&self) -> impl Iterator<Item = DeviceName> + '_ {
        let macs = self.identity.mac().into_iter().chain(self.aliases.iter().copied()).map(DeviceName::Mac);
        macs.chain(self.identity.serial().cloned().map(DeviceName::Serial))
    }

    /// What people are told that it is: its address, else its serial number.
    #[must_use]
    pub fn name(&self) -> DeviceName {
        let serial = || self.identity.serial().cloned().map(DeviceName::Serial);
        self.identity.mac().map(DeviceName::Mac).or_else(serial).expect("an identity has one of the two")
    }

    /// Whether the address is its own or an alias.
    #[must_use]
    pub fn has_mac(&self, mac: MacAddress) -> bool {
        self.identity.mac() == Some(mac) || self.aliases.contains(&mac)
    }

    /// The same as people and programs are shown it: secrets masked, but for those that were opened on request.
    #[must_use]
    pub fn shown(&self) -> Self {
        Self { variables: shown(&self.variables), ..self.clone() }
    }

    /// Holds it against the bounds of what is kept.
    ///
    /// # Errors
    /// Something is too long, too many, or there twice.
    pub fn check(&self) -> Result<(), DeviceError> {
        let counts = [self.aliases.len(), self.groups.len(), self.variables.len()];
        for ((what, most), count) in MOST.into_iter().zip(counts) {
            if count > most {
                return Err(DeviceError::TooMany { what, count, most });
            }
        }
        for ((what, most), length) in LONGEST.into_iter().zip([self.label.len(), self.notes.len()]) {
            if length > most {
                return Err(DeviceError::TooLong { what, length, most });
            }
        }
        let names: Vec<String> = self.names().map(|name| name.to_string()).collect();
        let groups: Vec<String> = self.groups.iter().map(|group| format!("group {group}")).collect();
        for all in [names, groups] {
            if let Some((_, twice)) = all.iter().enumerate().find(|(at, name)| all[..*at].contains(name)) {
                return Err(DeviceError::Twice(twice.clone()));
            }
        }
        Ok(())
    }
}

impl TryFrom<Written> for Device {
    type Error = DeviceError;

    fn try_from(written: Written) -> Result<Self, DeviceError> {
        let Written { mac, serial, product, series, label, enabled, aliases, notes, groups, variables } = written;
        let identity = DeviceIdentity::new(mac, serial, product).ok_or(DeviceError::Nameless)?;
        let device = Self { identity, series, label, enabled, aliases, notes, groups, variables };
        device.check()?;
        Ok(device)
    }
}

impl From<Device> for Written {
    fn from(device: Device) -> Self {
        let Device { identity, series, label, enabled, aliases, notes, groups, variables } = device;
        let (mac, serial, product) = (identity.mac(), identity.serial().cloned(), identity.model().cloned());
        Self { mac, serial, product, series, label, enabled, aliases, notes, groups, variables }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn device(octets: [u8; 6], label: &str, groups: &[String], enabled: bool) -> Device {
        let identity = DeviceIdentity::new(Some(MacAddress::new(octets)), None, None).expect("an identity");
        let groups = groups.iter().map(|group| group.parse().expect("a group's name")).collect();
        Device { label: label.to_owned(), groups, enabled, ..Device::new(identity) }
    }

    proptest! {
        #[test]
        fn a_device_reads_back_as_it_was_written(
            octets: [u8; 6],
            label in "\\PC{0,40}",
            groups in proptest::collection::btree_set("[a-z][a-z0-9-]{0,8}", 0..4),
            enabled: bool,
            value in "\\PC{0,40}",
        ) {
            let groups: Vec<String> = groups.into_iter().collect();
            let mut device = device(octets, &label, &groups, enabled);
            device.variables.insert("sip_user".parse().expect("a name"), json!(value).into());
            let text = serde_json::to_string(&device).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Device>(&text).expect("a device"), device);
        }
    }

    #[test]
    fn what_no_device_can_be_is_refused() {
        let texts = [
            ("{}", "a device needs a MAC address or a serial number"),
            (r#"{"mac":"zz"}"#, "`zz` is not a MAC address"),
            (r#"{"mac":"000e08abcdef","colour":1}"#, "unknown field `colour`"),
            (r#"{"mac":"000e08abcdef","aliases":["000e08abcdef"]}"#, "000e08abcdef stands twice"),
            (r#"{"mac":"000e08abcdef","groups":["a","a"]}"#, "group a stands twice"),
            (r#"{"mac":"000e08abcdef","variables":{"MA":1}}"#, "`MA` is a phone's macro"),
        ];
        for (text, reason) in texts {
            let error = serde_json::from_str::<Device>(text).expect_err("refused").to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn every_name_finds_it() {
        let text = r#"{"mac":"000e08abcdef","serial":"FCH2133E8B9","aliases":["0e08abcdef01"]}"#;
        let device: Device = serde_json::from_str(text).expect("a device");
        let names: Vec<String> = device.names().map(|name| name.to_string()).collect();
        assert_eq!(names, ["000e08abcdef", "0e08abcdef01", "sn:FCH2133E8B9"]);
        assert_eq!(device.name().to_string(), "000e08abcdef");
    }
}
