//! The certificates that another server shows, whether or not anybody trusts them yet.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use openssl::error::ErrorStack;
use openssl::ssl::{HandshakeError, Ssl, SslCipherRef, SslContext, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509VerifyResult};

use super::deadline::Deadline;
use super::{Peer, TrustError, import};
use crate::config::{ClientTls, TlsVersion};

/// Name, connection and handshake together.
const LIMIT: Duration = Duration::from_secs(10);

/// What a server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its chain, its own certificate first.
    pub chain: Vec<Shown>,
    /// The version of TLS that was agreed on.
    pub version: TlsVersion,
    /// The suite, as IANA names it.
    pub suite: String,
    /// Whether the chain leads to an authority of `client_tls.ca`.
    pub verified: Verified,
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// As it was sent.
    pub der: Vec<u8>,
    /// The same as PEM text.
    pub pem: String,
}

/// Whether a chain leads to an authority that we were told of, and is of the host that we asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// No authority was told.
    NotAsked,
    /// It does.
    Proven,
    /// It does not, and why.
    Unproven(String),
}

/// There is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It has no address, or none that answers.
    #[error("{peer}: {error}")]
    Unreachable {
        /// Who.
        peer: Peer,
        /// What the system says.
        error: io::Error,
    },
    /// It speaks no TLS, or none that `[client_tls]` allows.
    #[error("{peer}: no TLS {min} to {max} with it: {reason}")]
    Handshake {
        /// Who.
        peer: Peer,
        /// The oldest version that we speak.
        min: TlsVersion,
        /// The newest.
        max: TlsVersion,
        /// What went wrong.
        reason: String,
    },
    /// An authority's file.
    #[error("client_tls.ca: {path}: {reason}")]
    Authority {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// OpenSSL refuses to be set up.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] ErrorStack),
}

/// Shakes hands with a server, asks nothing of it, and returns what it showed. It ends within ten seconds once the name
/// is resolved.
///
/// # Errors
/// It cannot be reached, speaks no TLS that `tls` allows, or a file of `tls.ca` cannot be read.
pub fn fetch(peer: &Peer, tls: &ClientTls) -> Result<Fetched, FetchError> {
    let context = context(tls)?;
    let mut ssl = Ssl::new(&context)?;
    if let Some(address) = peer.address() {
        ssl.param_mut().set_ip(address)?;
    } else {
        ssl.set_hostname(peer.host())?;
        ssl.param_mut().set_host(peer.host())?;
    }
    let end = Instant::now() + LIMIT;
    let stream = connect(peer, end).map_err(|error| FetchError::Unreachable { peer: peer.clone(), error })?;
    let shaken = ssl.connect(Deadline::new(stream, end)).map_err(|error| {
        let reason = words(&error);
        FetchError::Handshake { peer: peer.clone(), min: tls.min, max: tls.max, reason }
    })?;
    let ssl = shaken.ssl();
    let mut chain = Vec::new();
    for certificate in ssl.peer_cert_chain().into_iter().flatten() {
        let pem = String::from_utf8_lossy(&certificate.to_pem()?).into_owned();
        chain.push(Shown { der: certificate.to_der()?, pem });
    }
    let verified = match (tls.ca.is_empty(), ssl.verify_result()) {
        (true, _) => Verified::NotAsked,
        (false, X509VerifyResult::OK) => Verified::Proven,
        (false, error) => Verified::Unproven(error.error_string().to_owned()),
    };
    let suite = ssl.current_cipher().and_then(SslCipherRef::standard_name).unwrap_or_default().to_owned();
    Ok(Fetched { chain, version: agreed(ssl.version2()), suite, verified })
}

/// What `[client_tls]` comes to for OpenSSL: its versions and authorities. It takes any certificate during the handshake; whether
/// an authority vouches for it is `verify_result`.
///
/// # Errors
/// A file of `tls.ca` cannot be read.
pub(super) fn context(tls: &ClientTls) -> Result<SslContext, FetchError> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_min_proto_version(Some(number(tls.min)))?;
    context.set_max_proto_version(Some(number(tls.max)))?;
    if tls.min < TlsVersion::V12 {
        // The old versions are there at OpenSSL's lowest level only.
        context.set_security_level(0);
        context.set_cipher_list("DEFAULT:@SECLEVEL=0")?;
    }
    // What it shows is wanted whether it verifies or not; the verdict is kept.
    context.set_verify(SslVerifyMode::NONE);
    let mut authorities = X509StoreBuilder::new()?;
    authorities.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    for path in &tls.ca {
        for certificate in certificates(path)? {
            authorities.add_cert(certificate)?;
        }
    }
    context.set_cert_store(authorities.build());
    Ok(context.build())
}

/// The certificates of a PEM file, or of the `.pem`, `.crt` and `.cer` files of a folder.
fn certificates(path: &Path) -> Result<Vec<X509>, FetchError> {
    let wrong = |path: &Path, reason: String| FetchError::Authority { path: path.to_owned(), reason };
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| wrong(path, error.to_string()))?;
        files = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| {
            file.extension().is_some_and(|ending| ["pem", "crt", "cer"].iter().any(|known| ending == *known))
        });
        files.sort();
    }
    let mut certificates = Vec::new();
    for file in files {
        let text = import::read(&file).map_err(|error| wrong(&file, bare(&error)))?;
        let read = X509::stack_from_pem(&text).map_err(|error| wrong(&file, error.to_string()))?;
        if read.is_empty() {
            return Err(wrong(&file, "no certificate in it: expected PEM, `-----BEGIN …`".to_owned()));
        }
        certificates.extend(read);
    }
    Ok(certificates)
}

/// What is wrong with a file, without its name.
fn bare(error: &TrustError) -> String {
    match error {
        TrustError::Read { error, .. } => error.to_string(),
        TrustError::Import { error, .. } => error.to_string(),
        TrustError::Write { .. } | TrustError::Taken(_) | TrustError::Unknown { .. } => error.to_string(),
    }
}

/// The first of its addresses that answers.
fn connect(peer: &Peer, end: Instant) -> io::Result<TcpStream> {
    let mut failed = io::Error::other("it has no address");
    for address in peer.resolve()? {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn number(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::V10 => SslVersion::TLS1,
        TlsVersion::V11 => SslVersion::TLS1_1,
        TlsVersion::V12 => SslVersion::TLS1_2,
        TlsVersion::V13 => SslVersion::TLS1_3,
    }
}

fn agreed(version: Option<SslVersion>) -> TlsVersion {
    let known = TlsVersion::ALL.into_iter().find(|known| Some(number(*known)) == version);
    known.unwrap_or(TlsVersion::V12)
}

/// What went wrong, without the places in OpenSSL's source.
fn words(error: &HandshakeError<Deadline>) -> String {
    let error = match error {
        HandshakeError::SetupFailure(stack) => return stack.to_string(),
        HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => stream.error(),
    };
    let reason = error.ssl_error().and_then(|stack| stack.errors().first()?.reason().map(str::to_owned));
    let io = || error.io_error().map(ToString::to_string);
    reason.or_else(io).unwrap_or_else(|| "it hung up".to_owned())
}
