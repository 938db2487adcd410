//! TLS, and what a client's certificate proves. A listener is one of two kinds.
//!
//! | `tls` | library | versions | client certificates |
//! |---|---|---|---|
//! | `"modern"` | rustls with aws-lc-rs | 1.2, 1.3 | what current phones bring |
//! | `"legacy"` | OpenSSL | 1.0 to 1.2 | also SHA-1, short keys, X.509 version 1 |
//!
//! The certificate is asked for, not required: a phone that has none, or one that we do not trust, still gets what needs
//! no proof, and the log says why the rest was refused. That the client holds the key of what it sends is always verified.

mod anchors;
mod cover;
mod doubts;
mod error;
mod file;
mod held;
mod judge;
mod legacy;
mod modern;
mod objection;
mod revocation;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use anchors::Anchors;
pub use cover::{Cover, Covered};
pub use doubts::{Doubt, doubts};
pub use error::TlsError;
pub(super) use judge::Judge;
use legacy::Legacy;
use modern::Modern;
use revocation::Revocations;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::census::Secured;
use crate::certificate::Reader;
use crate::config::{Revocation, Tls, TlsKind};
use crate::device::Model;
use crate::listen::socket::Socket;
use crate::metrics::Handshake;
use crate::provision::Presented;

/// What is wrong with a certificate and a key that are of two pairs.
const OF_ANOTHER: &str = "they do not belong together: the key is of another certificate";

/// The TLS side of a listener.
#[derive(Debug, Clone)]
pub enum TlsDoor {
    /// For current phones.
    Modern(Arc<Modern>),
    /// For old ones.
    Legacy(Arc<Legacy>),
}

/// A connection after its handshake.
pub(super) struct Shaken<S> {
    /// What is inside the encryption.
    pub(super) stream: S,
    /// What the client's certificate proves.
    pub(super) presented: Presented,
    /// For the metrics.
    pub(super) handshake: Handshake,
    /// What was agreed on.
    pub(super) secured: Secured,
    /// The only models that the listener serves; `None`: all.
    pub(super) models: Option<Arc<[Model]>>,
}

/// What is inside the encryption, whatever library it is.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl TlsDoor {
    /// Reads a listener's certificates.
    ///
    /// # Errors
    /// A file is missing, holds something else, or certificate and key do not belong together.
    pub fn open(tls: &Tls, reader: &Reader) -> Result<Self, TlsError> {
        match tls.kind {
            TlsKind::Modern => Modern::open(tls, reader).map(Arc::new).map(Self::Modern),
            TlsKind::Legacy => Legacy::open(tls, reader).map(Arc::new).map(Self::Legacy),
        }
    }

    /// Shakes hands where nothing is asked of the client's certificate, and nothing is counted.
    ///
    /// # Errors
    /// The client speaks no TLS, or none that we do.
    pub(crate) async fn accept_any(&self, socket: Socket) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Modern(door) => Box::new(door.accept(socket).await?.stream),
            Self::Legacy(door) => Box::new(door.accept(socket).await?.stream),
        })
    }
}

/// What judges chains that come otherwise than by a handshake, as a listener of this kind judges those that do.
///
/// # Errors
/// A file of `client_ca` is missing or holds no authority, or a revocation list cannot be used.
pub(super) fn judge(
    kind: TlsKind,
    client_ca: &[PathBuf],
    revocation: &Revocation,
    reader: &Reader,
) -> Result<Judge, TlsError> {
    let revocations = Arc::new(Revocations::open(revocation, client_ca)?);
    Ok(match kind {
        TlsKind::Modern => Judge::new(modern::trusted(client_ca, &revocations)?, reader, revocations),
        TlsKind::Legacy => Judge::new(Anchors::open(client_ca, &revocations)?, reader, revocations),
    })
}
