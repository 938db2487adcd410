//! The listening socket: sorts out what arrives, answers what is wrong, and starts transfers.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::blocks::{Blocks, transfer_size};
use super::link::{Link, Reply};
use super::live::{Admission, Live, Place};
use super::options::{Limits, Requested};
use super::pace::Pace;
use super::packet::{ErrorCode, Mode, Packet, Request};
use super::socket::Socket;
use super::transfer::Transfer;
use super::{Denial, Ending, Offer, ReadRequest, Settings, TransferResult, Wish};

/// Room for a datagram; a longer request loses its end and is malformed (RFC 2347 allows 512 bytes).
const ROOM: usize = 1024;

/// Datagrams taken in one go before other tasks have their turn.
const TURN: usize = 32;

/// The pause after a failure of the listening socket, and between two looks whether all transfers have ended.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves read requests until `stop`, then refuses new ones; transfers under way go on for a few seconds, tracked by
/// `tasks`. With a single port this returns only when they have ended.
///
/// `answer` decides what a client gets, or how it is denied. Of what is refused here it only hears.
///
/// # Errors
///
/// The socket cannot be registered with the runtime. Later failures are logged and survived.
pub async fn serve<F, Fut>(
    socket: UdpSocket,
    settings: Settings,
    answer: F,
    stop: CancellationToken,
    tasks: TaskTracker,
) -> io::Result<()>
where
    F: Fn(Wish, SocketAddr) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Offer, Denial>> + Send + 'static,
{
    socket.set_nonblocking(true)?;
    let local = socket.local_addr()?;
    let socket = Arc::new(Socket::register(socket)?);
    let live = Live::new(&settings);
    let listener = Listener { door: Door { socket, local, settings, stop }, answer, live, tasks };
    tokio::select! {
        () = listener.listen() => {}
        () = listener.stopped() => {}
    }
    Ok(())
}

struct Listener<F> {
    door: Door,
    answer: F,
    live: Live,
    tasks: TaskTracker,
}

/// What each transfer shares with the listener.
#[derive(Clone)]
struct Door {
    socket: Arc<Socket>,
    local: SocketAddr,
    settings: Settings,
    stop: CancellationToken,
}

impl<F, Fut> Listener<F>
where
    F: Fn(Wish, SocketAddr) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Offer, Denial>> + Send + 'static,
{
    async fn listen(&self) {
        let mut room = [0; ROOM];
        while let Ok(mut ready) = self.door.socket.readable().await {
            for _ in 0..TURN {
                match self.door.socket.udp().recv_from(&mut room) {
                    Ok((length, peer)) => self.take(&room[..length], peer),
                    Err(error) => {
                        ready.clear_ready();
                        if error.kind() != io::ErrorKind::WouldBlock {
                            tracing::warn!(%error, "the TFTP socket has failed, trying on");
                            tokio::time::sleep(PAUSE).await;
                        }
                        break;
                    }
                }
            }
        }
    }

    async fn stopped(&self) {
        self.door.stop.cancelled().await;
        while self.door.settings.single_port && !self.live.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes one datagram. Each gets at most one short answer, and an ERROR never gets any.
    fn take(&self, datagram: &[u8], peer: SocketAddr) {
        match Packet::parse(datagram) {
            Ok(Packet::Read(request)) => self.read(&request, datagram, peer),
            Ok(Packet::Write(request)) => {
                self.door.refuse(peer, ErrorCode::ACCESS, "this server takes no uploads");
                self.tell(&request, peer, "uploads are not taken over tftp");
            }
            Ok(packet) => {
                let delivered = Reply::of(&packet).is_some_and(|reply| self.live.deliver(peer, reply));
                if !delivered && !matches!(packet, Packet::Error { .. }) {
                    self.door.refuse(peer, ErrorCode::UNKNOWN_TRANSFER, "unknown transfer");
                }
            }
            Err(error) => {
                tracing::debug!(%peer, %error, "malformed packet");
                // An ERROR too short to be one has been answered enough.
                if !datagram.starts_with(&[0, 5]) {
                    self.door.refuse(peer, ErrorCode::ILLEGAL, "malformed packet");
                }
            }
        }
    }

    fn read(&self, request: &Request<'_>, datagram: &[u8], peer: SocketAddr) {
        let Some(mode) = Mode::named(request.mode) else {
            self.door.refuse(peer, ErrorCode::ILLEGAL, "mode must be octet or netascii");
            return self.tell(request, peer, "its mode is neither octet nor netascii");
        };
        if self.door.stop.is_cancelled() {
            self.door.refuse(peer, ErrorCode::UNDEFINED, "server stops, try again");
            return self.tell(request, peer, "the server stops: the client was told to try again");
        }
        match self.live.admit(peer, datagram) {
            Admission::Admit(place) => {
                let request =
                    ReadRequest { name: request.name.into(), mode, options: Requested::read(&request.options) };
                let (door, answer) = (self.door.clone(), self.answer.clone());
                self.tasks.spawn(door.transfer(request, answer, place));
            }
            Admission::Duplicate => tracing::debug!(%peer, "duplicate request"),
            Admission::Full => {
                self.door.refuse(peer, ErrorCode::UNDEFINED, "busy, try again");
                self.tell(
                    request,
                    peer,
                    "limits.transfers are under way, or limits.transfers_per_address of its own: the client was told to try again",
                );
            }
        }
    }

    /// Lets it be known that something was refused.
    fn tell(&self, request: &Request<'_>, peer: SocketAddr, reason: &'static str) {
        let told = (self.answer)(Wish::Refused { name: request.name.into(), reason }, peer);
        self.tasks.spawn(async { drop(told.await) });
    }
}

impl Door {
    /// One transfer, from the question to its ending.
    async fn transfer<F, Fut>(self, request: ReadRequest, answer: F, mut place: Place)
    where
        F: Fn(Wish, SocketAddr) -> Fut,
        Fut: Future<Output = Result<Offer, Denial>>,
    {
        let (mode, options, peer) = (request.mode, request.options, place.peer());
        let offer = match tokio::time::timeout(self.settings.time_limit, answer(Wish::Read(request), peer)).await {
            Ok(Ok(offer)) => offer,
            Ok(Err(Denial::Silence)) => return,
            Ok(Err(Denial::NotFound)) => return self.refuse(peer, ErrorCode::NOT_FOUND, "file not found"),
            Err(_) => return self.refuse(peer, ErrorCode::UNDEFINED, "busy, try again"),
        };
        let ending = match self.link(&mut place) {
            Ok(link) => {
                let limits = Limits { block_size: self.settings.max_block_size, window: self.settings.max_window };
                let accepted = options.accept(limits, transfer_size(&offer.body, mode));
                let blocks = Blocks::new(offer.body, mode, accepted.block_size());
                let timing = Pace::new(accepted.timeout(), &self.settings, self.stop);
                Transfer::new(link, blocks, &accepted, timing).run().await
            }
            Err(error) => {
                self.refuse(peer, ErrorCode::UNDEFINED, "busy, try again");
                Ending { bytes: 0, result: TransferResult::Broken(error.to_string()) }
            }
        };
        drop(place);
        (offer.finished)(ending);
    }

    fn link(&self, place: &mut Place) -> io::Result<Link> {
        match place.take_replies() {
            Some(replies) => Ok(Link::Shared { socket: Arc::clone(&self.socket), peer: place.peer(), replies }),
            None => Link::open(self.local, place.peer()),
        }
    }

    fn refuse(&self, peer: SocketAddr, code: ErrorCode, text: &str) {
        let packet = Packet::Error { code, text: text.as_bytes() }.to_bytes();
        if let Err(error) = self.socket.udp().send_to(&packet, peer) {
            tracing::debug!(%peer, %error, "refusal not sent");
        }
    }
}
