//! The accept loop of listeners that are no phones': few connections, each for long. They have bounds of their own, so that
//! whoever fills them keeps no phone from its profile.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Shared, Shares};

/// Connections of one listener; more wait in the kernel's queue.
const CONNECTIONS: usize = 256;

/// The same from one address; more are closed at once.
const PER_ADDRESS: usize = 32;

/// How long the loop rests when the kernel has no descriptor or memory for another connection.
const RESTS: Duration = Duration::from_millis(50);

/// Accepts until the listener is told to stop. Each connection is served by a task of its own.
pub async fn welcome<F, Fut>(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken, serve: F)
where
    F: Fn(TcpStream, SocketAddr) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let (places, addresses) = (Arc::new(Semaphore::new(CONNECTIONS)), Shares::default());
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(RESTS).await;
                continue;
            }
        };
        let Some(share) = addresses.take(peer.ip(), PER_ADDRESS) else {
            shared.metrics.refused_connections.inc();
            tracing::debug!(%peer, "connection closed: its address has {PER_ADDRESS} already");
            continue;
        };
        let (served, open) = (serve(stream, peer), shared.metrics.connections.clone());
        shared.tasks.spawn(async move {
            open.inc();
            served.await;
            open.dec();
            drop((place, share));
        });
    }
}

/// The next connection that there is a place for.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Ok((stream, peer, place)),
            // The peer was gone before we took the connection.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            Err(error) => return Err(error),
        }
    }
}
