//! TLS as phones have it: OpenSSL, the versions and suites of a family, and their checks of a server's certificate.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslRef, SslSessionCacheMode, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509Ref, X509VerifyResult};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::names::Names;
use crate::phone::failure::Failure;
use crate::phone::family::{NameCheck, TlsLimits, TlsVersion};

/// Whom a phone believes: the authorities in its firmware, and its operator's own. Cheap to clone.
#[derive(Clone)]
pub struct Trust {
    context: SslContext,
    authorities: Arc<[X509]>,
}

/// What a phone shows of itself when a server asks: its certificate, what leads from it to its authority, and its key.
#[derive(Clone)]
pub struct Identity {
    certificate: X509,
    chain: Vec<X509>,
    key: PKey<Private>,
}

/// A file of certificates or keys that is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// No certificate in it.
    #[error("no PEM certificate in it")]
    Empty,
    /// Not as PEM should be.
    #[error("not valid PEM: {0}")]
    Broken(String),
    /// Certificate and key are of two pairs.
    #[error("certificate and key do not belong together")]
    Mismatch,
}

/// How one connection is to be made.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) trust: &'a Trust,
    pub(super) identity: Option<&'a Identity>,
    pub(super) limits: &'a TlsLimits,
    pub(super) check: NameCheck,
    pub(super) names: &'a Names,
    pub(super) patience: Duration,
}

/// What was agreed upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// `TLSv1.2`.
    pub version: &'static str,
    /// The suite, by OpenSSL's name.
    pub suite: String,
    /// The server's subject.
    pub server: String,
}

impl Trust {
    /// Trusts these authorities, in PEM; an empty text trusts nobody.
    ///
    /// # Errors
    /// The text is not PEM.
    pub fn of_pem(pem: &[u8]) -> Result<Self, PemError> {
        Self::of(certificates(pem)?).map_err(|error| PemError::Broken(told(&error)))
    }

    /// Trusts these as well, in PEM.
    ///
    /// # Errors
    /// The text is not PEM.
    pub fn with(&self, pem: &[u8]) -> Result<Self, PemError> {
        let all = self.authorities.iter().cloned().chain(certificates(pem)?).collect();
        Self::of(all).map_err(|error| PemError::Broken(told(&error)))
    }

    fn of(certificates: Vec<X509>) -> Result<Self, openssl::error::ErrorStack> {
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        context.set_verify(SslVerifyMode::PEER);
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
        // Phones take SHA-1 chains, RSA keys of 1024 bits and TLS before 1.2, all of which newer OpenSSL puts at level 0.
        context.set_security_level(0);
        let mut store = X509StoreBuilder::new()?;
        for certificate in &certificates {
            store.add_cert(certificate.clone())?;
        }
        context.set_cert_store(store.build());
        Ok(Self { context: context.build(), authorities: certificates.into() })
    }

    /// How many authorities these are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.authorities.len()
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.authorities.is_empty()
    }
}

impl Identity {
    /// Reads a certificate (with its chain after it) and its key, both PEM.
    ///
    /// # Errors
    /// One of them is not PEM, or they do not belong together.
    pub fn of_pem(certificates: &[u8], key: &[u8]) -> Result<Self, PemError> {
        let mut certificates = self::certificates(certificates)?.into_iter();
        let certificate = certificates.next().ok_or(PemError::Empty)?;
        // A key under a password is not asked for one.
        let key =
            PKey::private_key_from_pem_callback(key, |_| Ok(0)).map_err(|error| PemError::Broken(told(&error)))?;
        Self { certificate, chain: certificates.collect(), key }.checked()
    }

    /// The same key with another certificate, so that a fleet's phones share one key.
    ///
    /// # Errors
    /// As [`Identity::of_pem`].
    pub fn with(&self, certificates: &[u8]) -> Result<Self, PemError> {
        let mut certificates = self::certificates(certificates)?.into_iter();
        let certificate = certificates.next().ok_or(PemError::Empty)?;
        Self { certificate, chain: certificates.collect(), key: self.key.clone() }.checked()
    }

    fn checked(self) -> Result<Self, PemError> {
        let matches = self.certificate.public_key().is_ok_and(|public| public.public_eq(&self.key));
        if matches { Ok(self) } else { Err(PemError::Mismatch) }
    }

    /// The certificate's subject, for people.
    #[must_use]
    pub fn subject(&self) -> String {
        subject(&self.certificate)
    }
}

/// The common name of the first certificate in a PEM file, as the phone's page of its own authority shows it.
///
/// # Errors
/// There is no certificate in it, or it is not PEM.
pub fn first_name(pem: &[u8]) -> Result<String, PemError> {
    let certificates = certificates(pem)?;
    let first = certificates.first().ok_or(PemError::Empty)?;
    Ok(common_names(first).into_iter().next().unwrap_or_else(|| subject(first)))
}

fn certificates(pem: &[u8]) -> Result<Vec<X509>, PemError> {
    X509::stack_from_pem(pem).map_err(|error| PemError::Broken(told(&error)))
}

/// Shakes hands and checks the server.
///
/// # Errors
/// No agreement in time, or a certificate that is not trusted or not the server's.
pub(super) async fn connect(
    stream: TcpStream,
    host: &str,
    manner: Manner<'_>,
) -> Result<(SslStream<TcpStream>, Agreed), Failure> {
    let address = stream.peer_addr().map_err(|error| super::broken("TLS", &error))?;
    let refused = |cause: String| Failure::Handshake { address, cause };
    let ssl = prepared(host, manner).map_err(|error| refused(told(&error)))?;
    let mut stream = SslStream::new(ssl, stream).map_err(|error| refused(told(&error)))?;
    let shaken = tokio::time::timeout(manner.patience, Pin::new(&mut stream).connect()).await;
    let seconds = manner.patience.as_secs();
    match shaken {
        Err(_) => return Err(Failure::Slow { seconds, stage: "to agree on TLS" }),
        Ok(Err(error)) => return Err(disagreement(stream.ssl(), &error, manner, refused)),
        Ok(Ok(())) => {}
    }
    let certificate = stream.ssl().peer_certificate().ok_or_else(|| refused("no certificate".to_owned()))?;
    check(&certificate, host, address.ip(), manner).await?;
    let agreed = Agreed {
        version: stream.ssl().version_str(),
        suite: stream.ssl().current_cipher().map_or("no cipher", |suite| suite.name()).to_owned(),
        server: subject(&certificate),
    };
    Ok((stream, agreed))
}

fn prepared(host: &str, manner: Manner<'_>) -> Result<Ssl, openssl::error::ErrorStack> {
    let mut ssl = Ssl::new(&manner.trust.context)?;
    let limits = manner.limits;
    ssl.set_min_proto_version(Some(version(limits.min)))?;
    ssl.set_max_proto_version(Some(version(limits.max.max(limits.min))))?;
    ssl.set_cipher_list(&format!("{}:@SECLEVEL=0", limits.suites))?;
    if host.parse::<IpAddr>().is_err() {
        ssl.set_hostname(host)?;
    }
    if let Some(identity) = manner.identity {
        ssl.set_certificate(&identity.certificate)?;
        for certificate in &identity.chain {
            ssl.add_chain_cert(certificate.clone())?;
        }
        ssl.set_private_key(&identity.key)?;
    }
    Ok(ssl)
}

fn version(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::Tls10 => SslVersion::TLS1,
        TlsVersion::Tls11 => SslVersion::TLS1_1,
        TlsVersion::Tls12 => SslVersion::TLS1_2,
        TlsVersion::Tls13 => SslVersion::TLS1_3,
    }
}

/// Why there was no handshake: the phone's judgement of the certificate, or else what OpenSSL says.
fn disagreement(
    ssl: &SslRef,
    error: &openssl::ssl::Error,
    manner: Manner<'_>,
    refused: impl Fn(String) -> Failure,
) -> Failure {
    let verdict = ssl.verify_result();
    if verdict != X509VerifyResult::OK {
        let nobody = if manner.trust.is_empty() { "; this phone trusts no authority at all" } else { "" };
        return Failure::Certificate(format!("{}{nobody}", verdict.error_string()));
    }
    match (error.ssl_error(), error.io_error()) {
        (Some(stack), _) => refused(told(stack)),
        (None, Some(cause)) => refused(cause.to_string()),
        (None, None) => refused("the server closed the connection".to_owned()),
    }
}

/// What OpenSSL's errors say, without its numbers and places.
pub(super) fn told(stack: &openssl::error::ErrorStack) -> String {
    let reasons: Vec<&str> = stack.errors().iter().filter_map(openssl::error::Error::reason).collect();
    if reasons.is_empty() { "no reason given".to_owned() } else { reasons.join(", ") }
}

/// Whether the certificate is this server's, as the phone sees it.
async fn check(certificate: &X509Ref, host: &str, address: IpAddr, manner: Manner<'_>) -> Result<(), Failure> {
    let named = names(certificate);
    let wrong = |wanted: String| Failure::ServerName {
        wanted,
        named: if named.is_empty() { "nobody".to_owned() } else { named.join(", ") },
    };
    match manner.check {
        NameCheck::Off => Ok(()),
        NameCheck::Host if is_for(certificate, host) => Ok(()),
        NameCheck::Host => Err(wrong(host.to_owned())),
        NameCheck::Address => {
            for name in common_names(certificate) {
                let found = manner.names.addresses(&name).await;
                if found.is_ok_and(|addresses| addresses.contains(&address)) {
                    return Ok(());
                }
            }
            Err(wrong(format!("{address}, which none of its names leads to")))
        }
    }
}

/// Whether the host stands in the alternative names or is the common name.
fn is_for(certificate: &X509Ref, host: &str) -> bool {
    let address = host.parse::<IpAddr>().ok();
    let octets = address.map(|address| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    });
    let alternative = certificate.subject_alt_names().is_some_and(|names| {
        names.iter().any(|name| match &octets {
            Some(octets) => name.ipaddress() == Some(octets),
            None => name.dnsname().is_some_and(|pattern| covers(pattern, host)),
        })
    });
    alternative || common_names(certificate).iter().any(|name| covers(name, host))
}

/// Whether a name with perhaps a `*` as its first label is that of the host (RFC 9525 §6.3).
fn covers(pattern: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match pattern.strip_prefix("*.") {
        Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
        None => pattern.trim_end_matches('.').eq_ignore_ascii_case(host),
    }
}

/// The common names; what follows a slash is a contact and no part of the name: `pv.telco.net/admin@telco.net` (seed 004).
fn common_names(certificate: &X509Ref) -> Vec<String> {
    let entries = certificate.subject_name().entries_by_nid(Nid::COMMONNAME);
    let texts = entries.filter_map(|entry| entry.data().to_string().ok());
    texts.map(|text| text.split('/').next().unwrap_or_default().to_owned()).collect()
}

fn names(certificate: &X509Ref) -> Vec<String> {
    let mut found = common_names(certificate);
    for name in certificate.subject_alt_names().iter().flatten() {
        let address = name.ipaddress().and_then(|octets| match octets.len() {
            4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
            _ => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        });
        found.extend(name.dnsname().map(str::to_owned).or_else(|| address.map(|address| address.to_string())));
    }
    found.sort();
    found.dedup();
    found
}

/// A subject as `OU=CP-8841-3PCC, L=FCH…, ST=000e08abcdef`.
fn subject(certificate: &X509Ref) -> String {
    let entries = certificate.subject_name().entries().map(|entry| {
        let key = entry.object().nid().short_name().unwrap_or("?").to_owned();
        let value = entry.data().to_string().unwrap_or_default();
        format!("{key}={value}")
    });
    entries.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::rsa::Rsa;
    use openssl::x509::X509NameBuilder;
    use openssl::x509::extension::SubjectAlternativeName;

    use super::*;

    fn key() -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(1024).expect("a key")).expect("a key")
    }

    fn certificate(key: &PKey<Private>, name: &str, alternative: Option<&str>) -> X509 {
        let mut subject = X509NameBuilder::new().expect("a name");
        subject.append_entry_by_text("CN", name).expect("a name");
        let subject = subject.build();
        let mut builder = X509::builder().expect("a builder");
        builder.set_version(2).expect("version 3");
        builder.set_subject_name(&subject).expect("a subject");
        builder.set_issuer_name(&subject).expect("an issuer");
        builder.set_pubkey(key).expect("a key");
        builder.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("a time");
        builder.set_not_after(&Asn1Time::days_from_now(1).expect("a time")).expect("a time");
        if let Some(alternative) = alternative {
            let mut names = SubjectAlternativeName::new();
            if alternative.parse::<IpAddr>().is_ok() {
                names.ip(alternative)
            } else {
                names.dns(alternative)
            };
            let extension = names.build(&builder.x509v3_context(None, None)).expect("an extension");
            builder.append_extension(extension).expect("an extension");
        }
        builder.sign(key, MessageDigest::sha256()).expect("a signature");
        builder.build()
    }

    #[test]
    fn what_follows_a_slash_in_the_common_name_is_no_part_of_it() {
        let key = key();
        for name in ["sprov.callme.com", "sprov.callme.com/mailto:admin@telco.net", "sprov.callme.com/info@voice.com"] {
            assert!(is_for(&certificate(&key, name, None), "sprov.callme.com"), "{name}");
        }
        assert!(!is_for(&certificate(&key, "sprov.callme.com.evil.example", None), "sprov.callme.com"));
    }

    #[test]
    fn alternative_names_count_and_a_star_is_one_label() {
        let key = key();
        let wild = certificate(&key, "x", Some("*.example.com"));
        assert!(is_for(&wild, "prov.example.com"));
        assert!(!is_for(&wild, "a.prov.example.com") && !is_for(&wild, "example.com"));
        let address = certificate(&key, "x", Some("192.0.2.1"));
        assert!(is_for(&address, "192.0.2.1") && !is_for(&address, "192.0.2.2"));
        assert_eq!(names(&address), ["192.0.2.1", "x"]);
    }

    #[test]
    fn a_key_of_another_pair_is_refused() {
        let (one, other) = (key(), key());
        let pem = certificate(&one, "x", None).to_pem().expect("PEM");
        let key_of = |key: &PKey<Private>| key.private_key_to_pem_pkcs8().expect("PEM");
        assert!(Identity::of_pem(&pem, &key_of(&one)).is_ok());
        assert_eq!(Identity::of_pem(&pem, &key_of(&other)).err(), Some(PemError::Mismatch));
        assert_eq!(Identity::of_pem(b"", &key_of(&one)).err(), Some(PemError::Empty));
        assert!(matches!(Identity::of_pem(&pem, b"x"), Err(PemError::Broken(_))));
    }
}
