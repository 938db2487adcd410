//! TLS for current phones: rustls with aws-lc-rs, TLS 1.2 and 1.3, and what a client's certificate proves.
//!
//! The certificate is asked for, not required: a phone that has none, or one that we do not trust, still gets what needs
//! no proof, and the log says why the rest was refused. That the client holds the key of what it sends is always verified.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quick_cache::sync::Cache;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, HandshakeKind, ProtocolVersion, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::socket::Socket;
use crate::certificate;
use crate::config::{ClientCertificate, Tls};
use crate::metrics::Handshake;
use crate::provision::Presented;

/// TLS 1.2 sessions without tickets that are remembered.
const SESSIONS: usize = 1024;

/// Client certificates whose verdict is remembered, and for how long: a phone that comes back within it costs no
/// chain verification. Its signature is verified at every full handshake all the same.
const VERDICTS: usize = 16_384;
const VERDICT_HOLDS: Duration = Duration::from_mins(10);

/// The TLS side of a listener.
#[derive(Clone)]
pub struct TlsDoor {
    acceptor: TlsAcceptor,
    judge: Option<Arc<Judge>>,
}

/// A listener's certificates do not fit. The message names file and cause.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file or folder cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: String,
    },
    /// A file holds none of what it should.
    #[error("{path}: no {what} in it: expected PEM, `-----BEGIN …`")]
    Missing {
        /// Which file.
        path: PathBuf,
        /// A certificate, or a private key.
        what: &'static str,
    },
    /// An authority that cannot be used.
    #[error("{path}: not usable as an authority: {error}")]
    Authority {
        /// Which file.
        path: PathBuf,
        /// What rustls says.
        error: String,
    },
    /// The certificate and its key are of different pairs, or of a kind that rustls does not know.
    #[error("certificate {certificate} and key {key}: {error}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls says.
        error: String,
    },
}

impl TlsDoor {
    /// Reads a listener's certificates. An expired one is used all the same, with a warning: phones whose clock is wrong
    /// are better served than none.
    ///
    /// # Errors
    /// A file is missing, holds something else, or certificate and key do not belong together.
    pub fn open(tls: &Tls) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates(&tls.certificate)?;
        warn_of_expiry(&tls.certificate, &chain);
        regular(&tls.key)?;
        let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| match error {
            rustls::pki_types::pem::Error::NoItemsFound => {
                TlsError::Missing { path: tls.key.clone(), what: "private key" }
            }
            error => unreadable(&tls.key, error),
        })?;
        let trusted = match tls.client_certificate {
            ClientCertificate::None => None,
            ClientCertificate::Request | ClientCertificate::Require => Some(trusted(&tls.client_ca, &provider)?),
        };
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| pair_error(tls, &error))?;
        let builder = match (&trusted, tls.client_certificate) {
            (Some(verifier), ClientCertificate::Require) => builder.with_client_cert_verifier(verifier.clone()),
            (Some(verifier), _) => builder.with_client_cert_verifier(Arc::new(Listener(verifier.clone()))),
            (None, _) => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| pair_error(tls, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| pair_error(tls, &error))?;
        // A phone has one connection at a time: it resumes from one ticket.
        config.send_tls13_tickets = 1;
        let judge = trusted.map(|verifier| Arc::new(Judge::new(verifier)));
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), judge })
    }

    /// Shakes hands. What the client's certificate proves comes with the stream.
    ///
    /// # Errors
    /// The client speaks no TLS, or none that we do.
    pub(super) async fn accept(&self, stream: Socket) -> io::Result<(TlsStream<Socket>, Presented, Handshake)> {
        let stream = self.acceptor.accept(stream).await?;
        let connection = stream.get_ref().1;
        let presented = match (&self.judge, connection.peer_certificates()) {
            (Some(judge), Some(chain)) => judge.verdict(chain, SystemTime::now()),
            (None, _) | (_, None) => Presented::Nothing,
        };
        let handshake = kind(connection);
        Ok((stream, presented, handshake))
    }
}

impl std::fmt::Debug for TlsDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsDoor").field("judge", &self.judge).finish_non_exhaustive()
    }
}

fn kind(connection: &ServerConnection) -> Handshake {
    let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
    match (connection.protocol_version(), resumed) {
        (Some(ProtocolVersion::TLSv1_3), false) => Handshake::Tls13,
        (Some(ProtocolVersion::TLSv1_3), true) => Handshake::Tls13Resumed,
        (_, false) => Handshake::Tls12,
        (_, true) => Handshake::Tls12Resumed,
    }
}

/// Says what a certificate chain proves, and remembers it.
#[derive(Debug)]
struct Judge {
    verifier: Arc<dyn ClientCertVerifier>,
    verdicts: Cache<[u8; 32], Verdict>,
}

#[derive(Debug, Clone)]
struct Verdict {
    presented: Presented,
    until: SystemTime,
}

impl Judge {
    fn new(verifier: Arc<dyn ClientCertVerifier>) -> Self {
        Self { verifier, verdicts: Cache::new(VERDICTS) }
    }

    fn verdict(&self, chain: &[CertificateDer<'_>], now: SystemTime) -> Presented {
        let mut hash = Sha256::new();
        for certificate in chain {
            hash.update((certificate.len() as u64).to_be_bytes());
            hash.update(certificate);
        }
        let hash: [u8; 32] = hash.finalize().into();
        if let Some(verdict) = self.verdicts.get(&hash).filter(|verdict| verdict.until > now) {
            return verdict.presented;
        }
        let presented = self.examine(chain, now);
        let expires = chain.first().and_then(|leaf| certificate::expires(leaf).ok()).map(SystemTime::from);
        let until = expires.filter(|expires| *expires > now).unwrap_or(now + VERDICT_HOLDS).min(now + VERDICT_HOLDS);
        self.verdicts.insert(hash, Verdict { presented: presented.clone(), until });
        presented
    }

    fn examine(&self, chain: &[CertificateDer<'_>], now: SystemTime) -> Presented {
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Presented::Nothing;
        };
        let now = UnixTime::since_unix_epoch(now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
        if let Err(error) = self.verifier.verify_client_cert(leaf, intermediates, now) {
            return Presented::Unproven(words(&error));
        }
        match certificate::device(leaf) {
            Ok(identity) => Presented::Device(Arc::new(identity)),
            Err(error) => Presented::Unproven(error.to_string()),
        }
    }
}

/// What is wrong with a chain, for the log; rustls's own text lists object identifiers by the dozen.
fn words(error: &rustls::Error) -> String {
    use rustls::CertificateError as Bad;
    let rustls::Error::InvalidCertificate(bad) = error else { return "the certificate cannot be verified".to_owned() };
    let words = match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => "it has expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "it is not valid yet",
        Bad::UnknownIssuer => "none of listen.client_ca issued it",
        Bad::BadSignature => "its issuer's signature is wrong",
        Bad::BadEncoding => "it is not well-formed",
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => "it is not meant for clients",
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature algorithm is too old or unknown (SHA-1, a short key)"
        }
        _ => return format!("it does not verify: {}", bad.to_string().chars().take(120).collect::<String>()),
    };
    words.to_owned()
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

/// The verifier for these authorities.
fn trusted(paths: &[PathBuf], provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for path in paths {
        for file in certificate_files(path)? {
            for certificate in certificates(&file)? {
                roots
                    .add(certificate)
                    .map_err(|error| TlsError::Authority { path: file.clone(), error: error.to_string() })?;
            }
        }
    }
    let first = paths.first().cloned().unwrap_or_default();
    if roots.is_empty() {
        return Err(TlsError::Missing { path: first, what: "certificate of an authority" });
    }
    let built = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    built.map_err(|error| TlsError::Authority { path: first, error: error.to_string() })
}

/// The file itself, or the `.pem`, `.crt` and `.cer` files of a folder, in order of name.
fn certificate_files(path: &Path) -> Result<Vec<PathBuf>, TlsError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| unreadable(path, error))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|error| unreadable(path, error))?.path();
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        if ["pem", "crt", "cer"].contains(&ending.as_str()) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    regular(path)?;
    let read = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(path, error))?;
    let chain: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| unreadable(path, error))?;
    match chain.is_empty() {
        true => Err(TlsError::Missing { path: path.to_owned(), what: "certificate" }),
        false => Ok(chain),
    }
}

/// A pipe would wait for ever, a device never end.
fn regular(path: &Path) -> Result<(), TlsError> {
    match fs::metadata(path) {
        Ok(file) if file.is_file() => Ok(()),
        Ok(_) => Err(unreadable(path, "not a regular file")),
        Err(error) => Err(unreadable(path, error)),
    }
}

fn warn_of_expiry(path: &Path, chain: &[CertificateDer<'_>]) {
    let Some(expires) = chain.first().and_then(|leaf| certificate::expires(leaf).ok()) else {
        return;
    };
    if SystemTime::from(expires) < SystemTime::now() {
        tracing::warn!(certificate = %path.display(), %expires, "the server's certificate has expired: phones will refuse it");
    }
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> TlsError {
    TlsError::Unreadable { path: path.to_owned(), error: error.to_string() }
}

fn pair_error(tls: &Tls, error: &rustls::Error) -> TlsError {
    let (certificate, key) = (tls.certificate.clone(), tls.key.clone());
    let error = match error {
        rustls::Error::InconsistentKeys(_) => "they do not belong together: the key is of another certificate".into(),
        other => other.to_string(),
    };
    TlsError::Pair { certificate, key, error }
}
