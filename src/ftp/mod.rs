//! Files of cases over FTP (RFC 959) and FTPS, explicit (RFC 4217) and implicit: taken, and nothing else.
//!
//! The order of work: `control` reads lines, `command` says what they mean, `session` answers, `passive` opens ports for
//! data, `transfer` takes a file from there into the case. Only passive connections: the server connects to nobody. There
//! is no folder, and no name of a file in any answer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

mod command;
mod control;
mod passive;
mod session;
mod transfer;

use self::control::{Control, Wire};
use self::session::Session;
use crate::intake::Desk;
use crate::listen::tls::Cover;

/// How a listener serves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For TLS; `None`: there is none.
    pub cover: Option<Cover>,
    /// Whether nothing goes in clear.
    pub is_required: bool,
    /// Whether TLS begins with the connection.
    pub is_implicit: bool,
    /// Ports for data.
    pub ports: RangeInclusive<u16>,
    /// The address that clients are told to come to for data; `None`: the one that they came to.
    pub external: Option<IpAddr>,
}

/// For the handshake that a connection by implicit TLS begins with.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves one client.
///
/// # Errors
/// The client is gone, speaks no TLS, or says what nobody can read.
pub async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    settings: Arc<Settings>,
    desk: Desk,
    stop: CancellationToken,
) -> io::Result<()> {
    let local = stream.local_addr()?;
    let mut control = Control::new(Wire::Clear(stream));
    if let (Some(cover), true) = (&settings.cover, settings.is_implicit) {
        control.cover(cover, HANDSHAKE).await?;
    }
    let mut session = Session::new(settings, control, desk, (peer, local), stop);
    let served = session.run().await;
    session.control.close().await;
    served
}
