//! What a certificate says, for people: `certs show`, `check`, the expiry warning at start.

use std::net::IpAddr;

use jiff::Timestamp;
use x509_parser::asn1_rs::{Oid, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::public_key;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Version};

use super::error::NotACertificate;
use super::subject::{self, Attribute, Malformed};
use super::{Extensions, parse};

/// A certificate in words. Every text is escaped: no control character of the certificate reaches a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The subject's attributes in their order, as (`ST`, `000e08abcdef`).
    pub subject: Vec<(String, String)>,
    /// The issuer, as `O=Cisco, CN=Cisco Manufacturing CA`.
    pub issuer: String,
    /// The certificate's serial number, in hexadecimal pairs joined by `:`.
    pub serial: String,
    /// The first moment at which it is valid.
    pub not_before: Timestamp,
    /// The last moment at which it is valid.
    pub not_after: Timestamp,
    /// The key that it certifies.
    pub key: PublicKey,
    /// The algorithm that signed it: `sha256WithRSAEncryption`, or its OID where it has no name.
    pub signature: String,
    /// The alternative names: `localhost`, `127.0.0.1`.
    pub alternative_names: Vec<String>,
    /// Whether it may sign others (RFC 5280 section 4.2.1.9).
    pub is_ca: bool,
    /// It says that it may not (`CA:FALSE`); certificates of version 1 do not say.
    pub is_no_ca: bool,
    /// It is of X.509 version 1 or 2, which current libraries refuse.
    pub is_before_version_3: bool,
}

/// A public key: its kind (`RSA`, `EC`, or the algorithm's name) and its size in bits, 0 where it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `RSA`, `EC`, or the algorithm's name or OID.
    pub kind: String,
    /// Bits of the modulus or of the field.
    pub bits: usize,
}

/// Reads one certificate in DER form.
pub fn details(der: &[u8]) -> Result<Details, NotACertificate> {
    let certificate = parse(der, Extensions::Read)?;
    let issuer: Vec<String> =
        name(certificate.issuer().as_raw())?.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(Details {
        subject: name(certificate.subject().as_raw())?,
        issuer: issuer.join(", "),
        serial: certificate.raw_serial_as_string(),
        not_before: timestamp(certificate.validity().not_before),
        not_after: timestamp(certificate.validity().not_after),
        key: key(certificate.public_key()),
        signature: algorithm(&certificate.signature_algorithm.algorithm),
        alternative_names: alternative_names(&certificate),
        is_ca: certificate.is_ca(),
        is_no_ca: certificate.basic_constraints().ok().flatten().is_some_and(|constraints| !constraints.value.ca),
        is_before_version_3: certificate.version() != X509Version::V3,
    })
}

/// The time as we keep it; 9999-12-31, which stands for "no end" (RFC 5280 section 4.1.2.5), is a day more than jiff
/// holds.
pub(super) fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::MAX)
}

/// A name as (`ST`, `000e08abcdef`), every text escaped.
pub(super) fn name(der: &[u8]) -> Result<Vec<(String, String)>, NotACertificate> {
    let mut attributes = Vec::new();
    subject::walk(der, |attribute| {
        attributes.push((attribute_name(attribute.oid), attribute_text(&attribute)));
        Ok::<(), Malformed>(())
    })
    .map_err(|Malformed| NotACertificate::Syntax("a name in it is not well-formed".into()))?;
    Ok(attributes)
}

fn attribute_name(oid: &[u8]) -> String {
    let oid = Oid::new(oid.into());
    oid2abbrev(&oid, oid_registry()).map_or_else(|_| oid.to_string(), str::to_owned)
}

fn attribute_text(attribute: &Attribute<'_>) -> String {
    let text = match attribute.tag {
        Some(Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString) => {
            String::from_utf8_lossy(attribute.value).into_owned()
        }
        Some(Tag::T61String) => attribute.value.iter().map(|byte| char::from(*byte)).collect(),
        Some(Tag::BmpString) => {
            let units =
                attribute.value.chunks(2).map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => {
            let digits = attribute.value.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
        }
    };
    escaped(&text)
}

/// The text with every control character, and what could hide others, as `\u{…}`.
fn escaped(text: &str) -> String {
    text.chars().map(|c| if "'\"\\".contains(c) { c.to_string() } else { c.escape_debug().to_string() }).collect()
}

fn algorithm(oid: &Oid<'_>) -> String {
    oid_registry().get(oid).map_or_else(|| oid.to_string(), |entry| entry.sn().to_owned())
}

fn key(key: &SubjectPublicKeyInfo<'_>) -> PublicKey {
    match key.parsed() {
        Ok(public_key::PublicKey::RSA(rsa)) => {
            let modulus: &[u8] = &rsa.modulus[rsa.modulus.iter().take_while(|byte| **byte == 0).count()..];
            let unused = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
            PublicKey { kind: "RSA".into(), bits: modulus.len() * 8 - unused }
        }
        // The field of P-521 does not fill its last byte.
        Ok(public_key::PublicKey::EC(point)) => {
            PublicKey { kind: "EC".into(), bits: if point.key_size() == 528 { 521 } else { point.key_size() } }
        }
        Ok(other) => PublicKey { kind: algorithm(&key.algorithm.algorithm), bits: other.key_size() },
        Err(_) => PublicKey { kind: algorithm(&key.algorithm.algorithm), bits: 0 },
    }
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    names.value.general_names.iter().map(|name| escaped(&general_name(name))).collect()
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => (*text).to_owned(),
        GeneralName::IPAddress(octets) => {
            address(octets).map_or_else(|| name.to_string(), |address| address.to_string())
        }
        other => other.to_string(),
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}
