//! Files of cases over SSH: SFTP, and the older protocol of `scp`. Taken, and nothing else: no shell, no other command, no
//! forwarding, no file that can be seen.
//!
//! The order of work: `visit` answers what SSH asks (who, and what for), `conversation` what SFTP asks, `copy` what `scp`
//! sends; `packet` and `sink` are their codecs without I/O. Every request is done before the next is read, so that nothing
//! piles up here: a client that sends faster than the disk takes waits in its own queue.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

mod conversation;
mod copy;
mod host_key;
mod packet;
mod sink;
mod visit;
mod wire;

pub use self::host_key::{HostKey, HostKeyError};
use self::visit::Visit;
use self::wire::Wire;
use crate::intake::Desk;

/// From the connection's beginning to the right token.
const LOGIN: Duration = Duration::from_mins(1);

/// Without a packet of the client.
const IDLE: Duration = Duration::from_mins(5);

/// Tokens that are tried on one connection.
const TRIES: usize = 3;

/// Serves one client.
pub async fn serve(stream: TcpStream, peer: SocketAddr, key: &HostKey, desk: Desk, stop: CancellationToken) {
    let cut = CancellationToken::new();
    let _guard = cut.clone().drop_guard();
    let (visit, state) = Visit::new(desk, peer);
    let wire = Wire::new(stream, cut.clone());
    let beginning = russh::server::run_stream(config(key), wire, visit);
    let Ok(Ok(mut session)) = tokio::time::timeout(LOGIN, beginning).await else { return };
    tokio::select! {
        _ = &mut session => return state.finish().await,
        () = state.overstays(LOGIN) => {}
        () = state.stalls() => {}
        () = state.may_stop(stop) => {}
    }
    cut.cancel();
    // It ends with its connection.
    let _ = session.await;
    state.finish().await;
}

fn config(key: &HostKey) -> Arc<russh::server::Config> {
    let mut methods = russh::MethodSet::empty();
    methods.push(russh::MethodKind::Password);
    methods.push(russh::MethodKind::KeyboardInteractive);
    Arc::new(russh::server::Config {
        server_id: russh::SshId::Standard("SSH-2.0-phoneprov".into()),
        methods,
        // What a wrong token costs is the throttle's matter.
        auth_rejection_time: Duration::ZERO,
        keys: vec![key.private()],
        max_auth_attempts: TRIES,
        inactivity_timeout: Some(IDLE),
        nodelay: true,
        ..russh::server::Config::default()
    })
}

/// The last part of a path, which is all of it that means something; `None`: it names a folder.
fn label(path: &[u8]) -> Option<&[u8]> {
    let last = path.split(|byte| *byte == b'/').rfind(|part| !part.is_empty())?;
    (!matches!(last, b"." | b".." | b"~")).then_some(last)
}

/// Whether a path is that of the only folder.
fn is_folder(path: &[u8]) -> bool {
    label(path).is_none()
}

/// An SSH error that ends the connection.
fn broken(text: &str) -> russh::Error {
    russh::Error::IO(io::Error::new(io::ErrorKind::InvalidData, text.to_owned()))
}
