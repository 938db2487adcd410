//! Certificates made to order for the tests.

use std::sync::LazyLock;

use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, Issuer, KeyPair};

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate().expect("a key"));

/// The attributes of a name: `[("ST", "000e08abcdef".into())]`. A name may stand twice, not more often.
pub(super) type Name<'a> = &'a [(&'a str, DnValue)];

/// A certificate with this subject.
pub(super) fn subject(subject: Name<'_>) -> Vec<u8> {
    issued(subject, &[("CN", "a test".into())])
}

/// A certificate with this subject and this issuer.
pub(super) fn issued(subject: Name<'_>, issuer: Name<'_>) -> Vec<u8> {
    let parameters = |name| {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = distinguished(name);
        parameters
    };
    let issuer = Issuer::new(parameters(issuer), &*KEY);
    parameters(subject).signed_by(&*KEY, &issuer).expect("a certificate").der().to_vec()
}

/// A certificate with this subject, whose text `from` is then replaced by `to`, of the same length, wherever it stands.
pub(super) fn patched(subject: Name<'_>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut der = self::subject(subject);
    let places: Vec<usize> = (0..=der.len() - from.len()).filter(|at| der[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "nothing to patch");
    for at in places {
        der[at..at + from.len()].copy_from_slice(to);
    }
    der
}

fn distinguished(name: Name<'_>) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    for (field, value) in name {
        // rcgen keeps one value to a type, but takes the same OID under two of its types for two.
        let kind = kind(field);
        let again = DnType::CustomDnType(oid(field));
        let place = if distinguished.get(&kind).is_some() { again } else { kind };
        assert!(distinguished.get(&place).is_none(), "{field} stands three times");
        distinguished.push(place, value.clone());
    }
    distinguished
}

fn kind(field: &str) -> DnType {
    match field {
        "CN" => DnType::CommonName,
        "L" => DnType::LocalityName,
        "ST" => DnType::StateOrProvinceName,
        "OU" => DnType::OrganizationalUnitName,
        "O" => DnType::OrganizationName,
        _ => DnType::CustomDnType(oid(field)),
    }
}

fn oid(field: &str) -> Vec<u64> {
    let last = match field {
        "CN" => 3,
        "serialNumber" => 5,
        "L" => 7,
        "ST" => 8,
        "O" => 10,
        "OU" => 11,
        "title" => 12,
        _ => unreachable!("no test uses {field}"),
    };
    vec![2, 5, 4, last]
}
