//! The receiver of phones' lines: where events are kept, it tells of them there; elsewhere they stand in the log.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

use super::ServeError;
use crate::config::Syslog;
use crate::listen::bind::BindError;
use crate::listen::{Shared, Shares};
use crate::syslog::{Line, Lines, Receiver, queue, receive};

/// What lines on their way to the log may take (bytes).
const LINES: u32 = 8 * 1024 * 1024;

/// Bytes of datagrams that the kernel queues: phones come in bursts.
const DATAGRAMS: usize = 8 * 1024 * 1024;

/// Starts it, where an address is set; returns where it really listens.
pub(super) fn start(syslog: Option<&Syslog>, shared: &Arc<Shared>) -> Result<Option<SocketAddr>, ServeError> {
    let Some(syslog) = syslog else { return Ok(None) };
    let (udp, tcp) = bind(syslog.address).map_err(|error| BindError::of("syslog.address", syslog.address, error))?;
    let bound = udp.local_addr()?;
    let lines = shared.journal.as_ref().map_or_else(|| to_log(shared), |journal| journal.lines());
    let (per_address, most) = (Shares::default(), syslog.streams_per_address as usize);
    let receiver = Receiver {
        udp: tokio::net::UdpSocket::from_std(udp)?,
        tcp: tokio::net::TcpListener::from_std(tcp)?,
        streams: syslog.streams as usize,
        // Nobody has all of them.
        admit: Box::new(move |peer| Some(Box::new(per_address.take(peer, most)?))),
        messages: syslog.messages.clone(),
        lines,
    };
    shared.tasks.spawn(receive(receiver, shared.tasks.clone(), shared.stop.clone()));
    Ok(Some(bound))
}

/// The same port for both; where the kernel chooses it, one that both have.
fn bind(address: SocketAddr) -> std::io::Result<(UdpSocket, TcpListener)> {
    let mut tries = 0;
    loop {
        let tcp = TcpListener::bind(address)?;
        let udp = UdpSocket::bind(tcp.local_addr()?);
        tries += 1;
        let udp = match udp {
            Ok(udp) => udp,
            Err(_) if address.port() == 0 && tries < 20 => continue,
            Err(error) => return Err(error),
        };
        widen(&udp);
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        return Ok((udp, tcp));
    }
}

/// Has the kernel queue many datagrams: as root beyond its own bound, else as many as that allows.
fn widen(udp: &UdpSocket) {
    let asked = rustix::net::sockopt::set_socket_recv_buffer_size_force(udp, DATAGRAMS)
        .or_else(|_| rustix::net::sockopt::set_socket_recv_buffer_size(udp, DATAGRAMS));
    // The kernel says twice what it was asked for (socket(7)).
    let given = rustix::net::sockopt::socket_recv_buffer_size(udp).unwrap_or_default() / 2;
    if asked.is_err() || given < DATAGRAMS {
        tracing::info!(
            bytes = given,
            "the kernel queues fewer datagrams than a storm of syslog lines needs: `sysctl net.core.rmem_max={DATAGRAMS}`"
        );
    }
}

/// Lines as lines of the log.
fn to_log(shared: &Arc<Shared>) -> Lines {
    let (lines, mut out) = queue(LINES);
    shared.tasks.spawn(async move {
        while let Some(line) = out.recv().await {
            out.done(&line);
            let Line { peer, name, said, text, .. } = line;
            let name = name.map_or_else(|| "-".to_owned(), |name| name.to_string());
            let said = said.map_or("line", |said| said.stage.as_str());
            tracing::info!(target: "phoneprov::syslog", %peer, device.claimed = name, said, "{text}");
        }
    });
    lines
}
