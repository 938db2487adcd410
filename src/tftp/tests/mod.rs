//! The server against a scripted client on the loopback.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::packet::{ErrorCode, Packet, RawOption, Request};
use super::{Denial, Ending, Offer, Settings, Wish, serve};
use crate::provision::Body;

mod bad_network;
mod refusals;
mod transfers;

/// A server on the loopback that offers what the tests need, and the endings of its transfers.
pub(super) struct Server {
    pub address: SocketAddr,
    pub endings: mpsc::UnboundedReceiver<Ending>,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

impl Server {
    /// How the next transfer to end has ended.
    pub(super) async fn ending(&mut self) -> Ending {
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, self.endings.recv()).await.expect("an ending in time").expect("a server")
    }
}

/// Settings under which nothing is sent twice, however slow the machine.
pub(super) fn calm() -> Settings {
    Settings { timeout: Duration::from_secs(30), ..Settings::default() }
}

/// Settings that make a test of retransmission quick.
pub(super) fn quick() -> Settings {
    Settings { timeout: Duration::from_millis(100), retries: 2, ..Settings::default() }
}

/// Content whose every block differs from its neighbours.
pub(super) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at / 8 + at / 2048) % 251).expect("below 251")).collect()
}

/// Starts a server that knows the names `bytes/N` and `file/N`, with N bytes of [`content`], and `text`.
pub(super) fn start(settings: Settings) -> Server {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    start_on(socket, settings)
}

/// Starts the server of [`start`] on this socket.
pub(super) fn start_on(socket: UdpSocket, settings: Settings) -> Server {
    let address = socket.local_addr().expect("bound");
    let (sender, endings) = mpsc::unbounded_channel();
    let answer = move |wish: Wish, _peer| {
        let sender = sender.clone();
        async move {
            let finished = Box::new(move |ending| drop(sender.send(ending)));
            let Wish::Read(request) = wish else { return Err(Denial::NotFound) };
            body(&request.name).map(|body| Offer { body, finished }).ok_or(Denial::NotFound)
        }
    };
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    tasks.spawn(serve(socket, settings, answer, stop.clone(), tasks.clone()));
    Server { address, endings, stop, tasks }
}

fn body(name: &[u8]) -> Option<Body> {
    let name = std::str::from_utf8(name).ok()?;
    if name == "text" {
        return Some(Body::Bytes("one\ntwo\rthree\r\n".into()));
    }
    let (kind, length) = name.split_once('/')?;
    let content = content(length.parse().ok()?);
    if kind == "bytes" {
        return Some(Body::Bytes(content.into()));
    }
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(&content).expect("written");
    Some(Body::File { file, start: 0, length: content.len() as u64 })
}

/// A client that does what the test tells it.
pub(super) struct Client {
    socket: UdpSocket,
    server: SocketAddr,
    /// Where the last packet came from.
    pub from: SocketAddr,
}

impl Client {
    /// A client on a port of its own, at the server's address family.
    pub(super) fn new(server: &Server) -> Self {
        let mut own = server.address;
        own.set_port(0);
        let socket = UdpSocket::bind(own).expect("a free port");
        socket.set_nonblocking(true).expect("non-blocking");
        Self { socket, server: server.address, from: server.address }
    }

    /// Sends bytes to the listening port.
    pub(super) fn knock(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.server).expect("sent");
    }

    /// Sends a read request in mode octet.
    pub(super) fn request(&self, name: &str, options: &[(&str, &str)]) {
        self.knock(&read_request(name, "octet", options));
    }

    /// Sends a packet to where the last one came from.
    pub(super) fn send(&self, packet: &Packet<'_>) {
        self.socket.send_to(&packet.to_bytes(), self.from).expect("sent");
    }

    /// Acknowledges a block.
    pub(super) fn ack(&self, block: u16) {
        self.send(&Packet::Ack { block });
    }

    /// The next packet, within two seconds.
    pub(super) async fn next(&mut self) -> Vec<u8> {
        self.within(Duration::from_secs(2)).await.expect("a packet in time")
    }

    /// Asserts that nothing comes for a while; under [`calm`] settings only.
    pub(super) async fn nothing(&mut self) {
        assert_eq!(self.within(Duration::from_millis(25)).await, None);
    }

    /// The number and payload of the next packet, which must be DATA.
    pub(super) async fn data(&mut self) -> (u16, Vec<u8>) {
        let packet = self.next().await;
        match Packet::parse(&packet) {
            Ok(Packet::Data { block, payload }) => (block, payload.to_vec()),
            other => panic!("not data: {other:?}"),
        }
    }

    /// The numbers of the next `count` DATA packets.
    pub(super) async fn blocks(&mut self, count: usize) -> Vec<u16> {
        let mut blocks = Vec::new();
        for _ in 0..count {
            blocks.push(self.data().await.0);
        }
        blocks
    }

    /// The code and text of the next packet, which must be ERROR.
    pub(super) async fn error(&mut self) -> (u16, String) {
        let packet = self.next().await;
        match Packet::parse(&packet) {
            Ok(Packet::Error { code: ErrorCode(code), text }) => (code, String::from_utf8_lossy(text).into()),
            other => panic!("not an error: {other:?}"),
        }
    }

    /// Takes the rest of a file in blocks of `size` and windows of `window`, from block `next` on.
    pub(super) async fn rest(&mut self, next: u16, size: usize, window: u16) -> Vec<u8> {
        let (mut expected, mut since, mut all) = (next, 0, Vec::new());
        loop {
            let (block, payload) = self.data().await;
            assert_eq!(block, expected);
            all.extend_from_slice(&payload);
            since += 1;
            let last = payload.len() < size;
            if last || since == window {
                self.ack(block);
                since = 0;
            }
            if last {
                return all;
            }
            expected = expected.wrapping_add(1);
        }
    }

    async fn within(&mut self, limit: Duration) -> Option<Vec<u8>> {
        let mut room = vec![0; 70_000];
        let end = std::time::Instant::now() + limit;
        loop {
            if let Ok((length, from)) = self.socket.recv_from(&mut room) {
                self.from = from;
                room.truncate(length);
                return Some(room);
            }
            if std::time::Instant::now() > end {
                return None;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The bytes of a read request.
pub(super) fn read_request(name: &str, mode: &str, options: &[(&str, &str)]) -> Vec<u8> {
    let options: Vec<RawOption> = options.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    Packet::Read(Request { name: name.as_bytes(), mode: mode.as_bytes(), options }).to_bytes()
}

/// The octets that a netascii text stands for.
pub(super) fn decode_netascii(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        octets.push(match (byte, byte == &b'\r') {
            (byte, false) => *byte,
            (_, true) => match rest.next() {
                Some(b'\n') => b'\n',
                Some(0) => b'\r',
                other => panic!("carriage return before {other:?}"),
            },
        });
    }
    octets
}
