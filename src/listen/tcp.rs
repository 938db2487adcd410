//! The accept loop of an HTTP or HTTPS listener: one task a connection, no more of them than allowed.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::Shared;
use super::http::{self, Session};
use crate::config::Protocol;
use crate::metrics::Handshake;
use crate::provision::Presented;

/// How long the loop rests when the kernel has no descriptor or memory for another connection.
const RESTS: Duration = Duration::from_millis(50);

/// Accepts until the listener is told to stop. `place` is the listener's place in the configuration in force.
pub async fn accept(
    listener: TcpListener,
    protocol: Protocol,
    shared: Shared,
    place: tokio::sync::watch::Receiver<usize>,
    stop: tokio_util::sync::CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // After accepting: a loop that waits for a client must not hold what another listener's client needs.
                let permit = tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    permit = shared.connections.clone().acquire_owned() => permit,
                };
                let Ok(permit) = permit else { return };
                let (connection, place) = (shared.clone(), *place.borrow());
                shared.tasks.spawn(async move {
                    connection.metrics.connections.inc();
                    let metrics = connection.metrics.clone();
                    serve(stream, peer, protocol, connection, place).await;
                    metrics.connections.dec();
                    drop(permit);
                });
            }
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(RESTS).await;
            }
        }
    }
}

/// The peer was gone before we took the connection.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

async fn serve(stream: TcpStream, peer: SocketAddr, transport: Protocol, shared: Shared, place: usize) {
    let app = shared.app();
    let Some(door) = app.tls.get(place).and_then(Option::as_ref) else {
        let session = Session { shared, transport, peer, presented: Presented::Nothing };
        return http::serve(session, stream).await;
    };
    let limit = app.config.limits.handshake.duration();
    let shaken = tokio::time::timeout(limit, door.accept(stream)).await;
    match shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok((stream, presented, handshake)) => {
            shared.metrics.handshake(handshake);
            let session = Session { shared, transport, peer, presented };
            http::serve(session, stream).await;
        }
        Err(error) => {
            shared.metrics.handshake(Handshake::Failed);
            tracing::info!(target: "phoneprov::handshake", %peer, reason = %error, "handshake failed");
        }
    }
}
