//! TFTP as libcurl does it, which phones have inside: options `tsize`, `blksize` 512 and `timeout` 6, one leading slash
//! dropped from the name (curl's tests 1093 and 1094). That phones have libcurl inside is known from their logs and release
//! notes; that they keep its options is inferred.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::fetch::Keep;
use super::{Wire, broken, told};
use crate::phone::event::{Event, Events};
use crate::phone::failure::Failure;
use crate::phone::url::Url;
use crate::tftp::packet::{ErrorCode, Packet, Request};

/// The time-out that is asked for (seconds).
const TIMEOUT: u64 = 6;
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

/// Reads a file, and counts: what came of one that is cut off is told too.
pub(super) async fn read(
    wire: &Wire,
    (url, server): (&Url, SocketAddr),
    keep: Keep,
    octets: &mut usize,
    events: &mut dyn Events,
) -> Result<Bytes, Failure> {
    let limit = keep.limit();
    let name = name_of(url);
    let options: Vec<(&[u8], &[u8])> = vec![(b"tsize", b"0"), (b"blksize", b"512"), (b"timeout", b"6")];
    let request = Packet::Read(Request { name: &name, mode: b"octet", options }).to_bytes();
    let mut exchange = Exchange::begin(wire, server, request).await?;
    let (mut body, mut expected, mut block_size) = (BytesMut::new(), 1_u16, BLOCK);
    loop {
        let length = exchange.receive().await?;
        let datagram = std::mem::take(&mut exchange.buffer);
        let packet = Packet::parse(&datagram[..length]).map_err(|error| broken("TFTP", &error))?;
        match packet {
            Packet::OptionAck(options) if expected == 1 && *octets == 0 => {
                events.tell(Event::Negotiated(&printed(&options)));
                let agreed = match Agreed::of(&options) {
                    Ok(agreed) => agreed,
                    Err(cause) => {
                        exchange.end(ErrorCode::OPTION, b"option refused").await;
                        return Err(Failure::Protocol { protocol: "TFTP", cause, alert: None });
                    }
                };
                block_size = agreed.block_size;
                if agreed.size.is_some_and(|size| usize::try_from(size).map_or(true, |size| size > limit)) {
                    exchange.stop(b"too large").await;
                    return Err(Failure::Large { what: "the file", limit });
                }
                exchange.send(Packet::Ack { block: 0 }.to_bytes()).await?;
            }
            Packet::Data { block, payload } if block == expected => {
                *octets += payload.len();
                if *octets > limit {
                    exchange.stop(b"too large").await;
                    return Err(Failure::Large { what: "the file", limit });
                }
                if matches!(keep, Keep::Whole(_)) {
                    body.extend_from_slice(payload);
                }
                exchange.send(Packet::Ack { block }.to_bytes()).await?;
                if payload.len() < block_size {
                    return Ok(body.freeze());
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
    let (mut sent, mut block_size) = (0_usize, BLOCK);
    loop {
        let length = exchange.receive().await?;
        let packet = Packet::parse(&exchange.buffer[..length]).map_err(|error| broken("TFTP", &error))?;
        let current = u16::try_from(sent % 65536).unwrap_or_default();
        match packet {
            Packet::Ack { block } if block == current => {}
            Packet::OptionAck(options) if sent == 0 => match Agreed::of(&options) {
                Ok(agreed) => block_size = agreed.block_size,
                Err(cause) => {
                    exchange.end(ErrorCode::OPTION, b"option refused").await;
                    return Err(Failure::Protocol { protocol: "TFTP", cause, alert: None });
                }
            },
            Packet::Error { code, text } => return Err(refusal(code, text)),
            _ => continue,
        }
        if sent == body.len() / block_size + 1 {
            return Ok(());
        }
        let payload = &body[sent * block_size..body.len().min((sent + 1) * block_size)];
        sent += 1;
        let block = u16::try_from(sent % 65536).unwrap_or_default();
        exchange.send(Packet::Data { block, payload }.to_bytes()).await?;
    }
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
        self.end(ErrorCode::UNDEFINED, text).await;
    }

    async fn end(&self, code: ErrorCode, text: &[u8]) {
        let _ = self.socket.send_to(&Packet::Error { code, text }.to_bytes(), self.server).await;
    }
}

/// What the server's answer to the options comes to.
#[derive(Debug, PartialEq, Eq)]
struct Agreed {
    block_size: usize,
    /// The file's size, where the server tells it.
    size: Option<u64>,
}

impl Agreed {
    /// Holds an OACK against what was asked for: a server may lower the block size, has to give the time-out back as it is,
    /// and may add nothing (RFC 2347; RFC 2348; RFC 2349).
    fn of(options: &[(&[u8], &[u8])]) -> Result<Self, String> {
        let mut agreed = Self { block_size: BLOCK, size: None };
        for (name, value) in options {
            let shown = printed(&[(name, value)]);
            let number: Option<u64> = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            let number = number.ok_or_else(|| format!("it agreed to `{shown}`, which is no number"))?;
            if name.eq_ignore_ascii_case(b"tsize") {
                agreed.size = Some(number);
            } else if name.eq_ignore_ascii_case(b"blksize") {
                let block = usize::try_from(number).ok().filter(|block| (8..=BLOCK).contains(block));
                let expected =
                    format!("it agreed to `{shown}`: blocks of {BLOCK} octets were asked for, and 8 are the least");
                agreed.block_size = block.ok_or(expected)?;
            } else if name.eq_ignore_ascii_case(b"timeout") {
                if number != TIMEOUT {
                    return Err(format!("it agreed to `{shown}`: {TIMEOUT} seconds were asked for"));
                }
            } else {
                return Err(format!("it agreed to `{shown}`, which was not asked for"));
            }
        }
        Ok(agreed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_the_options_is_held_against_what_was_asked() {
        let of = |name: &str, value: &str| Agreed::of(&[(name.as_bytes(), value.as_bytes())]);
        assert_eq!(of("BLKSIZE", "8"), Ok(Agreed { block_size: 8, size: None }));
        assert_eq!(of("tsize", "5000000000"), Ok(Agreed { block_size: BLOCK, size: Some(5_000_000_000) }));
        assert_eq!(of("timeout", "6"), Ok(Agreed { block_size: BLOCK, size: None }));
        for (name, value, why) in [
            (
                "blksize",
                "1024",
                "it agreed to `blksize=1024`: blocks of 512 octets were asked for, and 8 are the least",
            ),
            ("blksize", "7", "it agreed to `blksize=7`: blocks of 512 octets were asked for, and 8 are the least"),
            ("tsize", "many", "it agreed to `tsize=many`, which is no number"),
            ("timeout", "7", "it agreed to `timeout=7`: 6 seconds were asked for"),
            ("windowsize", "4", "it agreed to `windowsize=4`, which was not asked for"),
        ] {
            assert_eq!(of(name, value), Err(why.to_owned()));
        }
    }
}
