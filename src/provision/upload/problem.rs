//! What the form of a problem report says of its phone, which proves nothing.

use super::form::{DEVICE, SERIAL, USER};
use super::{Upload, UploadFault};
use crate::device::{Device, DeviceIdentity, DeviceName, MacAddress, SerialNumber};
use crate::provision::identify::mac_in;
use crate::provision::{Line, Named, Refusal, Request, admission};

/// The longest text that is kept (characters).
const LONGEST: usize = 80;

/// A problem report's fields, cleaned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// `devicename` and `serialno`: whom the form is of, as it says.
    pub named: Named,
    /// `username`.
    pub user: String,
    /// What the client calls the file: a label for people, and the name of nothing.
    pub label: String,
}

impl Problem {
    /// Reads a form's fields, whose values may stand in quotes.
    #[must_use]
    pub fn of(fields: &[(String, String)], file: &str) -> Self {
        let field = |name: &str| {
            let found = fields.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.trim().trim_matches('"').trim()).unwrap_or_default()
        };
        let (mac, serial) = (device_in(field(DEVICE)), field(SERIAL).parse().ok());
        let named = if mac.is_none() && serial.is_none() { Named::Nobody } else { Named::Device { mac, serial } };
        Self { named, user: text(field(USER)), label: label(file) }
    }

    /// Holds what the form says against who sends it, and gives the name by which the store is to be asked whose it is: the
    /// sender's where there is one, else the form's.
    ///
    /// # Errors
    /// It is of another device, of nobody, or of somebody who may not come.
    pub fn sender(&self, line: &Line, request: &Request<'_>, upload: &Upload) -> Result<Option<DeviceName>, Refusal> {
        if let Some(known) = upload.device() {
            let is_own = match &self.named {
                Named::Device { mac: Some(mac), .. } => known.device().has_mac(*mac),
                Named::Device { mac: None, serial: Some(serial) } => {
                    known.device().identity.serial().is_none_or(|own| own == serial)
                }
                Named::Device { .. } | Named::Nobody | Named::OneOf(_) | Named::Several => true,
            };
            let (form, sender) = (self.named.to_string(), known.device().name().to_string());
            return if is_own { Ok(None) } else { Err(UploadFault::OtherDevice { form, sender }.into()) };
        }
        let Named::Device { mac, serial } = &self.named else { return Err(UploadFault::Nobody.into()) };
        let identity = DeviceIdentity::new(*mac, serial.clone(), None).ok_or(UploadFault::Nobody)?;
        admission::holds(&line.admission, request, &identity)?;
        let name = mac.map(DeviceName::Mac).or_else(|| serial.clone().map(DeviceName::Serial));
        name.map(Some).ok_or_else(|| UploadFault::Nobody.into())
    }

    /// Holds the certificate against the device that the form is of otherwise, also where none is asked for: what is told of it is
    /// told of whom the certificate proves.
    ///
    /// # Errors
    /// They are two devices.
    pub fn certified(request: &Request<'_>, device: &Device) -> Result<(), UploadFault> {
        let Some(identity) = request.presented.identity() else { return Ok(()) };
        let is_mac = identity.mac().is_some_and(|mac| device.has_mac(mac));
        let is_serial = identity.serial().is_some_and(|serial| device.identity.serial() == Some(serial));
        match is_mac || is_serial {
            true => Ok(()),
            false => Err(UploadFault::OtherCertificate { device: device.name(), proven: (**identity).clone() }),
        }
    }

    /// The serial number that the form has, whose owner is to be asked for: it may be another device than the address says.
    #[must_use]
    pub fn serial(&self) -> Option<&SerialNumber> {
        match &self.named {
            Named::Device { serial, .. } => serial.as_ref(),
            Named::Nobody | Named::OneOf(_) | Named::Several => None,
        }
    }

    /// Holds the owner of that serial number against the device that the form is of otherwise. One that nobody has stored says
    /// nothing: people often store addresses alone.
    ///
    /// # Errors
    /// They are two devices.
    pub fn owned(&self, owner: Option<DeviceName>, device: &DeviceName) -> Result<(), UploadFault> {
        match (self.serial(), owner) {
            (Some(serial), Some(owner)) if owner != *device => {
                Err(UploadFault::TwoDevices { serial: serial.clone(), owner, device: device.clone() })
            }
            (None | Some(_), None | Some(_)) => Ok(()),
        }
    }
}

/// A file's name without folders, and without what is no letter, digit, or one of `-_. `.
fn label(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = last.chars().filter(|c| c.is_alphanumeric() || "-_. ".contains(*c));
    plain.take(LONGEST).collect::<String>().trim_matches(['.', ' ']).to_owned()
}

fn text(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The address in a device's own name: `SEP` or `ATA` and twelve digits. The last letter of `ATA` is a digit, too, and none of
/// the address.
fn device_in(name: &str) -> Option<MacAddress> {
    let is_family = |head: &str| ["SEP", "ATA"].iter().any(|family| head.eq_ignore_ascii_case(family));
    let own = name.split_at_checked(3).filter(|(head, _)| is_family(head)).map(|(_, digits)| digits);
    own.and_then(|digits| MacAddress::from_digits(digits.as_bytes())).or_else(|| mac_in(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn fields_in_quotes_are_read_like_others() {
        let quoted =
            fields(&[("devicename", "\"SEP000E08ABCDEF\""), ("serialno", "\"FCH2133E8B9\""), ("username", "\"u\"")]);
        let problem = Problem::of(&quoted, "probrep-20260101-010203.tar.gz");
        assert_eq!(problem.named.to_string(), "000e08abcdef/FCH2133E8B9");
        assert_eq!((problem.user.as_str(), problem.label.as_str()), ("u", "probrep-20260101-010203.tar.gz"));
        assert_eq!(Problem::of(&fields(&[("devicename", "\x1b[2J")]), "").named, Named::Nobody);
        let mac = Some("000e08abcdef".parse().expect("an address"));
        for name in ["ATA000E08ABCDEF", "ata000e08abcdef", "SEP000E08ABCDEF", "000e08abcdef", "ATA 000E08ABCDEF"] {
            let named = Problem::of(&fields(&[("devicename", name)]), "").named;
            assert_eq!(named, Named::Device { mac, serial: None }, "{name}");
        }
    }

    #[test]
    fn a_serial_number_of_another_device_contradicts_and_one_of_nobody_does_not() {
        let problem = Problem::of(&fields(&[("devicename", "SEP000E08ABCDEF"), ("serialno", "FCH2133E8B9")]), "");
        let name = |mac: &str| DeviceName::Mac(mac.parse().expect("an address"));
        let own = name("000e08abcdef");
        assert!(problem.owned(None, &own).is_ok() && problem.owned(Some(own.clone()), &own).is_ok());
        let error = problem.owned(Some(name("000e08000002")), &own).expect_err("two devices");
        let expected = "the form has the serial number FCH2133E8B9 of 000e08000002, and it is of 000e08abcdef";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_clients_name_for_a_file_is_a_label_at_the_most() {
        for (name, expected) in [
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("a\0b\x1b[2J\n.gz", "ab2J.gz"),
            ("..", ""),
            ("/", ""),
            (".hidden", "hidden"),
        ] {
            assert_eq!(label(name), expected, "{name:?}");
        }
        assert_eq!(label(&"ä".repeat(4096)).chars().count(), LONGEST);
    }
}
