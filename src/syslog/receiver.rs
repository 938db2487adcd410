//! The sockets that lines come in by. Nothing is ever answered.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::frame::Frames;
use super::{Lines, Messages};

/// A line of UDP may be as long as a datagram.
const DATAGRAM: usize = 64 * 1024;

/// Datagrams that are read in one go before other tasks have their turn.
const TURN: usize = 256;

/// What is read at once from a stream.
const PIECE: usize = 16 * 1024;

/// Streams that are open at once; more wait in the kernel's queue.
const STREAMS: usize = 256;

/// How long a stream may say nothing.
const SILENCE: Duration = Duration::from_mins(30);

/// Whether an address may have one more stream; what it is given for that is kept for as long as the stream is open.
pub type Admit = Box<dyn Fn(IpAddr) -> Option<Box<dyn Any + Send>> + Send + Sync>;

/// What a receiver listens with.
pub struct Receiver {
    /// Datagrams.
    pub udp: UdpSocket,
    /// Streams.
    pub tcp: TcpListener,
    /// Who may have a stream.
    pub admit: Admit,
    /// What is known of lines.
    pub messages: Messages,
    /// Who takes them; where that is full, the kernel's queues fill up in turn.
    pub lines: Lines,
}

/// Takes lines in until it is told to stop.
pub async fn receive(receiver: Receiver, tasks: TaskTracker, stop: CancellationToken) {
    let Receiver { udp, tcp, admit, messages, lines } = receiver;
    let messages = Arc::new(messages);
    let streams = accept((tcp, admit), messages.clone(), lines.clone(), tasks);
    tokio::select! {
        () = datagrams(&udp, &messages, &lines, &stop) => {}
        () = streams => {}
    }
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
            let line = messages.read(&datagram[..length], peer.ip(), Timestamp::now());
            if !line.text.is_empty() && lines.send(line).await.is_err() {
                return;
            }
        }
        // Others have their turn.
        tokio::task::yield_now().await;
    }
}

async fn accept((tcp, admit): (TcpListener, Admit), messages: Arc<Messages>, lines: Lines, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(STREAMS));
    // Ends what it has begun when it is ended itself.
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match tcp.accept().await {
            Ok((stream, peer)) => {
                let Some(share) = admit(peer.ip()) else {
                    tracing::warn!(target: "phoneprov::syslog", %peer, "closed: its address has as many streams as it may");
                    continue;
                };
                let (messages, lines, stop) = (messages.clone(), lines.clone(), stop.clone());
                tasks.spawn(async move {
                    let _place = (place, share);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = read(stream, peer, &messages, &lines) => {}
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "syslog over tcp");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn read(mut stream: TcpStream, peer: SocketAddr, messages: &Messages, lines: &Lines) {
    let (mut frames, mut piece) = (Frames::default(), vec![0; PIECE]);
    while let Ok(Ok(length @ 1..)) = timeout(SILENCE, stream.read(&mut piece)).await {
        frames.push(&piece[..length]);
        while let Some(line) = frames.whole() {
            let line = messages.read(&line, peer.ip(), Timestamp::now());
            if !line.text.is_empty() && lines.send(line).await.is_err() {
                return;
            }
        }
    }
    if let Some(line) = frames.rest() {
        let _ = lines.send(messages.read(&line, peer.ip(), Timestamp::now())).await;
    }
}
