//! The accept loop of an HTTP or HTTPS listener: one task a connection, no more of them than allowed.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use rustix::net::SocketFlags;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Shared;
use super::client::Client;
use super::http::{self, Security, Session};
use super::proxy::Proxies;
use super::shares::Share;
use super::socket::{Ending, Socket};
use super::tls::{Shaken, TlsDoor};
use crate::app::App;
use crate::config::Protocol;
use crate::metrics::Handshake;
use crate::provision::Presented;

/// How long the loop rests when the kernel has no descriptor or memory for another connection.
const RESTS: Duration = Duration::from_millis(50);

/// What is expected of those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// What they speak.
    pub protocol: Protocol,
    /// Some of them speak for others.
    pub through_proxies: bool,
}

/// Accepts until the listener is told to stop. `place` is the listener's place in the configuration in force.
pub async fn accept(
    listener: AsyncFd<TcpListener>,
    manner: Manner,
    shared: Arc<Shared>,
    place: tokio::sync::watch::Receiver<usize>,
    stop: tokio_util::sync::CancellationToken,
) {
    let mut stopped = pin!(stop.cancelled());
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stopped => return,
            accepted = next(&listener) => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let mut apps = shared.apps.clone();
                let place = *place.borrow();
                let Ok(share) = share(&apps.borrow_and_update(), &shared, place, peer) else { continue };
                // After accepting: a loop that waits for a client must not hold what another listener's client needs.
                let permit = tokio::select! {
                    biased;
                    permit = shared.connections.clone().acquire_owned() => permit,
                    () = &mut stopped => return,
                };
                let Ok(permit) = permit else { return };
                let connection = Connection {
                    peer,
                    apps,
                    through: None,
                    proxies: None,
                    place,
                    open: Open::new(permit, share, &shared),
                    shared: shared.clone(),
                };
                // Several futures, because one that could do all would be as large as the largest.
                match manner {
                    Manner { through_proxies: true, protocol } => {
                        drop(shared.tasks.spawn(connection.through_proxy(stream, protocol)));
                    }
                    Manner { protocol: Protocol::Https, .. } => {
                        drop(shared.tasks.spawn(connection.shake_hands(stream)));
                    }
                    Manner { protocol: Protocol::Http | Protocol::Tftp, .. } => {
                        drop(shared.tasks.spawn(connection.in_clear(stream)));
                    }
                }
            }
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(RESTS).await;
            }
        }
    }
}

/// Counts the connection for its address; a trusted proxy's are those of many addresses.
fn share(app: &App, shared: &Shared, place: usize, peer: SocketAddr) -> Result<Option<Share>, Refused> {
    if app.proxies.get(place).and_then(Option::as_ref).is_some_and(|proxies| proxies.trusts(peer)) {
        return Ok(None);
    }
    let most = app.config.limits.connections_per_address;
    shared.shares.take(peer.ip(), most).map(Some).ok_or_else(|| {
        shared.metrics.refused_connections.inc();
        tracing::debug!(%peer, "connection closed: its address has all that limits.connections_per_address allows");
        Refused
    })
}

/// The connection is not taken.
struct Refused;

/// The next connection, which the runtime does not watch yet.
async fn next(listener: &AsyncFd<TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    let accept = |listener: &TcpListener| {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (stream, peer) = rustix::net::acceptfrom_with(listener, flags)?;
        let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
        Ok((TcpStream::from(stream), peer.ok_or(io::ErrorKind::ConnectionAborted)?))
    };
    listener.async_io(Interest::READABLE, accept).await
}

/// The peer was gone before we took the connection.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// A connection that has just been accepted.
struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    /// The proxy that announced the peer.
    through: Option<SocketAddr>,
    /// Where the peer is a proxy whose headers count.
    proxies: Option<Arc<Proxies>>,
    place: usize,
    /// Has seen the configuration in force when the connection came, or an earlier one.
    apps: watch::Receiver<Arc<App>>,
    open: Open,
}

impl Connection {
    async fn in_clear(self, stream: TcpStream) {
        let Self { shared, peer, through, proxies, apps, open, .. } = self;
        let (socket, ending) = Socket::new(stream);
        let client = Client { transport: Protocol::Http, peer, through, presented: Presented::Nothing };
        http::serve(Session { shared, client, proxies, security: None, apps, ending }, socket).await;
        drop(open);
    }

    /// Finds out whose connection it is before anything else of it is read.
    async fn through_proxy(mut self, stream: TcpStream, protocol: Protocol) {
        let app = self.shared.app();
        // Between two configurations the place may be another listener's: the phone comes again.
        let Some(proxies) = app.proxies.get(self.place).cloned().flatten() else { return };
        let limit = app.config.limits.header.duration();
        drop(app);
        let Some((origin, stream)) = proxies.announced(stream, self.peer, limit).await else { return };
        (self.peer, self.through) = (origin.peer, origin.through);
        self.proxies = origin.is_heard.then_some(proxies);
        match protocol {
            Protocol::Https => self.shake_hands(stream).await,
            Protocol::Http | Protocol::Tftp => self.in_clear(stream).await,
        }
    }

    async fn shake_hands(self, stream: TcpStream) {
        // The configuration is not held on to. Between two of them the place may be another listener's: the phone comes
        // again.
        let found = {
            let app = self.shared.apps.borrow();
            let door = app.tls.get(self.place).and_then(Option::as_ref);
            door.map(|door| (door.clone(), app.config.limits.handshake.duration()))
        };
        let (socket, ending) = Socket::new(stream);
        match found {
            Some((TlsDoor::Modern(door), limit)) => self.over_tls(limit, ending, door.accept(socket)).await,
            // Boxed, so that a modern connection's future is not the larger for it.
            Some((TlsDoor::Legacy(door), limit)) => {
                Box::pin(self.over_tls(limit, ending, door.accept(socket))).await;
            }
            None => {}
        }
    }

    async fn over_tls<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        limit: Duration,
        ending: Ending,
        shaking: impl Future<Output = io::Result<Shaken<S>>>,
    ) {
        let Self { shared, peer, through, proxies, apps, open, .. } = self;
        let shaken = tokio::time::timeout(limit, shaking).await;
        match shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(Shaken { stream, presented, handshake, secured, models }) => {
                shared.metrics.handshake(handshake);
                let security = Some(Security { secured, models, is_noted: AtomicBool::new(false) });
                let client = Client { transport: Protocol::Https, peer, through, presented };
                http::serve(Session { shared, client, proxies, security, apps, ending }, stream).await;
            }
            Err(error) => {
                shared.metrics.handshake(Handshake::Failed);
                tracing::info!(target: "phoneprov::handshake", %peer, reason = %error, "handshake failed");
            }
        }
        drop(open);
    }
}

/// Counts a connection for as long as it is open.
struct Open {
    _permit: OwnedSemaphorePermit,
    _share: Option<Share>,
    gauge: Gauge,
}

impl Open {
    fn new(permit: OwnedSemaphorePermit, share: Option<Share>, shared: &Shared) -> Self {
        shared.metrics.connections.inc();
        Self { _permit: permit, _share: share, gauge: shared.metrics.connections.clone() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}
