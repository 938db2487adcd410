//! TLS as phones have it: OpenSSL, the versions and suites of a family, and their checks of a server's certificate.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslRef, SslVersion};
use openssl::x509::X509VerifyResult;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::names::Names;
use super::server_name::{check, subject};
use super::trust::{Identity, Trust};
use crate::phone::failure::{Alert, Failure};
use crate::phone::family::{NameCheck, TlsLimits, TlsVersion};

/// OpenSSL's number of its part that speaks TLS (`ERR_LIB_SSL`).
const LIBRARY: i32 = 20;

/// What OpenSSL adds to the number of an alert that came, to make an error's reason of it (`SSL_AD_REASON_OFFSET`).
const ALERTS: i32 = 1000;

/// OpenSSL's reasons for octets that are no TLS: `SSL_R_HTTP_REQUEST`, `SSL_R_PACKET_LENGTH_TOO_LONG`,
/// `SSL_R_WRONG_VERSION_NUMBER`.
const NOT_TLS: [i32; 3] = [156, 198, 267];

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
    let refused = |cause: String, alert| Failure::Handshake { address, cause, alert };
    let ssl = prepared(host, manner).map_err(|error| refused(told(&error), None))?;
    let mut stream = SslStream::new(ssl, stream).map_err(|error| refused(told(&error), None))?;
    let shaken = tokio::time::timeout(manner.patience, Pin::new(&mut stream).connect()).await;
    let seconds = manner.patience.as_secs();
    match shaken {
        Err(_) => return Err(Failure::Slow { seconds, stage: "to agree on TLS" }),
        Ok(Err(error)) => return Err(disagreement(stream.ssl(), &error, manner, refused)),
        Ok(Ok(())) => {}
    }
    let certificate = stream.ssl().peer_certificate().ok_or_else(|| refused("no certificate".to_owned(), None))?;
    check(&certificate, host, address.ip(), manner).await?;
    let agreed = Agreed {
        version: stream.ssl().version_str(),
        suite: stream.ssl().current_cipher().map_or("no cipher", |suite| suite.name()).to_owned(),
        server: subject(&certificate),
    };
    Ok((stream, agreed))
}

fn prepared(host: &str, manner: Manner<'_>) -> Result<Ssl, ErrorStack> {
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
    refused: impl Fn(String, Option<Alert>) -> Failure,
) -> Failure {
    let verdict = ssl.verify_result();
    if verdict != X509VerifyResult::OK {
        let nobody = if manner.trust.is_empty() { "; this phone trusts no authority at all" } else { "" };
        return Failure::Certificate(format!("{}{nobody}", verdict.error_string()));
    }
    match (error.ssl_error(), error.io_error()) {
        (Some(stack), _) => {
            let alert = alert(stack);
            refused(told(stack) + &hint(stack, alert, manner.limits), alert)
        }
        (None, Some(cause)) => refused(cause.to_string(), None),
        (None, None) => refused("the server closed the connection".to_owned(), None),
    }
}

/// What most often lies behind it.
fn hint(stack: &ErrorStack, alert: Option<Alert>, limits: &TlsLimits) -> String {
    let foreign = |code| NOT_TLS.contains(&code);
    if stack.errors().iter().filter(|error| error.library_code() == LIBRARY).any(|error| foreign(error.reason_code())) {
        return ": the port speaks no TLS; is http:// meant?".to_owned();
    }
    if alert.is_some_and(Alert::is_of_version_or_suite) && limits.max < TlsVersion::Tls12 {
        return format!(
            ": this phone speaks {} and nothing newer (--tls-max is for firmware that does), and the server has no such \
             TLS; a listener with tls = \"legacy\" speaks 1.0 to 1.2 (docs/old-phones.md)",
            limits.max
        );
    }
    String::new()
}

/// What OpenSSL's errors say, without its numbers and places.
pub(super) fn told(stack: &ErrorStack) -> String {
    let reasons: Vec<&str> = stack.errors().iter().filter_map(openssl::error::Error::reason).collect();
    if reasons.is_empty() { "no reason given".to_owned() } else { reasons.join(", ") }
}

/// The alert that the server sent, where that is what the errors are about.
pub(super) fn alert(stack: &ErrorStack) -> Option<Alert> {
    let reasons = stack.errors().iter().filter(|error| error.library_code() == LIBRARY);
    reasons.map(openssl::error::Error::reason_code).find_map(|code| u8::try_from(code - ALERTS).ok()).map(Alert)
}
