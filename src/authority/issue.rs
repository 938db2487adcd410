//! What stands in each of the authority's certificates.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber, date_time_ymd,
};

use super::{AuthorityError, HostName, LabPhone, crypto, random};
use crate::certificate::{self, Block};

/// The authority's own certificate, PEM: it may sign phones and servers, but no further authority.
pub(super) fn authority(key: &KeyPair) -> Result<String, AuthorityError> {
    let subject = [(DnType::OrganizationName, "phoneprov"), (DnType::CommonName, "phoneprov lab authority")];
    let mut parameters = parameters(&subject, 10.years(), Timestamp::MAX)?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.self_signed(key).as_ref().map(Certificate::pem).map_err(crypto)
}

/// A server's certificate, PEM; `previous` are names that it had before.
pub(super) fn server(
    issuer: &Issuer<'_, KeyPair>,
    not_after: Timestamp,
    key: &KeyPair,
    names: &[HostName],
    previous: &[String],
) -> Result<String, AuthorityError> {
    let local = [
        HostName::Dns("localhost".into()),
        HostName::Address(Ipv4Addr::LOCALHOST.into()),
        HostName::Address(Ipv6Addr::LOCALHOST.into()),
    ];
    let mut all: Vec<HostName> = Vec::new();
    for name in local.into_iter().chain(previous.iter().filter_map(|name| name.parse().ok())).chain(names.to_vec()) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let mut parameters = parameters(&[(DnType::CommonName, "localhost")], 825.days(), not_after)?;
    parameters.subject_alt_names = all.into_iter().map(alternative_name).collect::<Result<_, _>>()?;
    signed(parameters, ExtendedKeyUsagePurpose::ServerAuth, key, issuer)
}

/// A phone's certificate, PEM.
pub(super) fn phone(
    issuer: &Issuer<'_, KeyPair>,
    not_after: Timestamp,
    key: &KeyPair,
    phone: &LabPhone,
) -> Result<String, AuthorityError> {
    let subject = [
        (DnType::OrganizationalUnitName, phone.model.as_str()),
        (DnType::LocalityName, phone.serial.as_str()),
        (DnType::StateOrProvinceName, &phone.mac.ma()),
    ];
    signed(parameters(&subject, 10.years(), not_after)?, ExtendedKeyUsagePurpose::ClientAuth, key, issuer)
}

/// Whether `key` is the private key of the certificate `pem`.
pub(super) fn belongs(pem: &str, key: &KeyPair) -> bool {
    let own = key.subject_public_key_info();
    certificate::blocks(pem.as_bytes()).is_ok_and(|blocks| {
        blocks.iter().any(|block| match block {
            Block::Certificate(der) => certificate::public_key(der).is_ok_and(|public| public == own),
            Block::PrivateKey(_) | Block::Other(_) => false,
        })
    })
}

fn signed(
    mut parameters: CertificateParams,
    purpose: ExtendedKeyUsagePurpose,
    key: &KeyPair,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<String, AuthorityError> {
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    parameters.extended_key_usages = vec![purpose];
    parameters.use_authority_key_identifier_extension = true;
    parameters.signed_by(key, issuer).as_ref().map(Certificate::pem).map_err(crypto)
}

/// Valid from yesterday (a phone's clock may be behind) for this long, but no longer than the issuer is.
fn parameters(subject: &[(DnType, &str)], span: Span, limit: Timestamp) -> Result<CertificateParams, AuthorityError> {
    let date = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
    let today = date(Timestamp::now());
    let yesterday = today.yesterday().map_err(crypto)?;
    let end = today.checked_add(span).map_err(crypto)?.min(date(limit));
    let mut parameters = CertificateParams::default();
    let midnight =
        |date: Date| date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
    (parameters.not_before, parameters.not_after) = (midnight(yesterday), midnight(end));
    parameters.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        parameters.distinguished_name.push(kind.clone(), *value);
    }
    parameters.serial_number = Some(serial_number()?);
    Ok(parameters)
}

/// 126 random bits after a one, so that it is positive and always 16 bytes long (RFC 5280 section 4.1.2.2: up to 20).
fn serial_number() -> Result<SerialNumber, AuthorityError> {
    let mut bytes: [u8; 16] = random()?;
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

pub(super) fn alternative_name(name: HostName) -> Result<SanType, AuthorityError> {
    match name {
        HostName::Dns(name) => Ok(SanType::DnsName(name.try_into().map_err(crypto)?)),
        HostName::Address(address) => Ok(SanType::IpAddress(address)),
    }
}
