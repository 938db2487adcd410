//! Certificates of an operator's own: which field of the subject, or which alternative name, has the device's names.
//!
//! The issuer decides whether a mapping is for a certificate, as a set of fields with whole values. Nothing is searched
//! for: a field is the text before, the name and the text after, or it is nothing.

use std::collections::BTreeMap;
use std::str::FromStr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use super::error::{Field, NotADevice, quoted};
use super::reader;
use super::subject::{self, Attribute};
use crate::device::{DeviceIdentity, MacAddress, Model, SerialNumber};

/// One issuer's layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    issuer: Vec<(String, Pattern)>,
    mac: Option<Place>,
    serial: Option<Place>,
    model: Option<Place>,
}

/// A mapping that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Every issuer would fit.
    #[error("issuer names no field: expected at least one, such as {{ O = \"Example\", CN = \"Phone CA*\" }}")]
    NoIssuer,
    /// A field that issuers do not have.
    #[error("issuer.{0} is no field of an issuer: expected C, ST, L, O, OU, CN or DC")]
    IssuerField(String),
    /// The makers' certificates have layouts of their own.
    #[error(
        "issuer.O `{0}` makes the phones: their factory certificates are read by their own layouts, never by a mapping"
    )]
    Maker(String),
    /// It would name nobody.
    #[error("neither mac nor serial is mapped: a certificate would name nobody")]
    Nobody,
    /// A place that is none.
    #[error(
        "`{0}` is no place of a certificate: expected CN, OU, L, ST, serialNumber, DNS, URI or email, alone or with the \
         form of its value, in which * stands for the name, such as \"CN=SEP*\""
    )]
    Place(String),
}

/// A text in which `*` stands for any other.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(String);

/// Where a name stands, and between what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    field: Source,
    before: String,
    after: String,
}

/// What a certificate has names in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Subject(Field),
    Dns,
    Uri,
    Email,
}

/// Fields that an issuer may be told by, as OpenSSL abbreviates them.
const ISSUER_FIELDS: [&str; 7] = ["C", "ST", "L", "O", "OU", "CN", "DC"];

impl Mapping {
    /// Certificates whose issuer has all of these fields with these values, in which `*` stands for any text; and where
    /// they have the device's names.
    ///
    /// # Errors
    /// No issuer is named, or one of those who make the phones, or neither a MAC address nor a serial number is mapped.
    pub fn new(
        issuer: BTreeMap<String, String>,
        mac: Option<Place>,
        serial: Option<Place>,
        model: Option<Place>,
    ) -> Result<Self, MappingError> {
        if issuer.is_empty() {
            return Err(MappingError::NoIssuer);
        }
        if let Some(field) = issuer.keys().find(|field| !ISSUER_FIELDS.contains(&field.as_str())) {
            return Err(MappingError::IssuerField(field.clone()));
        }
        if let Some(maker) = issuer.get("O").filter(|organization| reader::is_maker(organization)) {
            return Err(MappingError::Maker(maker.clone()));
        }
        if mac.is_none() && serial.is_none() {
            return Err(MappingError::Nobody);
        }
        let issuer = issuer.into_iter().map(|(field, value)| (field, Pattern(value))).collect();
        Ok(Self { issuer, mac, serial, model })
    }

    /// Whether an issuer with these fields is meant.
    pub(super) fn is_for(&self, issuer: &[(String, String)]) -> bool {
        let has = |(field, pattern): &(String, Pattern)| {
            issuer.iter().any(|(name, value)| name == field && pattern.fits(value))
        };
        self.issuer.iter().all(has)
    }

    /// The device that the certificate names here. `own` is what its subject names by the layouts of the field: where it
    /// names one, it has to be the same.
    pub(super) fn read(
        &self,
        certificate: &X509Certificate<'_>,
        own: Result<DeviceIdentity, NotADevice>,
    ) -> Result<DeviceIdentity, NotADevice> {
        let mac: Option<MacAddress> = name(certificate, self.mac.as_ref())?;
        let serial: Option<SerialNumber> = name(certificate, self.serial.as_ref())?;
        let model: Option<Model> = name(certificate, self.model.as_ref())?;
        let device = DeviceIdentity::new(mac, serial, model).ok_or_else(|| self.nobody())?;
        match own {
            Err(NotADevice::Nobody(_)) => Ok(device),
            Err(error) => Err(error),
            Ok(own) => {
                let other_mac = own.mac().zip(device.mac()).is_some_and(|(own, mapped)| own != mapped);
                let other_serial = own.serial().zip(device.serial()).is_some_and(|(own, mapped)| own != mapped);
                match other_mac || other_serial {
                    true => Err(NotADevice::Contradiction { mapped: device.to_string(), own: own.to_string() }),
                    false => Ok(device),
                }
            }
        }
    }

    fn nobody(&self) -> NotADevice {
        let places = [("a MAC address", &self.mac), ("a serial number", &self.serial)];
        let expected: Vec<String> =
            places.iter().filter_map(|(what, place)| Some(format!("{what} in {}", place.as_ref()?))).collect();
        NotADevice::Unmapped(expected.join(" or "))
    }
}

/// The one name that stands in a place, if any does.
fn name<T: FromStr + PartialEq>(
    certificate: &X509Certificate<'_>,
    place: Option<&Place>,
) -> Result<Option<T>, NotADevice> {
    let Some(place) = place else { return Ok(None) };
    let mut found: Option<(T, String)> = None;
    for value in values(certificate, place.field)? {
        let Some(name) = place.within(&value).and_then(|text| text.parse().ok()) else { continue };
        match &found {
            Some((first, _)) if *first == name => {}
            Some((_, first)) => {
                return Err(NotADevice::TwoMapped {
                    place: place.to_string(),
                    first: quoted(first.as_bytes()),
                    second: quoted(value.as_bytes()),
                });
            }
            None => found = Some((name, value)),
        }
    }
    Ok(found.map(|(name, _)| name))
}

/// Every text of a field. The subject has been read before, so its own five fields are text.
fn values(certificate: &X509Certificate<'_>, source: Source) -> Result<Vec<String>, NotADevice> {
    let mut values = Vec::new();
    if let Source::Subject(field) = source {
        subject::walk(certificate.subject().as_raw(), |attribute: Attribute<'_>| {
            if Field::of(attribute.oid) == Some(field) {
                values.extend(std::str::from_utf8(attribute.value).map(str::to_owned));
            }
            Ok::<(), NotADevice>(())
        })?;
        return Ok(values);
    }
    let names = certificate.subject_alternative_name().map_err(|_| NotADevice::Malformed)?;
    for name in names.iter().flat_map(|names| &names.value.general_names) {
        match (source, name) {
            (Source::Dns, GeneralName::DNSName(text))
            | (Source::Uri, GeneralName::URI(text))
            | (Source::Email, GeneralName::RFC822Name(text)) => values.push((*text).to_owned()),
            _ => {}
        }
    }
    Ok(values)
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(mut text) = text.strip_prefix(head) else { return false };
        let mut pieces: Vec<&str> = rest.split('*').collect();
        let tail = pieces.pop().unwrap_or_default();
        for piece in pieces {
            let Some(at) = text.find(piece) else { return false };
            text = &text[at + piece.len()..];
        }
        text.ends_with(tail)
    }
}

impl Place {
    /// The text between what stands before and after the name, in any case.
    fn within<'a>(&self, value: &'a str) -> Option<&'a str> {
        let end = value.len().checked_sub(self.after.len())?;
        let (head, tail) = (value.get(..self.before.len())?, value.get(end..)?);
        let fits = head.eq_ignore_ascii_case(&self.before) && tail.eq_ignore_ascii_case(&self.after);
        value.get(self.before.len()..end).filter(|_| fits)
    }
}

impl FromStr for Place {
    type Err = MappingError;

    fn from_str(text: &str) -> Result<Self, MappingError> {
        let (field, form) = text.split_once('=').unwrap_or((text, "*"));
        let field = match field {
            "CN" => Source::Subject(Field::CommonName),
            "OU" => Source::Subject(Field::Unit),
            "L" => Source::Subject(Field::Locality),
            "ST" | "S" => Source::Subject(Field::State),
            "serialNumber" => Source::Subject(Field::SerialNumber),
            "DNS" => Source::Dns,
            "URI" => Source::Uri,
            "email" => Source::Email,
            _ => return Err(MappingError::Place(text.into())),
        };
        match form.split_once('*') {
            Some((before, after)) if !after.contains('*') => {
                Ok(Self { field, before: before.into(), after: after.into() })
            }
            Some(_) | None => Err(MappingError::Place(text.into())),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.field {
            Source::Subject(field) => write!(f, "{field}")?,
            Source::Dns => f.write_str("DNS")?,
            Source::Uri => f.write_str("URI")?,
            Source::Email => f.write_str("email")?,
        }
        write!(f, "={}*{}", self.before, self.after)
    }
}

#[cfg(test)]
mod tests;
