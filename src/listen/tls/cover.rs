//! TLS around a connection that carries no HTTP: the server shows its certificate, and nobody is asked for one.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{TlsError, file};

/// Sessions that are remembered: a transfer resumes the session of the connection that it was asked for on.
const SESSIONS: usize = 1024;

/// A connection by TLS.
pub type Covered = TlsStream<TcpStream>;

/// A certificate with its key, for TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Cover {
    control: TlsAcceptor,
    data: TlsAcceptor,
}

impl Cover {
    /// Reads a chain and its key, both PEM.
    ///
    /// # Errors
    /// A file is missing, holds something else, or the two do not belong together.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let wrong = |error: &rustls::Error| super::modern::pair_error((certificate, key), error);
        let (chain, secret) = (file::chain(certificate)?, file::key(key)?);
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(|error| wrong(&error))?;
        let config = builder.with_no_client_auth().with_single_cert(chain, secret);
        let mut config = config.map_err(|error| wrong(&error))?;
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| wrong(&error))?;
        // A client that only sends does not read tickets, and closes on them: the kernel then takes its last bytes for lost.
        let mut data = config.clone();
        data.send_tls13_tickets = 0;
        Ok(Self { control: TlsAcceptor::from(Arc::new(config)), data: TlsAcceptor::from(Arc::new(data)) })
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// The client speaks no TLS, or none that we do.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<Covered> {
        self.control.accept(stream).await
    }

    /// The same where the client only sends: it may resume what it has agreed on, and gets nothing to remember.
    ///
    /// # Errors
    /// As [`Cover::accept`].
    pub async fn accept_data(&self, stream: TcpStream) -> io::Result<Covered> {
        self.data.accept(stream).await
    }
}

impl std::fmt::Debug for Cover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cover").finish_non_exhaustive()
    }
}
