//! TLS for current phones: rustls with aws-lc-rs, TLS 1.2 and 1.3.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ServerSessionMemoryCache, VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, DigitallySignedStruct, DistinguishedName, HandshakeKind, ProtocolVersion, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme, SupportedProtocolVersion,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::held::{self, Held};
use super::judge::{Judge, Objection, Verify};
use super::objection::{objection, of_file, of_handshake};
use super::revocation::{List, Revocations};
use super::{Shaken, TlsError, file};
use crate::census::Secured;
use crate::certificate::Reader;
use crate::config::{ClientCertificate, Tls, TlsVersion, TlsVersions};
use crate::listen::socket::Socket;
use crate::metrics::Handshake;
use crate::provision::Presented;

/// TLS 1.2 sessions without tickets that are remembered.
const SESSIONS: usize = 1024;

/// The TLS side of a listener with `tls = "modern"`.
pub struct Modern {
    acceptor: TlsAcceptor,
    judge: Option<Judge>,
    is_required: bool,
}

impl Modern {
    /// Reads a listener's certificates.
    pub(super) fn open(tls: &Tls, reader: &Reader) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let revocations = Arc::new(Revocations::open(&tls.revocation, &tls.client_ca)?);
        let (chain, key) = (file::chain(&tls.certificate)?, file::key(&tls.key)?);
        let trusted = match tls.client_certificate {
            ClientCertificate::None => None,
            ClientCertificate::Request | ClientCertificate::Require => Some(trusted(&tls.client_ca, &revocations)?),
        };
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions(tls.versions));
        let builder = builder.map_err(|error| pair_error((&tls.certificate, &tls.key), &error))?;
        let builder = match (&trusted, tls.client_certificate) {
            (Some(trusted), ClientCertificate::Require) => builder.with_client_cert_verifier(trusted.first.clone()),
            (Some(trusted), _) => builder.with_client_cert_verifier(Arc::new(Listener(trusted.first.clone()))),
            (None, _) => builder.with_no_client_auth(),
        };
        let mut config =
            builder.with_single_cert(chain, key).map_err(|error| pair_error((&tls.certificate, &tls.key), &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        config.ticketer =
            aws_lc_rs::Ticketer::new().map_err(|error| pair_error((&tls.certificate, &tls.key), &error))?;
        // A phone has one connection at a time: it resumes from one ticket.
        config.send_tls13_tickets = 1;
        let judge = trusted.map(|trusted| Judge::new(trusted, reader, revocations));
        let is_required = tls.client_certificate == ClientCertificate::Require;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), judge, is_required })
    }

    /// Shakes hands. What the client's certificate proves comes with the stream.
    ///
    /// # Errors
    /// The client speaks no TLS, or none that we do.
    pub(in crate::listen) async fn accept(&self, stream: Socket) -> io::Result<Shaken<TlsStream<Socket>>> {
        let stream = self.acceptor.accept(stream).await.map_err(of_handshake)?;
        let connection = stream.get_ref().1;
        let (presented, signer) = match (&self.judge, connection.peer_certificates()) {
            (Some(judge), Some(chain)) => judge.verdict(chain, SystemTime::now()).of_connection(self.is_required)?,
            (None, _) | (_, None) => (Presented::Nothing, None),
        };
        let (version, suite) = (version(connection), suite(connection));
        let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        let handshake = if resumed { Handshake::Resumed(version) } else { Handshake::Full(version) };
        Ok(Shaken { stream, presented, handshake, secured: Secured { version, suite, signer }, models: None })
    }
}

impl std::fmt::Debug for Modern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Modern").field("judge", &self.judge).finish_non_exhaustive()
    }
}

/// Those of rustls's that are within the bounds.
fn versions(wanted: TlsVersions) -> Vec<&'static SupportedProtocolVersion> {
    let known = [(TlsVersion::V13, &TLS13), (TlsVersion::V12, &TLS12)];
    let within = known.into_iter().filter(|(version, _)| (wanted.min..=wanted.max).contains(version));
    within.map(|(_, version)| version).collect()
}

fn version(connection: &ServerConnection) -> TlsVersion {
    match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => TlsVersion::V13,
        _ => TlsVersion::V12,
    }
}

/// The suite as IANA names it; rustls names those of TLS 1.3 otherwise.
fn suite(connection: &ServerConnection) -> &'static str {
    match connection.negotiated_cipher_suite().map(|suite| suite.suite()) {
        Some(CipherSuite::TLS13_AES_128_GCM_SHA256) => "TLS_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS13_AES_256_GCM_SHA384) => "TLS_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256) => "TLS_CHACHA20_POLY1305_SHA256",
        Some(other) => other.as_str().unwrap_or_default(),
        None => "",
    }
}

/// Takes any chain during the handshake, so that a certificate which proves nothing does not end the connection; the
/// [`Judge`] looks at it afterwards. Signatures are verified as strictly as ever.
#[derive(Debug)]
struct Listener(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Listener {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// What verifies for the same authorities with the same lists.
static TRUSTED: LazyLock<Held<Trusted>> = LazyLock::new(Held::default);

/// The verifier for these authorities and what they have revoked. Listeners with the same ones have it in common: it holds
/// the lists as rustls reads them.
pub(super) fn trusted(paths: &[PathBuf], revocations: &Revocations) -> Result<Arc<Trusted>, TlsError> {
    let authorities = file::authorities(paths)?;
    let count = (authorities.len() as u64).to_be_bytes();
    let lists = revocations.lists().iter().map(|list| list.der.as_slice());
    let pieces = authorities.iter().map(|(_, authority)| &**authority).chain(lists);
    TRUSTED.get_or(held::key(std::iter::once(&count[..]).chain(pieces)), || verifiers(authorities, paths, revocations))
}

fn verifiers(
    authorities: Vec<(PathBuf, CertificateDer<'static>)>,
    paths: &[PathBuf],
    revocations: &Revocations,
) -> Result<Trusted, TlsError> {
    let mut roots = RootCertStore::empty();
    for (path, certificate) in authorities {
        roots.add(certificate).map_err(|error| TlsError::Authority { path, error: of_file(&error) })?;
    }
    let roots = Arc::new(roots);
    let build = |lists: Vec<CertificateRevocationListDer<'static>>| {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider);
        // Who has no list has revoked nobody. The dates of lists are looked at elsewhere, for both kinds of listeners.
        builder.with_crls(lists).allow_unknown_revocation_status().build()
    };
    // Each list by itself first: the message is to name the file.
    for list in revocations.lists() {
        let wrong = |error| TlsError::Revocation { path: list.path.clone(), error };
        build(vec![list.der.clone().into()]).map_err(|error| wrong(list_words(&error)))?;
    }
    let path = || paths.first().cloned().unwrap_or_default();
    let verifier = |round: Vec<&List>| {
        let lists = round.into_iter().map(|list| list.der.clone().into()).collect();
        build(lists).map_err(|error| TlsError::Authority { path: path(), error: error.to_string() })
    };
    let (first, others) = revocations.rounds();
    let (first, others) = (verifier(first)?, others.into_iter().map(verifier).collect::<Result<_, _>>()?);
    Ok(Trusted { first, others })
}

/// What is wrong with a revocation list; rustls's own text is its source's.
fn list_words(error: &VerifierBuilderError) -> String {
    match error {
        VerifierBuilderError::InvalidCrl(error) => format!("it cannot be used: {error:?}"),
        other => other.to_string(),
    }
}

/// The authorities that a listener trusts. Of the lists of one issuer webpki takes the first that it finds, so there is a
/// verifier for each of them; a chain has to pass all.
#[derive(Debug)]
pub(super) struct Trusted {
    first: Arc<dyn ClientCertVerifier>,
    others: Vec<Arc<dyn ClientCertVerifier>>,
}

impl Verify for Arc<Trusted> {
    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: Timestamp,
    ) -> Result<(), Objection> {
        let since = u64::try_from(at.as_second()).unwrap_or_default();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(since));
        std::iter::once(&self.first).chain(&self.others).try_for_each(|verifier| {
            verifier.verify_client_cert(leaf, intermediates, at).map(drop).map_err(|error| objection(&error))
        })
    }
}

/// What is wrong with a certificate and its key.
pub(super) fn pair_error((certificate, key): (&Path, &Path), error: &rustls::Error) -> TlsError {
    let (certificate, key) = (certificate.to_owned(), key.to_owned());
    let error = match error {
        rustls::Error::InconsistentKeys(_) => super::OF_ANOTHER.into(),
        other if other.to_string().contains("UnsupportedCertVersion") => {
            "the certificate is of X.509 version 1: expected version 3, as `phoneprov certs csr` asks for".into()
        }
        other => of_file(other),
    };
    TlsError::Pair { certificate, key, error }
}
