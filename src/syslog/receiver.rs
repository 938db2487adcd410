//! The sockets that lines come in by. Nothing is ever answered.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::streams::{Reader, Streams};
use super::{ENDS, Lines, Messages};

/// A line of UDP may be as long as a datagram.
const DATAGRAM: usize = 64 * 1024;

/// Lines of a datagram; more are one. Some senders put several into one.
const SEVERAL: usize = 64;

/// Datagrams that are read in one go before other tasks have their turn.
const TURN: usize = 256;

/// Whether an address may have one more stream; what it is given for that is kept for as long as the stream is open.
pub type Admit = Box<dyn Fn(IpAddr) -> Option<Box<dyn Any + Send>> + Send + Sync>;

/// What a receiver listens with.
pub struct Receiver {
    /// Datagrams.
    pub udp: UdpSocket,
    /// Streams.
    pub tcp: TcpListener,
    /// Streams that are open at once; more wait in the kernel's queue.
    pub streams: usize,
    /// Who may have a stream.
    pub admit: Admit,
    /// What is known of lines.
    pub messages: Messages,
    /// Who takes them; where that is full, the kernel's queues fill up in turn.
    pub lines: Lines,
}

/// Takes lines in until it is told to stop, and then all that the kernel has.
pub async fn receive(receiver: Receiver, tasks: TaskTracker, stop: CancellationToken) {
    let Receiver { udp, tcp, streams, admit, messages, lines } = receiver;
    let messages = Arc::new(messages);
    let reader = Reader { messages: messages.clone(), lines: lines.clone(), stop: stop.clone() };
    let streams = Streams { admit, most: streams, reader, tasks };
    tokio::join!(datagrams(&udp, &messages, &lines, &stop), streams.accept(tcp));
}

/// Reads datagrams. One that was read is not lost: only the wait for the next is given up when it is time to stop, and then
/// all that the kernel has is still taken.
async fn datagrams(udp: &UdpSocket, messages: &Messages, lines: &Lines, stop: &CancellationToken) {
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let ready = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            ready = udp.readable() => Some(ready),
        };
        // An ICMP error of somebody's is none of ours.
        if let Some(Err(error)) = &ready {
            tracing::debug!(%error, "syslog over udp");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The wait costs more than the reading: as long as there is more, it is not waited for.
        for _ in 0..TURN {
            let (length, peer) = match udp.try_recv_from(&mut datagram) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && ready.is_none() => return,
                Err(_) => break,
            };
            for line in datagram[..length].splitn(SEVERAL, |byte| ENDS.contains(byte)) {
                if lines.take(messages, line, peer.ip()).await.is_err() {
                    return;
                }
            }
        }
        // Others have their turn.
        tokio::task::yield_now().await;
    }
}
