//! TFTP as libcurl does it, which phones have inside: options `tsize`, `blksize` 512 and `timeout` 6, one leading slash
//! dropped from the name (curl's tests 1093 and 1094). That phones have libcurl inside is known from their logs and release
//! notes; that they keep its options is inferred.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::fetch::Keep;
use super::http::Received;
use super::{Wire, broken, told};
use crate::phone::event::{Event, Events};
use crate::phone::failure::Failure;
use crate::phone::url::Url;
use crate::tftp::packet::{ErrorCode, Packet, Request};

/// The block size that is asked for, and the one without options.
const BLOCK: usize = 512;
/// The pause before a packet is sent again, and how often it is.
const PAUSE: Duration = Duration::from_secs(2);
const TRIES: u32 = 5;

/// One transfer: the server answers from a port of its own (RFC 1350 §4).
struct Exchange {
    socket: UdpSocket,
    server: SocketAddr,
    /// Whether `server` has the port that the transfer is on.
    settled: bool,
    deadline: Instant,
    patience: Duration,
    /// What was sent last, to be sent again.
    last: Vec<u8>,
    buffer: Vec<u8>,
}

/// Reads a file.
pub(super) async fn read(
    wire: &Wire,
    url: &Url,
    server: SocketAddr,
    keep: Keep,
    events: &mut dyn Events,
) -> Result<Received, Failure> {
    let limit = keep.limit();
    let name = name_of(url);
    let options: Vec<(&[u8], &[u8])> = vec![(b"tsize", b"0"), (b"blksize", b"512"), (b"timeout", b"6")];
    let request = Packet::Read(Request { name: &name, mode: b"octet", options }).to_bytes();
    let mut exchange = Exchange::begin(wire, server, request).await?;
    let (mut body, mut octets, mut expected, mut block_size) = (BytesMut::new(), 0_usize, 1_u16, BLOCK);
    loop {
        let length = exchange.receive().await?;
        let datagram = std::mem::take(&mut exchange.buffer);
        let packet = Packet::parse(&datagram[..length]).map_err(|error| broken("TFTP", &error))?;
        match packet {
            Packet::OptionAck(options) if expected == 1 && octets == 0 => {
                events.tell(Event::Negotiated(&printed(&options)));
                block_size = number(&options, b"blksize").unwrap_or(BLOCK);
                let size = number(&options, b"tsize");
                if size.is_some_and(|size| size > limit) || !(8..=BLOCK).contains(&block_size) {
                    exchange.stop(b"too large").await;
                    return Err(Failure::Large { what: "the file", limit });
                }
                exchange.send(Packet::Ack { block: 0 }.to_bytes()).await?;
            }
            Packet::Data { block, payload } if block == expected => {
                octets += payload.len();
                if octets > limit {
                    exchange.stop(b"too large").await;
                    return Err(Failure::Large { what: "the file", limit });
                }
                if matches!(keep, Keep::Whole(_)) {
                    body.extend_from_slice(payload);
                }
                exchange.send(Packet::Ack { block }.to_bytes()).await?;
                if payload.len() < block_size {
                    let octets = u64::try_from(octets).unwrap_or(u64::MAX);
                    return Ok(Received { body: body.freeze(), octets });
                }
                expected = expected.wrapping_add(1);
            }
            Packet::Error { code, text } => return Err(refusal(code, text)),
            // A block that came twice: its acknowledgement was lost.
            Packet::Data { .. } => exchange.send_again().await?,
            Packet::OptionAck(_) | Packet::Ack { .. } | Packet::Read(_) | Packet::Write(_) => {}
        }
        exchange.buffer = datagram;
    }
}

/// Writes a file, as SPA devices send their reports.
pub(super) async fn write(wire: &Wire, url: &Url, server: SocketAddr, body: &Bytes) -> Result<(), Failure> {
    let (name, size) = (name_of(url), body.len().to_string());
    let options: Vec<(&[u8], &[u8])> = vec![(b"tsize", size.as_bytes()), (b"blksize", b"512"), (b"timeout", b"6")];
    let request = Packet::Write(Request { name: &name, mode: b"octet", options }).to_bytes();
    let mut exchange = Exchange::begin(wire, server, request).await?;
    let blocks = body.len() / BLOCK + 1;
    let mut sent = 0_usize;
    while sent <= blocks {
        let length = exchange.receive().await?;
        let packet = Packet::parse(&exchange.buffer[..length]).map_err(|error| broken("TFTP", &error))?;
        let current = u16::try_from(sent % 65536).unwrap_or_default();
        match packet {
            Packet::Ack { block } if block == current => {}
            Packet::OptionAck(_) if sent == 0 => {}
            Packet::Error { code, text } => return Err(refusal(code, text)),
            _ => continue,
        }
        if sent == blocks {
            break;
        }
        let payload = &body[sent * BLOCK..body.len().min((sent + 1) * BLOCK)];
        sent += 1;
        let block = u16::try_from(sent % 65536).unwrap_or_default();
        exchange.send(Packet::Data { block, payload }.to_bytes()).await?;
    }
    Ok(())
}

impl Exchange {
    async fn begin(wire: &Wire, server: SocketAddr, request: Vec<u8>) -> Result<Self, Failure> {
        let any: IpAddr = if server.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
        let failed = |error: std::io::Error| Failure::Connect { address: server, cause: told(&error) };
        let socket = UdpSocket::bind(SocketAddr::new(wire.from.unwrap_or(any), 0)).await.map_err(failed)?;
        let (patience, buffer) = (wire.limits.answer, vec![0; 1500]);
        let deadline = Instant::now() + patience;
        let mut exchange = Self { socket, server, settled: false, deadline, patience, last: Vec::new(), buffer };
        exchange.send(request).await?;
        Ok(exchange)
    }

    async fn send(&mut self, datagram: Vec<u8>) -> Result<(), Failure> {
        self.last = datagram;
        self.send_again().await
    }

    async fn send_again(&self) -> Result<(), Failure> {
        let sent = self.socket.send_to(&self.last, self.server).await;
        sent.map(drop).map_err(|error| Failure::Connect { address: self.server, cause: told(&error) })
    }

    /// The length of the next packet of this transfer, in the buffer.
    async fn receive(&mut self) -> Result<usize, Failure> {
        let mut silent = 0;
        self.buffer.resize(1500, 0);
        loop {
            if Instant::now() >= self.deadline {
                self.stop(b"over time").await;
                return Err(Failure::Slow { seconds: self.patience.as_secs(), stage: "to send the file" });
            }
            let until = self.deadline.min(Instant::now() + PAUSE);
            match tokio::time::timeout_at(until, self.socket.recv_from(&mut self.buffer)).await {
                Ok(Ok((length, from))) if self.is_servers(from) => return Ok(length),
                Ok(Ok((_, stranger))) => {
                    let text = Packet::Error { code: ErrorCode::UNKNOWN_TRANSFER, text: b"unknown transfer" };
                    let _ = self.socket.send_to(&text.to_bytes(), stranger).await;
                }
                Ok(Err(error)) => return Err(Failure::Connect { address: self.server, cause: told(&error) }),
                Err(_) if silent == TRIES => {
                    let cause = format!("no answer to {} packets", TRIES + 1);
                    return Err(Failure::Connect { address: self.server, cause });
                }
                Err(_) => {
                    silent += 1;
                    self.send_again().await?;
                }
            }
        }
    }

    /// Whether a packet is the server's; the first settles the port.
    fn is_servers(&mut self, from: SocketAddr) -> bool {
        if !self.settled && from.ip() == self.server.ip() {
            self.server = from;
            self.settled = true;
        }
        from == self.server
    }

    async fn stop(&self, text: &[u8]) {
        let _ = self.socket.send_to(&Packet::Error { code: ErrorCode::UNDEFINED, text }.to_bytes(), self.server).await;
    }
}

fn name_of(url: &Url) -> Vec<u8> {
    let path = url.path.strip_prefix('/').unwrap_or(&url.path);
    percent_encoding::percent_decode_str(path).filter(|octet| *octet != 0).collect()
}

fn refusal(code: ErrorCode, text: &[u8]) -> Failure {
    if code == ErrorCode::NOT_FOUND {
        return Failure::NotFound;
    }
    let text: String = String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(120).collect();
    Failure::Tftp { code: code.0, text }
}

fn number(options: &[(&[u8], &[u8])], wanted: &[u8]) -> Option<usize> {
    let (_, value) = options.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn printed(options: &[(&[u8], &[u8])]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(40).collect();
    let pairs: Vec<String> = options
        .iter()
        .map(|(name, value)| {
            let (name, value): (String, String) = (text(name), text(value));
            format!("{name}={value}")
        })
        .collect();
    pairs.join(" ")
}
