//! The messages that a phone sends about its resyncs: UDP, port 514, the texts of its log parameters.
//!
//! `Syslog_Identifier` stands after the time stamp (seed 002, table of syslog parameters). Priority, form of the time
//! stamp and tag are not documented: BSD syslog (RFC 3164) with local0 and severity notice is inferred from the debug
//! level's default.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use tokio::net::UdpSocket;

use super::unit::Unit;

/// local0.notice.
const PRIORITY: u8 = 16 * 8 + 5;

/// The longest message that goes out: RFC 3164 §4.1.
const LONGEST: usize = 1024;

/// The datagram for a text.
#[must_use]
pub fn datagram(identifier: &str, unit: &Unit, now: Timestamp, text: &str) -> Vec<u8> {
    let stamp = now.strftime("%b %e %H:%M:%S");
    let identifier = match identifier.trim() {
        "$MA" => unit.mac.ma(),
        "$MAU" => unit.mac.mau(),
        "$MAC" => unit.mac.mac(),
        "$SN" => unit.serial.to_string(),
        _ => String::new(),
    };
    let space = if identifier.is_empty() { "" } else { " " };
    let mut line = format!("<{PRIORITY}>{stamp} {identifier}{space}{text}").into_bytes();
    line.truncate(LONGEST);
    line
}

/// Where `Syslog_Server` says: an address with or without a port. `None` is off.
#[must_use]
pub fn server(parameter: &str) -> Option<(String, u16)> {
    let text = parameter.trim();
    if text.is_empty() {
        return None;
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some((address.ip().to_string(), address.port()));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address.to_string(), 514));
    }
    match text.split_once(':') {
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None => Some((text.to_owned(), 514)),
    }
}

/// Sends a datagram; nobody answers.
///
/// # Errors
/// No socket, or no way there.
pub async fn send(to: SocketAddr, datagram: &[u8]) -> std::io::Result<()> {
    let any: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.send_to(datagram, to).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(identifier: &str) -> String {
        let unit =
            Unit::new("CP-8851-3PCC".parse().expect("a product name"), "14a2a0e0837a".parse().expect("an address"));
        let now = "2026-11-02T03:04:05Z".parse().expect("a time");
        String::from_utf8(datagram(identifier, &unit, now, "CP-8851-3PCC -- x")).expect("text")
    }

    #[test]
    fn the_identifier_stands_after_the_time() {
        assert_eq!(line("None"), "<133>Nov  2 03:04:05 CP-8851-3PCC -- x");
        assert_eq!(line("$MAC"), "<133>Nov  2 03:04:05 14:a2:a0:e0:83:7a CP-8851-3PCC -- x");
        assert_eq!(line("$MAU"), "<133>Nov  2 03:04:05 14A2A0E0837A CP-8851-3PCC -- x");
    }

    #[test]
    fn a_server_may_have_a_port() {
        assert_eq!(server("10.74.30.84"), Some(("10.74.30.84".to_owned(), 514)));
        assert_eq!(server("log.example.com:5140"), Some(("log.example.com".to_owned(), 5140)));
        assert_eq!(server("::1"), Some(("::1".to_owned(), 514)));
        assert_eq!(server("[::1]:5140"), Some(("::1".to_owned(), 5140)));
        assert_eq!(server(" "), None);
        assert_eq!(server("h:x"), None);
    }
}
