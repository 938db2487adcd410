//! Step 1: which file the path means, and which device that names.

use std::fmt;
use std::sync::Arc;

use super::{Line, Refusal, Request};
use crate::device::{DeviceIdentity, MacAddress, SerialNumber};
use crate::profile::macros::{Macro, Macros};
use crate::profile::path::RequestPath;
use crate::profile::tree::{FileKind, Found};

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
    /// One of these: a literal name has more than twelve hexadecimal digits in a row (`spa000e08abcdef.cfg`, of which the
    /// `a` may or may not belong to the address). The file is that of the phone which proves to be one of them.
    OneOf(Vec<MacAddress>),
    /// Two that differ, which no one phone is.
    Several,
}

/// A product as a path says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Product {
    /// `SPA504G`.
    Name(String),
    /// `504G`.
    Series(String),
}

/// Looks the path up.
pub(super) fn identify(line: &Line, request: &Request<'_>) -> Result<Claim, Refusal> {
    let path = request.path.clone()?;
    if line.reflect.as_ref().is_some_and(|reflect| reflect.is_same(&path)) {
        return Ok(Claim { path, found: Found::reflection(), named: Named::Nobody });
    }
    let found = line.tree.find(&path).map_err(|error| Refusal::File { file: path.to_string(), error })?;
    let found = found.ok_or(Refusal::NoSuchFile)?;
    let path = if found.gz { path.without_gz().ok_or(Refusal::NoSuchFile)? } else { path };
    let named = Named::of(&found);
    Ok(Claim { path, found, named })
}

/// What a path that takes uploads claims: the device that its text names, else the one of the client's certificate.
pub(super) fn upload(request: &Request<'_>, path: RequestPath, rule: &Macros) -> Claim {
    let found = Found::upload(&path);
    let named = Named::of(&found);
    let mut claim = Claim { path, found, named }.bound_by(rule);
    if let (Named::Nobody, Some(identity)) = (&claim.named, request.presented.identity()) {
        claim.named = Named::Device { mac: identity.mac(), serial: identity.serial().cloned() };
    }
    claim
}

impl Claim {
    /// The path asked for, without the `.gz` that only asks for compression: a rule is for both.
    #[must_use]
    pub fn path(&self) -> &RequestPath {
        &self.path
    }

    /// The file that the path means.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.found.file
    }

    /// Whom the file's path names.
    #[must_use]
    pub fn named(&self) -> &Named {
        &self.named
    }

    /// Whether it is the reflector that is asked.
    #[must_use]
    pub(super) fn is_reflection(&self) -> bool {
        self.found.kind == FileKind::Reflection
    }

    /// Whether something is to be taken in.
    #[must_use]
    pub(super) fn is_upload(&self) -> bool {
        self.found.kind == FileKind::Upload
    }

    /// The product that the path says the phone is: by `$PN`, or by `$PSN` its series.
    #[must_use]
    pub(super) fn product(&self) -> Option<Product> {
        let value = |name| self.found.macros.value(name);
        value(Macro::Pn).map(Product::Name).or_else(|| value(Macro::Psn).map(Product::Series))
    }

    /// The same claim, with what the macros of the rule's path say of the device.
    #[must_use]
    pub(super) fn bound_by(mut self, rule: &Macros) -> Self {
        self.named = self.named.and(rule.mac(), rule.serial());
        if let Some(identity) = DeviceIdentity::new(rule.mac(), rule.serial().cloned(), None) {
            self.found.macros.complete(&identity);
        }
        self
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
        let mut candidates = Vec::new();
        for name in found.file.as_bytes().split(|byte| *byte == b'/') {
            for mut run in mac_runs(name) {
                match (run.next(), run.next(), mac) {
                    (Some(literal), None, Some(other)) if literal != other => return Self::Several,
                    (Some(literal), None, _) => mac = Some(literal),
                    (first, second, _) => candidates.extend(first.into_iter().chain(second).chain(run)),
                }
            }
        }
        if !candidates.is_empty() && mac.is_none_or(|mac| !candidates.contains(&mac)) {
            return if mac.is_none() && serial.is_none() { Self::OneOf(candidates) } else { Self::Several };
        }
        match (&mac, &serial) {
            (None, None) => Self::Nobody,
            _ => Self::Device { mac, serial },
        }
    }

    /// Whom two names name together: everything that either says has to hold.
    fn and(self, mac: Option<MacAddress>, serial: Option<&SerialNumber>) -> Self {
        let (own_mac, own_serial) = match self {
            Self::OneOf(candidates) if serial.is_none() => match mac {
                Some(mac) if candidates.contains(&mac) => return Self::Device { mac: Some(mac), serial: None },
                Some(_) => return Self::Several,
                None => return Self::OneOf(candidates),
            },
            Self::OneOf(_) | Self::Several => return Self::Several,
            Self::Nobody => (None, None),
            Self::Device { mac, serial } => (mac, serial),
        };
        let differ = mac.zip(own_mac).is_some_and(|(a, b)| a != b);
        if differ || serial.zip(own_serial.as_ref()).is_some_and(|(a, b)| a != b) {
            return Self::Several;
        }
        match (own_mac.or(mac), own_serial.or_else(|| serial.cloned())) {
            (None, None) => Self::Nobody,
            (mac, serial) => Self::Device { mac, serial },
        }
    }

    /// Whether the identity is of the device that is named, in everything that is named.
    #[must_use]
    pub fn is(&self, identity: &DeviceIdentity) -> bool {
        match self {
            Self::Nobody => true,
            Self::Several => false,
            Self::OneOf(candidates) => identity.mac().is_some_and(|mac| candidates.contains(&mac)),
            Self::Device { mac, serial } => {
                mac.is_none_or(|mac| identity.mac() == Some(mac))
                    && serial.as_ref().is_none_or(|serial| identity.serial() == Some(serial))
            }
        }
    }
}

/// The first MAC address in a name; of a run that may hold several, the first.
pub(super) fn mac_in(name: &str) -> Option<MacAddress> {
    mac_runs(name.as_bytes()).flatten().next()
}

/// The MAC addresses in a name: each run of twelve hexadecimal digits, alone or in groups of two or four joined by `:`,
/// `-`, `.` or `_`. A run of up to sixteen may hold an address with letters beside it that are digits too; it gives every
/// address it could be. `ATA` before an address is none of its digits (`ATA000E08ABCDEF.cnf.xml`, the first name that an
/// ATA 190 asks for).
fn mac_runs(bytes: &[u8]) -> impl Iterator<Item = Run<'_>> {
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let starts_run = move |at: usize| {
        let family = at == 3 && bytes[..3].eq_ignore_ascii_case(b"ATA");
        is_digit(at) && (at == 0 || family || !is_digit(at - 1))
    };
    // Nothing that begins later has twelve digits.
    (0..bytes.len().saturating_sub(11)).filter(move |at| starts_run(*at)).filter_map(move |at| {
        let run = bytes[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        match run {
            12..=16 => Some(Run { grouped: None, digits: &bytes[at..at + run] }),
            2 | 4 => grouped(&bytes[at..], run).map(|mac| Run { grouped: Some(mac), digits: &[] }),
            _ => None,
        }
    })
}

/// What one run of digits may be, the first first; never nothing.
#[derive(Debug, PartialEq, Eq)]
struct Run<'a> {
    grouped: Option<MacAddress>,
    digits: &'a [u8],
}

impl Iterator for Run<'_> {
    type Item = MacAddress;

    fn next(&mut self) -> Option<MacAddress> {
        if let Some(mac) = self.grouped.take() {
            return Some(mac);
        }
        let mac = MacAddress::from_digits(self.digits.get(..12)?);
        self.digits = &self.digits[1..];
        mac
    }
}

/// An address in groups of this many digits, each but the last followed by the same separator.
fn grouped(text: &[u8], group: usize) -> Option<MacAddress> {
    let length = 12 + 12 / group - 1;
    let text = text.get(..length).filter(|_| !text.get(length).is_some_and(u8::is_ascii_hexdigit))?;
    let separator = *text.get(group)?;
    let is_separator = |at: usize| at % (group + 1) == group;
    let separated =
        b":-._".contains(&separator) && (0..length).filter(|at| is_separator(*at)).all(|at| text[at] == separator);
    let digits: Vec<u8> = text.iter().enumerate().filter(|(at, _)| !is_separator(*at)).map(|(_, byte)| *byte).collect();
    MacAddress::from_digits(&digits).filter(|_| separated)
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Several => f.write_str("two devices"),
            Self::OneOf(candidates) => {
                let names: Vec<String> = candidates.iter().map(ToString::to_string).collect();
                f.write_str(&names.join(" or "))
            }
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
            "00_0e_08_ab_cd_ef.cfg",
            "000e.08ab.cdef.cfg",
            "spa000e08abcdef.cfg",
            "phone000e08abcdef.cfg",
            "mac000e08abcdef.cfg",
            "000e08abcdefconfig.cfg",
            "000e08abcdef00.cfg",
        ];
        for name in names {
            assert!(mac_runs(name.as_bytes()).flatten().any(|found| found == mac), "{name}");
        }
        for name in ["basic.txt", "000e08abcde.cfg", "sip88xx.11-3-2MPP0001-609.loads", "", "2024-11-22.txt"] {
            assert_eq!(mac_runs(name.as_bytes()).next(), None, "{name}");
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
