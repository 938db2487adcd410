//! Revocation lists (CRL, RFC 5280 section 5), as files hold them and as far as they count for us.

use std::io::Cursor;

use jiff::Timestamp;
use x509_parser::asn1_rs::{Oid, oid};
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::X509Version;

use super::details;

/// What a list says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// Whose list it is, as `O=Cisco, CN=Cisco Manufacturing CA`.
    pub issuer: String,
    /// The same as a DER-encoded name: equal byte for byte to that of the certificates that it is about.
    pub issuer_name: Vec<u8>,
    /// When it was made.
    pub made: Timestamp,
    /// When the next one comes at the latest; `None`: it does not say.
    pub next: Option<Timestamp>,
    /// How many certificates are on it.
    pub count: usize,
}

/// The file holds no list that we can go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARevocationList {
    /// A block is damaged.
    #[error("list {number} of the file is damaged ({reason}): expected base64 text up to -----END X509 CRL-----")]
    Damaged {
        /// Which list, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither PEM nor DER.
    #[error("no revocation list in it: expected -----BEGIN X509 CRL----- or a list in DER form")]
    NeitherForm,
    /// It does not parse.
    #[error("not a revocation list in DER form: {0}")]
    Syntax(String),
    /// Bytes follow it.
    #[error("{0} bytes follow the list: expected one list and nothing else")]
    Trailing(usize),
    /// Version 1.
    #[error(
        "its version is 1: expected 2 (with openssl ca: crl_extensions that name a CRL number and a key identifier)"
    )]
    Version,
    /// It is about changes only, or about certificates of others, or about some reasons only.
    #[error("it is not a complete list ({0}): expected one of all that its issuer has revoked")]
    Partial(&'static str),
}

/// `deltaCRLIndicator` (RFC 5280 section 5.2.4).
const DELTA_INDICATOR: Oid<'_> = oid!(2.5.29.27);

const BEGIN: &str = "-----BEGIN X509 CRL-----";

/// The lists in a file, in DER form: PEM blocks, or one in DER. Other PEM blocks are passed over.
///
/// # Errors
/// A block is damaged, or there is none.
pub fn revocation_lists(file: &[u8]) -> Result<Vec<Vec<u8>>, NotARevocationList> {
    let text = String::from_utf8_lossy(file);
    let mut lists = Vec::new();
    for (at, _) in text.match_indices(BEGIN).filter(|(at, _)| *at == 0 || text[..*at].ends_with('\n')) {
        let number = lists.len() + 1;
        let (pem, _) = Pem::read(Cursor::new(&text.as_bytes()[at..]))
            .map_err(|error| NotARevocationList::Damaged { number, reason: error.to_string() })?;
        lists.push(pem.contents);
    }
    match (lists.is_empty(), file.first()) {
        (false, _) => Ok(lists),
        // A sequence (X.690): the one form that begins so.
        (true, Some(0x30)) => Ok(vec![file.to_vec()]),
        (true, _) => Err(NotARevocationList::NeitherForm),
    }
}

/// Reads one list in DER form. Whether its issuer signed it is for those who know the issuer.
///
/// # Errors
/// It is none, or not a complete one of version 2.
pub fn revocation_list(der: &[u8]) -> Result<RevocationList, NotARevocationList> {
    let (rest, list) =
        CertificateRevocationList::from_der(der).map_err(|error| NotARevocationList::Syntax(error.to_string()))?;
    if !rest.is_empty() {
        return Err(NotARevocationList::Trailing(rest.len()));
    }
    if list.version() != Some(X509Version::V2) {
        return Err(NotARevocationList::Version);
    }
    if let Some(part) = list.extensions().iter().find_map(partial) {
        return Err(NotARevocationList::Partial(part));
    }
    let issuer =
        details::name(list.issuer().as_raw()).map_err(|error| NotARevocationList::Syntax(error.to_string()))?;
    let issuer: Vec<String> = issuer.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(RevocationList {
        issuer: issuer.join(", "),
        issuer_name: list.issuer().as_raw().to_vec(),
        made: details::timestamp(list.last_update()),
        next: list.next_update().map(details::timestamp),
        count: list.iter_revoked_certificates().count(),
    })
}

/// What a list leaves out (RFC 5280 sections 5.2.4 and 5.2.5).
fn partial(extension: &X509Extension<'_>) -> Option<&'static str> {
    match extension.parsed_extension() {
        _ if extension.oid == DELTA_INDICATOR => Some("it has only what changed"),
        ParsedExtension::IssuingDistributionPoint(point) if point.indirect_crl => {
            Some("it is about certificates of others")
        }
        ParsedExtension::IssuingDistributionPoint(point) if point.only_some_reasons.is_some() => {
            Some("it has only some reasons")
        }
        ParsedExtension::IssuingDistributionPoint(point)
            if point.only_contains_user_certs
                || point.only_contains_ca_certs
                || point.only_contains_attribute_certs =>
        {
            Some("it has only some kinds of certificates")
        }
        // Certificates that name another point are not on it, whatever it says.
        ParsedExtension::IssuingDistributionPoint(point) if point.distribution_point.is_some() => {
            Some("it is of one distribution point")
        }
        ParsedExtension::IssuingDistributionPoint(_) => None,
        _ if extension.critical => Some("it has a critical extension that we do not know"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{
        CertificateParams, CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
        RevokedCertParams, SerialNumber, date_time_ymd,
    };

    use super::*;

    fn list() -> Vec<u8> {
        let key = KeyPair::generate().expect("a key");
        let mut issuer = CertificateParams::default();
        issuer.key_usages = vec![KeyUsagePurpose::CrlSign];
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(7_u64),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 2),
            next_update: date_time_ymd(2026, 2, 2),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&Issuer::new(issuer, &key)).expect("a list").der().to_vec()
    }

    #[test]
    fn a_list_is_read_from_pem_and_from_der() {
        let der = list();
        let body = data_encoding::BASE64.encode(&der);
        let pem = format!("text before\n{BEGIN}\n{body}\n-----END X509 CRL-----\n");
        assert_eq!(revocation_lists(&der), Ok(vec![der.clone()]));
        assert_eq!(revocation_lists(pem.repeat(2).as_bytes()), Ok(vec![der.clone(), der.clone()]));
        let read = revocation_list(&der).expect("a list");
        assert_eq!((read.issuer.as_str(), read.count), ("CN=rcgen self signed cert", 1));
        assert_eq!(read.next.expect("a date").to_string(), "2026-02-02T00:00:00Z");
    }

    #[test]
    fn what_is_no_list_says_what_would_be_right() {
        assert_eq!(revocation_lists(b"hello"), Err(NotARevocationList::NeitherForm));
        let broken = format!("{BEGIN}\n!!!\n-----END X509 CRL-----\n");
        assert!(
            revocation_lists(broken.as_bytes()).expect_err("damaged").to_string().starts_with("list 1 of the file")
        );
        let mut longer = list();
        longer.push(0);
        assert_eq!(revocation_list(&longer), Err(NotARevocationList::Trailing(1)));
        assert!(revocation_list(&list()[..40]).is_err());
    }

    proptest! {
        #[test]
        fn a_damaged_list_does_no_harm(at: prop::sample::Index, byte: u8) {
            let mut der = list();
            let at = at.index(der.len());
            der[at] = byte;
            let _ = revocation_list(&der);
        }
    }
}
