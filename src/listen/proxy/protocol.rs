//! The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): a header before TLS or HTTP that says whose
//! connection it is. Only what belongs to it is taken from the stream.

use std::io;
use std::net::SocketAddr;

use ppp::{v1, v2};
use tokio::net::TcpStream;

/// The longest header of version 1, in bytes, with its end of line.
const LINE: usize = 107;

/// The longest header of version 2 that we read: addresses take 232 bytes, the rest says what we do not ask.
const LONGEST: usize = 4096;

/// The fixed part of version 2.
const FIXED: usize = 16;

/// Whose connection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// This client's.
    Client(SocketAddr),
    /// The proxy's own, or that of somebody without an address (`LOCAL`, `UNKNOWN`, a Unix socket).
    Nobody,
}

/// A trusted proxy's connection begins with something else.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// It ended before the header did.
    #[error("the connection ended after {0} bytes of the PROXY header")]
    Cut(usize),
    /// Neither of the two versions.
    #[error("the connection does not begin with a PROXY header, as proxy_protocol = true says")]
    Missing,
    /// More than any proxy has to say.
    #[error("the PROXY header is longer than {0} bytes")]
    TooLong(usize),
    /// A header, but not one that can be read.
    #[error("the PROXY header is not understood: {0}")]
    Syntax(String),
    /// It did not come.
    #[error("no PROXY header within limits.header")]
    Late,
    /// The network.
    #[error(transparent)]
    Network(#[from] io::Error),
}

/// In one line: the reader's own text has line ends in it.
fn misunderstood(error: &impl std::fmt::Display) -> ProtocolError {
    ProtocolError::Syntax(error.to_string().escape_debug().to_string())
}

/// Takes the header from a stream, and not a byte more.
pub(super) async fn read(stream: &TcpStream) -> Result<Announced, ProtocolError> {
    let (mut header, mut ahead) = (Vec::new(), [0; 256]);
    loop {
        let seen = stream.peek(&mut ahead).await?;
        if seen == 0 {
            return Err(ProtocolError::Cut(header.len()));
        }
        let taken = header.len();
        header.extend_from_slice(&ahead[..seen]);
        let whole = length(&header)?.filter(|length| *length <= header.len());
        // Until the end is in sight, all of it is the header's.
        let ours = whole.map_or(seen, |length| length - taken);
        let read = match stream.try_read(&mut ahead[..ours]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            read => read?,
        };
        header.truncate(taken + read);
        if whole.is_some_and(|length| length == header.len()) {
            return parse(&header);
        }
    }
}

/// How many bytes the header has that begins here; `None`: not in sight yet.
///
/// # Errors
/// No header begins like this, or none this long is read.
pub fn length(head: &[u8]) -> Result<Option<usize>, ProtocolError> {
    let begins_with = |prefix: &[u8]| head.iter().zip(prefix).all(|(byte, expected)| byte == expected);
    if begins_with(v2::PROTOCOL_PREFIX) {
        let [high, low] = match head.get(FIXED - 2..FIXED) {
            Some(length) => [length[0], length[1]],
            None => return Ok(None),
        };
        let length = FIXED + usize::from(u16::from_be_bytes([high, low]));
        return if length > LONGEST { Err(ProtocolError::TooLong(LONGEST)) } else { Ok(Some(length)) };
    }
    if !begins_with(b"PROXY ") {
        return Err(ProtocolError::Missing);
    }
    match head.iter().take(LINE).position(|byte| *byte == b'\n') {
        Some(end) => Ok(Some(end + 1)),
        None if head.len() >= LINE => Err(ProtocolError::TooLong(LINE)),
        None => Ok(None),
    }
}

/// Reads a whole header.
///
/// # Errors
/// It is not written as the protocol says.
pub fn parse(header: &[u8]) -> Result<Announced, ProtocolError> {
    let announced = if header.starts_with(v2::PROTOCOL_PREFIX) {
        let header = v2::Header::try_from(header).map_err(|error| misunderstood(&error))?;
        match (header.command, header.protocol, header.addresses) {
            (v2::Command::Proxy, v2::Protocol::Stream, v2::Addresses::IPv4(ip)) => {
                Some((ip.source_address.into(), ip.source_port))
            }
            (v2::Command::Proxy, v2::Protocol::Stream, v2::Addresses::IPv6(ip)) => {
                Some((ip.source_address.to_canonical(), ip.source_port))
            }
            _ => None,
        }
    } else {
        let header = v1::Header::try_from(header).map_err(|error| misunderstood(&error))?;
        match header.addresses {
            v1::Addresses::Tcp4(ip) => Some((ip.source_address.into(), ip.source_port)),
            v1::Addresses::Tcp6(ip) => Some((ip.source_address.to_canonical(), ip.source_port)),
            v1::Addresses::Unknown => None,
        }
    };
    Ok(announced.map_or(Announced::Nobody, |(address, port)| Announced::Client(SocketAddr::new(address, port))))
}
