//! The accept loop of an intake over HTTP, and its connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::respond;
use crate::config::{Hears, Intake as Settings};
use crate::intake::Intake;
use crate::listen::proxy::hop::HopError;
use crate::listen::proxy::{Origin, Proxies};
use crate::listen::socket::{Ending, Socket};
use crate::listen::{Shared, Shares};

/// Connections that are open at once on one address; more wait in the kernel's queue. They are not the phones'.
const CONNECTIONS: usize = 1024;

/// Those of one client.
const PER_CLIENT: usize = 128;

/// How long a client is listened to that still sends what is not read.
const LINGERS: Duration = Duration::from_secs(10);

/// When the server stops, what comes in has this long to end (of `limits.drain`, at the most).
const ENDS: Duration = Duration::from_secs(10);

/// How long the loop rests when the kernel has no descriptor for another connection.
const RESTS: Duration = Duration::from_millis(50);

/// An intake over HTTP or HTTPS.
#[derive(Debug)]
pub struct Door {
    /// What all doors share.
    pub intake: Arc<Intake>,
    /// What the process shares.
    pub shared: Arc<Shared>,
    /// What the configuration says of it.
    pub settings: Settings,
    /// Who may speak for its clients, where anybody may.
    pub proxies: Option<Proxies>,
}

impl Door {
    /// Ends when what comes in has to, because the server stops.
    pub(super) async fn has_to_end(&self) {
        self.shared.stop.cancelled().await;
        let drain = self.shared.app().config.limits.drain.duration();
        tokio::time::sleep(ENDS.min(drain / 2)).await;
    }

    /// The address of a request's client: its connection's, or the one that a trusted proxy speaks for.
    pub(super) fn client(&self, origin: Origin, headers: &HeaderMap) -> Result<SocketAddr, HopError> {
        self.proxies.as_ref().map_or(Ok(origin.peer), |proxies| proxies.address(origin, headers))
    }
}

/// Accepts until the server stops.
pub async fn accept(door: Arc<Door>, listener: TcpListener) {
    let (places, shares) = (Arc::new(Semaphore::new(CONNECTIONS)), Shares::default());
    loop {
        let accepted = tokio::select! {
            () = door.shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "an intake accepts nothing just now");
                tokio::time::sleep(RESTS).await;
                continue;
            }
        };
        // A trusted proxy's are those of many clients.
        let speaks_for_others = door.proxies.as_ref().is_some_and(|proxies| proxies.trusts(peer));
        let share = if speaks_for_others { None } else { shares.take(peer.ip(), PER_CLIENT) };
        if share.is_none() && !speaks_for_others {
            door.shared.metrics.refused_connections.inc();
            continue;
        }
        let place = tokio::select! {
            () = door.shared.stop.cancelled() => return,
            place = places.clone().acquire_owned() => place,
        };
        let (Ok(place), Ok(stream)) = (place, stream.into_std()) else { continue };
        let serving = door.clone();
        door.shared.tasks.spawn(async move {
            connection(&serving, stream, peer).await;
            drop((place, share));
        });
    }
}

async fn connection(door: &Door, stream: std::net::TcpStream, peer: SocketAddr) {
    let app = door.shared.app();
    let limits = &app.config.limits;
    let (header, limit) = (limits.header.duration(), limits.handshake.duration());
    let tls = app.intake_tls(&door.settings);
    drop(app);
    let announced = match &door.proxies {
        Some(proxies) => proxies.announced(stream, peer, header).await,
        None => Some((Origin::own(peer), stream)),
    };
    let Some((origin, stream)) = announced else { return };
    let peer = origin.peer;
    let (socket, ending) = Socket::new(stream);
    let tls = match (&door.settings.speaks, tls) {
        (Hears::Http, _) => return serve(door, socket, ending, origin).await,
        (_, Some(tls)) => tls,
        // It is on its way out of the configuration: in clear nothing is served here.
        (_, None) => return,
    };
    match tokio::time::timeout(limit, tls.accept_any(socket)).await {
        Ok(Ok(stream)) => serve(door, stream, ending, origin).await,
        Ok(Err(error)) => {
            tracing::info!(target: "phoneprov::handshake", %peer, reason = %error, "handshake failed");
        }
        Err(_) => tracing::info!(target: "phoneprov::handshake", %peer, "handshake took too long"),
    }
}

/// Serves one connection to its end.
async fn serve(door: &Door, stream: impl AsyncRead + AsyncWrite + Unpin, ending: Ending, origin: Origin) {
    let closing = CancellationToken::new();
    let service = service_fn(|request| {
        let (ending, closing) = (ending.clone(), closing.clone());
        async move {
            let app = door.shared.app();
            let super::Answered { mut answer, is_read } = Box::pin(respond(door, &app, origin, request)).await;
            if !is_read {
                ending.leaves_a_body();
                closing.cancel();
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let limits = &door.shared.app().config.limits;
    let (header, size) = (limits.header.duration(), usize::try_from(limits.header_size.count()).unwrap_or(usize::MAX));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(header).max_buf_size(size.max(64 * 1024));
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut is_stopping = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => break ended,
            () = closing.cancelled() => {
                let lingered = tokio::time::timeout(LINGERS, connection.as_mut()).await;
                break lingered.unwrap_or(Ok(()));
            }
            () = door.shared.stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %origin.peer, %error, "a connection of an intake ended");
    }
}
