//! Why a certificate names no device, in words for the log and for `certs show`.

use std::fmt;

use crate::device::{SerialNumber, SerialRange};

/// How much of a field a message quotes, in bytes: enough for every real value, too little to flood a log.
const QUOTED: usize = 64;

/// The bytes are not one X.509 certificate in DER form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotACertificate {
    /// They do not parse.
    #[error("not an X.509 certificate in DER form: {0}")]
    Syntax(String),
    /// A certificate is followed by this many other bytes.
    #[error("{0} bytes follow the certificate: expected one certificate and nothing else")]
    Trailing(usize),
}

/// A subject attribute in which a device may be named (domain: Cisco SPA and 8800 Provisioning Guides, TAC traces).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `CN`, commonName, 2.5.4.3.
    CommonName,
    /// serialNumber, 2.5.4.5; not the serial number of the certificate.
    SerialNumber,
    /// `L`, localityName, 2.5.4.7.
    Locality,
    /// `ST` or `S`, stateOrProvinceName, 2.5.4.8.
    State,
    /// `OU`, organizationalUnitName, 2.5.4.11.
    Unit,
}

/// The certificate names no device. What a field held is quoted, escaped and cut at 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotADevice {
    /// There is no certificate to read.
    #[error(transparent)]
    NotACertificate(#[from] NotACertificate),
    /// The subject is not well-formed, or bytes follow a value in it.
    #[error(
        "the subject is not well-formed: expected a sequence of names, each a type and one value (RFC 5280 4.1.2.4)"
    )]
    Malformed,
    /// The field is of another type than text, or holds a control character such as NUL.
    #[error(
        "{field} holds {held} ({kind}): expected a UTF8String, PrintableString, TeletexString or IA5String without \
         control characters"
    )]
    Unreadable {
        /// The field.
        field: Field,
        /// What it holds, quoted.
        held: String,
        /// The ASN.1 type it has.
        kind: String,
    },
    /// The field stands more than once and the values differ.
    #[error("{field} stands twice in the subject, as {first} and as {second}, and so names two devices: expected one")]
    Repeated {
        /// The field.
        field: Field,
        /// The earlier value, quoted.
        first: String,
        /// The later value, quoted.
        second: String,
    },
    /// Two fields name different devices.
    #[error("the subject names two devices: {} is {} and {} is {}", first.0, first.1, second.0, second.1)]
    TwoDevices {
        /// A field and what it holds, quoted.
        first: (Field, String),
        /// Another field and what it holds, quoted.
        second: (Field, String),
    },
    /// The certificate that many units share (domain: Cisco SPA Provisioning Guide, units before release 2.0).
    #[error("{0} is \"ciscogeneric\": the certificate shared by units without their own is nobody's identity")]
    GenericCertificate(Field),
    /// serialNumber begins like a Cisco product identifier and does not go on like one.
    #[error("serialNumber holds {0}: expected `PID:<product> SN:<serial>`, such as \"PID:CP-8861 SN:FCH2133E8B9\"")]
    Product(String),
    /// Units of a run whose certificates were installed incorrectly (Cisco document 108605): they may be another unit's.
    #[error(
        "{serial} is of the run {range}, whose certificates were installed incorrectly and may be another unit's: see \
         certificates.faulty_serials"
    )]
    FaultyRun {
        /// The unit.
        serial: SerialNumber,
        /// The run.
        range: SerialRange,
    },
    /// The mapping of its issuer finds none.
    #[error("no field names a device as its issuer's mapping says: expected {0}")]
    Unmapped(String),
    /// The mapping of its issuer finds two.
    #[error("two values fit {place}, {first} and {second}: expected one")]
    TwoMapped {
        /// The place, as it is configured.
        place: String,
        /// The first value, quoted.
        first: String,
        /// Another value, quoted.
        second: String,
    },
    /// The mapping of its issuer finds another device than the layout of its subject.
    #[error("it names {mapped} by its issuer's mapping and {own} by the layout of its subject: expected one device")]
    Contradiction {
        /// By the mapping.
        mapped: String,
        /// By the layout.
        own: String,
    },
    /// No field has the form of a name.
    #[error(
        "no field names a device ({0}): expected ST or CN of exactly 12 hexadecimal digits, CN that ends in SEP and 12 \
         hexadecimal digits, or serialNumber `PID:<product> SN:<serial>`"
    )]
    Nobody(String),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CommonName => "CN",
            Self::SerialNumber => "serialNumber",
            Self::Locality => "L",
            Self::State => "ST",
            Self::Unit => "OU",
        })
    }
}

/// `value` between quotation marks, escaped to ASCII and cut at [`QUOTED`] bytes.
pub(super) fn quoted(value: &[u8]) -> String {
    match value.get(..QUOTED) {
        Some(head) if value.len() > QUOTED => format!("\"{}…\" ({} bytes)", head.escape_ascii(), value.len()),
        _ => format!("\"{}\"", value.escape_ascii()),
    }
}
