//! Step 1: which file the path means, and which device that names.

use std::fmt;

use super::{Refusal, Request};
use crate::device::{DeviceIdentity, MacAddress, SerialNumber};
use crate::profile::path::RequestPath;
use crate::profile::tree::{Found, Tree};

/// What a request asks for. It proves nothing yet.
#[derive(Debug)]
pub struct Claim {
    path: RequestPath,
    found: Found,
    named: Named,
}

/// The device that a file's path names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Named {
    /// None: the file is the same for everybody who may have it.
    #[default]
    Nobody,
    /// One.
    Device {
        /// By `$MA`, `$MAU`, `$MAC`, or twelve hexadecimal digits in a literal name.
        mac: Option<MacAddress>,
        /// By `$SN`.
        serial: Option<SerialNumber>,
    },
    /// Two that differ, which no one phone is.
    Several,
}

/// Looks the path up.
pub(super) fn identify(tree: &Tree, request: &Request<'_>) -> Result<Claim, Refusal> {
    let path = request.path.clone()?;
    let found = tree.find(&path).map_err(|error| Refusal::File { file: path.to_string(), error })?;
    let found = found.ok_or(Refusal::NoSuchFile)?;
    let path = if found.gz { path.without_gz().ok_or(Refusal::NoSuchFile)? } else { path };
    let named = Named::of(&found);
    Ok(Claim { path, found, named })
}

impl Claim {
    /// The path asked for, without the `.gz` that only asks for compression: a rule is for both.
    #[must_use]
    pub fn path(&self) -> &RequestPath {
        &self.path
    }

    /// The file that the path means.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.found.file
    }

    /// Whom the file's path names.
    #[must_use]
    pub fn named(&self) -> &Named {
        &self.named
    }

    pub(super) fn into_found(self) -> Found {
        self.found
    }
}

impl Named {
    /// Whom the file names: by what its macros stand for, and by every MAC address in its literal names.
    #[must_use]
    pub fn of(found: &Found) -> Self {
        let mut mac = found.macros.mac();
        let serial = found.macros.serial().cloned();
        for literal in found.file.split('/').flat_map(mac_addresses) {
            match mac {
                Some(other) if other != literal => return Self::Several,
                _ => mac = Some(literal),
            }
        }
        match (&mac, &serial) {
            (None, None) => Self::Nobody,
            _ => Self::Device { mac, serial },
        }
    }

    /// Whether the identity is of the device that is named, in everything that is named.
    #[must_use]
    pub fn is(&self, identity: &DeviceIdentity) -> bool {
        match self {
            Self::Nobody => true,
            Self::Several => false,
            Self::Device { mac, serial } => {
                mac.is_none_or(|mac| identity.mac() == Some(mac))
                    && serial.as_ref().is_none_or(|serial| identity.serial() == Some(serial))
            }
        }
    }
}

/// The MAC addresses in a name: runs of exactly twelve hexadecimal digits, and six pairs joined by `:` or `-`. The `A`
/// that ends `ATA` is no digit of the address after it (`ATA000E08ABCDEF.cnf.xml`, the first name an ATA 190 asks for).
fn mac_addresses(name: &str) -> Vec<MacAddress> {
    let tail = |start: usize| name.get(start..).unwrap_or_default();
    let without_family = match name.get(..3) {
        Some(family) if family.eq_ignore_ascii_case("ATA") => tail(3),
        _ => name,
    };
    let runs = [name, without_family]
        .into_iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_hexdigit()))
        .filter_map(|run| MacAddress::from_digits(run.as_bytes()));
    let pairs =
        name.bytes().enumerate().filter(|(_, byte)| matches!(byte, b':' | b'-')).filter_map(|(separator, _)| {
            let start = separator.checked_sub(2)?;
            let bounded = start == 0 || !name.as_bytes()[start - 1].is_ascii_hexdigit();
            let open = name.as_bytes().get(start + 17).is_none_or(|byte| !byte.is_ascii_hexdigit());
            name.get(start..start + 17).filter(|_| bounded && open)?.parse().ok()
        });
    runs.chain(pairs).collect()
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Several => f.write_str("two devices"),
            Self::Device { mac: Some(mac), serial: None } => write!(f, "{mac}"),
            Self::Device { mac: None, serial: Some(serial) } => write!(f, "{serial}"),
            Self::Device { mac: Some(mac), serial: Some(serial) } => write!(f, "{mac}/{serial}"),
            Self::Nobody | Self::Device { mac: None, serial: None } => f.write_str("nobody"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_name_with_a_mac_address_names_a_device() {
        let mac: MacAddress = "000e08abcdef".parse().expect("an address");
        let names = [
            "000e08abcdef.cfg",
            "000E08ABCDEF",
            "SEP000E08ABCDEF.cnf.xml",
            "ATA000E08ABCDEF.cnf.xml",
            "spa-000e08abcdef-x.xml",
            "00:0e:08:ab:cd:ef.cfg",
            "00-0E-08-AB-CD-EF.cfg",
        ];
        for name in names {
            assert!(mac_addresses(name).contains(&mac), "{name}");
        }
        for name in ["basic.txt", "000e08abcdef0.cfg", "000e08abcde.cfg", "sip88xx.11-3-2MPP0001-609.loads", ""] {
            assert_eq!(mac_addresses(name), [], "{name}");
        }
    }

    #[test]
    fn everything_that_is_named_has_to_be_proven() {
        let mac: MacAddress = "000e08abcdef".parse().expect("an address");
        let serial: SerialNumber = "FCH2133E8B9".parse().expect("a serial number");
        let only_mac = DeviceIdentity::new(Some(mac), None, None).expect("an identity");
        let both = DeviceIdentity::new(Some(mac), Some(serial.clone()), None).expect("an identity");
        let named = Named::Device { mac: Some(mac), serial: Some(serial) };
        assert!(named.is(&both));
        assert!(!named.is(&only_mac), "the serial number is not proven");
        assert!(!Named::Several.is(&both));
    }
}
