//! The subject's fields → the device that they name. The whole field is the value or it is nothing: no pattern is
//! searched for inside a field or across fields, and the issuer is never read.

use super::error::{Field, NotADevice, quoted};
use super::subject::{self, Attribute, Malformed};
use crate::device::{DeviceIdentity, MacAddress, Model, SerialNumber};

/// The fields that may name a device, as they stand in the subject.
#[derive(Default)]
struct Fields<'a> {
    common_name: Option<&'a [u8]>,
    serial_number: Option<&'a [u8]>,
    locality: Option<&'a [u8]>,
    state: Option<&'a [u8]>,
    unit: Unit<'a>,
}

/// The organizational unit is the product name only where there is one unit.
#[derive(Default, Clone, Copy)]
enum Unit<'a> {
    #[default]
    Absent,
    One(&'a [u8]),
    Several,
}

/// A name and the field that it stands in.
struct Named<'a, T> {
    name: T,
    field: Field,
    value: &'a [u8],
}

/// The device that a subject, in DER form, names. The layouts (domain: Cisco SPA and 8800
/// Provisioning Guides, TAC traces):
///
/// | subject | device |
/// |---|---|
/// | `OU=CP-8841-3PCC, L=88012BA01234, S=000e08abcdef` | MAC address `S`, serial number `L`, product `OU` |
/// | `serialNumber=PID:CP-8861 SN:FCH2133E8B9, CN=CP-8861-SEP2C3124C9F8E1` | MAC address, serial number, product |
/// | `serialNumber=PID:CP-8861 SN:FCH2133E8B9, CN=CP-8861` | serial number, product |
/// | `CN=000e08abcdef` | MAC address |
pub(super) fn read(subject: &[u8]) -> Result<DeviceIdentity, NotADevice> {
    let fields = Fields::read(subject)?;
    let (common_name, common_model) = fields.common_name().map_or((None, None), |(mac, model)| (Some(mac), model));
    let product = fields.product()?;
    let state = fields.state();
    let (locality, unit) = if state.is_some() { (fields.locality(), fields.unit()) } else { (None, None) };
    let (product_serial, product_model) = product.map_or((None, None), |(serial, model)| (Some(serial), Some(model)));
    let mac = agreed(state, common_name)?;
    let serial = agreed(locality, product_serial)?;
    DeviceIdentity::new(mac, serial, common_model.or(product_model).or(unit)).ok_or_else(|| fields.nobody())
}

/// The one name that two fields give, if any gives one; an error where they name different devices.
fn agreed<T: PartialEq>(first: Option<Named<'_, T>>, second: Option<Named<'_, T>>) -> Result<Option<T>, NotADevice> {
    match (first, second) {
        (Some(first), Some(second)) if first.name != second.name => Err(NotADevice::TwoDevices {
            first: (first.field, quoted(first.value)),
            second: (second.field, quoted(second.value)),
        }),
        (first, second) => Ok(first.or(second).map(|named| named.name)),
    }
}

impl<'a> Fields<'a> {
    fn read(subject: &'a [u8]) -> Result<Self, NotADevice> {
        let mut fields = Self::default();
        subject::walk(subject, |attribute| fields.take(attribute))?;
        Ok(fields)
    }

    fn take(&mut self, attribute: Attribute<'a>) -> Result<(), NotADevice> {
        let Some(field) = Field::of(attribute.oid) else {
            return Ok(());
        };
        let value = attribute.value;
        if !attribute.is_text() {
            let kind = attribute.tag.map_or_else(|| "no plain value".into(), |tag| tag.to_string());
            return Err(NotADevice::Unreadable { field, held: quoted(value), kind });
        }
        if field != Field::SerialNumber && value.eq_ignore_ascii_case(b"ciscogeneric") {
            return Err(NotADevice::GenericCertificate(field));
        }
        let place = match field {
            Field::CommonName => &mut self.common_name,
            Field::SerialNumber => &mut self.serial_number,
            Field::Locality => &mut self.locality,
            Field::State => &mut self.state,
            Field::Unit => {
                self.unit = match self.unit {
                    Unit::Absent => Unit::One(value),
                    Unit::One(_) | Unit::Several => Unit::Several,
                };
                return Ok(());
            }
        };
        match place.replace(value) {
            Some(first) if first != value => {
                Err(NotADevice::Repeated { field, first: quoted(first), second: quoted(value) })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn state(&self) -> Option<Named<'a, MacAddress>> {
        let value = self.state?;
        Some(Named { name: MacAddress::from_digits(value)?, field: Field::State, value })
    }

    /// `000e08abcdef`, `SEP2C3124C9F8E1` or `CP-8861-SEP2C3124C9F8E1`.
    fn common_name(&self) -> Option<(Named<'a, MacAddress>, Option<Model>)> {
        let value = self.common_name?;
        let named = |name| Named { name, field: Field::CommonName, value };
        if let Some(mac) = MacAddress::from_digits(value) {
            return Some((named(mac), None));
        }
        let (head, digits) = value.split_at_checked(value.len().checked_sub(12)?)?;
        let model = match head.strip_suffix(b"SEP")? {
            [] => None,
            product => Some(text(product.strip_suffix(b"-")?)?),
        };
        Some((named(MacAddress::from_digits(digits)?), model))
    }

    /// `PID:CP-8861 SN:FCH2133E8B9`; a serialNumber of another kind is nothing to us.
    fn product(&self) -> Result<Option<(Named<'a, SerialNumber>, Model)>, NotADevice> {
        let Some(value) = self.serial_number else {
            return Ok(None);
        };
        let Some(rest) = value.strip_prefix(b"PID:") else {
            return Ok(None);
        };
        let product = || {
            let (product, serial) = std::str::from_utf8(rest).ok()?.split_once(" SN:")?;
            let name = serial.parse().ok()?;
            Some((Named { name, field: Field::SerialNumber, value }, product.parse().ok()?))
        };
        product().map(Some).ok_or_else(|| NotADevice::Product(quoted(value)))
    }

    /// A serial number has a digit; a town that slipped in has none.
    fn locality(&self) -> Option<Named<'a, SerialNumber>> {
        let value = self.locality.filter(|value| value.iter().any(u8::is_ascii_digit))?;
        Some(Named { name: text(value)?, field: Field::Locality, value })
    }

    fn unit(&self) -> Option<Model> {
        match self.unit {
            Unit::One(value) => text(value),
            Unit::Absent | Unit::Several => None,
        }
    }

    fn nobody(&self) -> NotADevice {
        let unit = match self.unit {
            Unit::One(value) => Some(value),
            Unit::Absent | Unit::Several => None,
        };
        let fields = [
            (Field::State, self.state),
            (Field::Locality, self.locality),
            (Field::SerialNumber, self.serial_number),
            (Field::Unit, unit),
            (Field::CommonName, self.common_name),
        ];
        let held: Vec<String> =
            fields.iter().filter_map(|(field, value)| Some(format!("{field} is {}", quoted((*value)?)))).collect();
        NotADevice::Nobody(if held.is_empty() { "it has none of them".into() } else { held.join(", ") })
    }
}

impl Field {
    /// The field with this type (the content octets of its OBJECT IDENTIFIER: 2.5.4 is `55 04`).
    pub(super) fn of(oid: &[u8]) -> Option<Self> {
        match oid {
            [0x55, 4, 3] => Some(Self::CommonName),
            [0x55, 4, 5] => Some(Self::SerialNumber),
            [0x55, 4, 7] => Some(Self::Locality),
            [0x55, 4, 8] => Some(Self::State),
            [0x55, 4, 11] => Some(Self::Unit),
            _ => None,
        }
    }
}

impl From<Malformed> for NotADevice {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

fn text<T: std::str::FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
