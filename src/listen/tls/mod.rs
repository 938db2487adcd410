//! TLS, and what a client's certificate proves. A listener is one of two kinds.
//!
//! | `tls` | library | versions | client certificates |
//! |---|---|---|---|
//! | `"modern"` | rustls with aws-lc-rs | 1.2, 1.3 | what current phones bring |
//!
//! The certificate is asked for, not required: a phone that has none, or one that we do not trust, still gets what needs
//! no proof, and the log says why the rest was refused. That the client holds the key of what it sends is always verified.

mod error;
mod file;
mod judge;
mod modern;

use std::sync::Arc;

pub use error::TlsError;
use modern::Modern;

use crate::config::Tls;
use crate::metrics::Handshake;
use crate::provision::Presented;

/// The TLS side of a listener.
#[derive(Debug, Clone)]
pub enum TlsDoor {
    /// For current phones.
    Modern(Arc<Modern>),
}

/// A connection after its handshake.
pub(super) struct Shaken<S> {
    /// What is inside the encryption.
    pub(super) stream: S,
    /// What the client's certificate proves.
    pub(super) presented: Presented,
    /// For the metrics.
    pub(super) handshake: Handshake,
}

impl TlsDoor {
    /// Reads a listener's certificates.
    ///
    /// # Errors
    /// A file is missing, holds something else, or certificate and key do not belong together.
    pub fn open(tls: &Tls) -> Result<Self, TlsError> {
        Ok(Self::Modern(Arc::new(Modern::open(tls)?)))
    }
}
