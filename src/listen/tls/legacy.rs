//! TLS for old phones: OpenSSL at security level 0, TLS 1.0 to 1.2, RSA key exchange and CBC suites; client certificates
//! that are signed with SHA-1, have short keys, or are of X.509 version 1. Never where a modern listener would do.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, Ssl, SslCipherRef, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslRef,
    SslSessionCacheMode, SslVerifyMode, SslVersion, select_next_proto,
};
use openssl::x509::{X509, X509PurposeId};
use rustls::pki_types::CertificateDer;
use tokio_openssl::SslStream;

use super::anchors::Anchors;
use super::judge::Judge;
use super::revocation::Revocations;
use super::{Shaken, TlsError, file};
use crate::census::Secured;
use crate::certificate::Reader;
use crate::config::{ClientCertificate, Tls, TlsVersion};
use crate::device::Model;
use crate::listen::socket::Socket;
use crate::metrics::Handshake;
use crate::provision::Presented;

/// From the best that TLS 1.2 has to what an SPA phone knows: AES-CBC with RSA key exchange (Cisco SPA Provisioning
/// Guide: `0x35`, `0x2f`). DHE is left out: every phone that has it has one of these, and it is dear. No RC4, no DES.
const SUITES: &str =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:kRSA+AESGCM:kRSA+AES:!aNULL:!eNULL:!PSK:!AESCCM:@SECLEVEL=0";

/// Sessions that are remembered. They hold the client's chain, so that a resumed one proves what the first did; a ticket
/// would not.
const SESSIONS: i32 = 1024;

/// The TLS side of a listener with `tls = "legacy"`.
pub struct Legacy {
    context: SslContext,
    judge: Option<Judge>,
    is_required: bool,
    models: Option<Arc<[Model]>>,
}

impl Legacy {
    /// Reads a listener's certificates.
    pub(super) fn open(tls: &Tls, reader: &Reader) -> Result<Self, TlsError> {
        let revocations = Arc::new(Revocations::open(&tls.revocation, &tls.client_ca)?);
        let anchors = match tls.client_certificate {
            ClientCertificate::None => None,
            ClientCertificate::Request | ClientCertificate::Require => {
                Some(Anchors::open(&tls.client_ca, &revocations)?)
            }
        };
        let mut context = context(tls).map_err(|error| pair_error(tls, &error))?;
        identify(&mut context, tls)?;
        if let Some(anchors) = &anchors {
            ask(&mut context, anchors, tls.client_certificate).map_err(|error| pair_error(tls, &error))?;
        }
        let models = (!tls.models.is_empty()).then(|| tls.models.clone().into());
        let judge = anchors.map(|anchors| Judge::new(anchors, reader, revocations));
        let is_required = tls.client_certificate == ClientCertificate::Require;
        Ok(Self { context: context.build(), judge, is_required, models })
    }

    /// Shakes hands. What the client's certificate proves comes with the stream.
    ///
    /// # Errors
    /// The client speaks no TLS, or none that we do.
    pub(in crate::listen) async fn accept(&self, stream: Socket) -> io::Result<Shaken<SslStream<Socket>>> {
        let mut stream = SslStream::new(Ssl::new(&self.context)?, stream)?;
        Pin::new(&mut stream).accept().await.map_err(words)?;
        let ssl = stream.ssl();
        let (presented, signer) = match (&self.judge, chain(ssl)?) {
            (Some(judge), chain) if !chain.is_empty() => {
                judge.verdict(&chain, SystemTime::now()).of_connection(self.is_required)?
            }
            (Some(_) | None, _) => (Presented::Nothing, None),
        };
        let version = agreed(ssl);
        let suite = ssl.current_cipher().and_then(SslCipherRef::standard_name).unwrap_or_default();
        let resumed = ssl.session_reused();
        let handshake = if resumed { Handshake::Resumed(version) } else { Handshake::Full(version) };
        let secured = Secured { version, suite, signer };
        Ok(Shaken { stream, presented, handshake, secured, models: self.models.clone() })
    }
}

impl std::fmt::Debug for Legacy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Legacy").field("judge", &self.judge).finish_non_exhaustive()
    }
}

fn context(tls: &Tls) -> Result<SslContextBuilder, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_server())?;
    context.set_security_level(0);
    context.set_min_proto_version(Some(version(tls.versions.min)))?;
    context.set_max_proto_version(Some(version(tls.versions.max)))?;
    context.set_cipher_list(SUITES)?;
    // Old TLS 1.0 clients stumble over empty fragments; what those guard is a browser's matter. A client cannot make
    // the server shake hands again and again on one connection.
    context.set_options(
        SslOptions::ALL
            | SslOptions::NO_COMPRESSION
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::NO_TICKET
            | SslOptions::CIPHER_SERVER_PREFERENCE
            | SslOptions::IGNORE_UNEXPECTED_EOF,
    );
    context.set_mode(
        SslMode::AUTO_RETRY
            | SslMode::ACCEPT_MOVING_WRITE_BUFFER
            | SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::RELEASE_BUFFERS,
    );
    context.set_session_cache_mode(SslSessionCacheMode::SERVER);
    context.set_session_cache_size(SESSIONS);
    context.set_session_id_context(b"phoneprov")?;
    context.set_alpn_select_callback(|_, offered| {
        select_next_proto(b"\x08http/1.1\x08http/1.0", offered).ok_or(AlpnError::NOACK)
    });
    Ok(context)
}

/// Gives the listener its certificate and key.
fn identify(context: &mut SslContextBuilder, tls: &Tls) -> Result<(), TlsError> {
    let chain = file::chain(&tls.certificate)?;
    let key = file::key(&tls.key)?;
    let mut given = || -> Result<(), ErrorStack> {
        for (at, der) in chain.iter().enumerate() {
            let certificate = X509::from_der(der)?;
            match at {
                0 => context.set_certificate(&certificate)?,
                _ => context.add_extra_chain_cert(certificate)?,
            }
        }
        let key = PKey::private_key_from_der(key.secret_der())?;
        context.set_private_key(key.as_ref())?;
        context.check_private_key()
    };
    given().map_err(|error| pair_error(tls, &error))
}

/// Has clients asked for their certificate. Who needs none to be served is shaken hands with whatever comes; the judge
/// looks at it afterwards.
fn ask(context: &mut SslContextBuilder, anchors: &Anchors, wanted: ClientCertificate) -> Result<(), ErrorStack> {
    context.set_client_ca_list(anchors.names()?);
    context.verify_param_mut().set_purpose(X509PurposeId::ANY)?;
    match wanted {
        ClientCertificate::Require => {
            context.set_verify_cert_store(anchors.store()?)?;
            context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        ClientCertificate::Request | ClientCertificate::None => {
            // The judge verifies. Before it, OpenSSL would verify every signature of whatever is sent, whoever sends it.
            context.set_verify_depth(0);
            context.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
        }
    }
    Ok(())
}

fn version(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::V10 => SslVersion::TLS1,
        TlsVersion::V11 => SslVersion::TLS1_1,
        TlsVersion::V12 => SslVersion::TLS1_2,
        TlsVersion::V13 => SslVersion::TLS1_3,
    }
}

/// The client's certificate and what it sent with it, copied out of OpenSSL; empty where it sent none.
fn chain(ssl: &SslRef) -> Result<Vec<CertificateDer<'static>>, ErrorStack> {
    let Some(leaf) = ssl.peer_certificate() else { return Ok(Vec::new()) };
    let mut chain = vec![CertificateDer::from(leaf.to_der()?)];
    for certificate in ssl.peer_cert_chain().into_iter().flatten() {
        chain.push(certificate.to_der()?.into());
    }
    Ok(chain)
}

fn agreed(ssl: &SslRef) -> TlsVersion {
    match ssl.version2() {
        Some(SslVersion::TLS1) => TlsVersion::V10,
        Some(SslVersion::TLS1_1) => TlsVersion::V11,
        Some(SslVersion::TLS1_3) => TlsVersion::V13,
        _ => TlsVersion::V12,
    }
}

/// What went wrong, without the places in OpenSSL's source.
fn words(error: openssl::ssl::Error) -> io::Error {
    let reason = error.ssl_error().and_then(|stack| stack.errors().first()?.reason());
    match reason {
        Some(reason) => io::Error::other(reason),
        None => error.into_io_error().unwrap_or_else(|_| io::ErrorKind::UnexpectedEof.into()),
    }
}

fn pair_error(tls: &Tls, error: &ErrorStack) -> TlsError {
    let (certificate, key) = (tls.certificate.clone(), tls.key.clone());
    let error = match error.errors().first().and_then(openssl::error::Error::reason) {
        Some("key values mismatch" | "key type mismatch") => super::OF_ANOTHER.into(),
        Some(reason) => reason.to_owned(),
        None => error.to_string(),
    };
    TlsError::Pair { certificate, key, error }
}
