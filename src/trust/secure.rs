//! TLS as a client that says nothing before it knows who listens: to a phone's web page.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use openssl::ssl::{Ssl, SslContext};
use openssl::x509::{X509PurposeId, X509VerifyResult};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::fetch::{FetchError, context};
use crate::config::ClientTls;

/// What somebody has against a certificate, in DER form: that it names another, for one.
pub type Objection = Arc<dyn Fn(&[u8]) -> Option<String> + Send + Sync>;

/// Versions and authorities of `[client_tls]`, read once. Cheap to clone.
#[derive(Clone)]
pub struct Client(SslContext);

/// How one server is spoken to.
#[derive(Clone)]
pub struct Secure {
    /// With what.
    pub client: Client,
    /// What speaks against a certificate that an authority vouches for; `None`: any certificate is taken.
    pub objection: Option<Objection>,
}

/// Nothing was said to the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecureError {
    /// It speaks no TLS, or none that we do.
    #[error("it does not agree on TLS: {0}; client_tls.min sets the oldest version")]
    Handshake(String),
    /// It is not who it should be.
    #[error("its certificate is not taken: {0}")]
    Certificate(String),
}

impl Client {
    /// By the configuration.
    ///
    /// # Errors
    /// A file of `tls.ca` cannot be read.
    pub fn of(tls: &ClientTls) -> Result<Self, FetchError> {
        context(tls).map(Self)
    }
}

impl Secure {
    /// Shakes hands, and looks at who is there.
    ///
    /// # Errors
    /// There is no agreement, or the certificate is not taken.
    pub async fn connect(&self, stream: TcpStream) -> Result<SslStream<TcpStream>, SecureError> {
        let failed = SecureError::Handshake;
        let mut ssl = Ssl::new(&self.client.0).map_err(|error| failed(error.to_string()))?;
        // The certificate from a phone's factory is made for clients, and tells here as well as there which phone it is.
        ssl.param_mut().set_purpose(X509PurposeId::ANY).map_err(|error| failed(error.to_string()))?;
        let mut stream = SslStream::new(ssl, stream).map_err(|error| failed(error.to_string()))?;
        Pin::new(&mut stream).connect().await.map_err(|error| failed(words(&error)))?;
        let certificate = stream.ssl().peer_certificate().and_then(|certificate| certificate.to_der().ok());
        let verified = stream.ssl().verify_result();
        let reason = match (&self.objection, certificate) {
            (None, _) => None,
            (Some(_), None) => Some("there is none".to_owned()),
            (Some(_), Some(_)) if verified != X509VerifyResult::OK => {
                Some(format!("no authority of client_tls.ca vouches for it ({})", verified.error_string()))
            }
            (Some(objection), Some(certificate)) => objection(&certificate),
        };
        match reason {
            None => Ok(stream),
            Some(reason) => Err(SecureError::Certificate(reason)),
        }
    }
}

impl fmt::Debug for Secure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secure").field("takes_any", &self.objection.is_none()).finish_non_exhaustive()
    }
}

/// What went wrong, without the places in OpenSSL's source.
fn words(error: &openssl::ssl::Error) -> String {
    let reason = error.ssl_error().and_then(|stack| stack.errors().first()?.reason().map(str::to_owned));
    let io = || error.io_error().map(ToString::to_string);
    reason.or_else(io).unwrap_or_else(|| "it hung up".to_owned())
}
