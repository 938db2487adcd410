//! SRV records, which `--srv` in a rule asks for (RFC 2782): `_ciscoprov-https._tls.DOMAIN` and
//! `_ciscoprov-http._tcp.DOMAIN` (Cisco "Provisioning").

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};

use super::dns::{Answer, Place, parse, question};
use crate::phone::failure::Failure;
use crate::phone::schedule::Chance;
use crate::phone::url::Scheme;

/// How long one answer may take, and how often is asked.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: u32 = 2;

/// The name that a domain's provisioning service has; TFTP has none.
pub(super) fn name(scheme: Scheme, domain: &str) -> Option<String> {
    match scheme {
        Scheme::Tftp => None,
        Scheme::Http => Some(format!("_ciscoprov-http._tcp.{domain}")),
        Scheme::Https => Some(format!("_ciscoprov-https._tls.{domain}")),
    }
}

/// Asks a name server, and puts the places in the order in which to try them.
pub(super) async fn places(server: SocketAddr, name: &str, chance: Chance) -> Result<Vec<Place>, Failure> {
    let unknown = |cause: &str| Failure::Name { host: name.to_owned(), cause: cause.to_owned() };
    let id = u16::try_from(chance.up_to(65535)).unwrap_or(0);
    let question = question(id, name).ok_or_else(|| unknown("it is no domain name"))?;
    let mut answer = by_datagram(server, &question, id).await;
    if let Ok(Some(Answer::Truncated)) = answer {
        let asked = tokio::time::timeout(PATIENCE, by_stream(server, &question, id)).await;
        answer = asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    }
    match answer {
        Ok(Some(Answer::Places(found))) if found.is_empty() => Err(unknown("it has no SRV record")),
        Ok(Some(Answer::Places(found))) => Ok(ordered(found, chance)),
        Ok(Some(Answer::Truncated) | None) => Err(unknown("the answer is no whole DNS message")),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(unknown("the name server does not answer")),
        Err(error) => Err(unknown(&error.to_string())),
    }
}

async fn by_datagram(server: SocketAddr, question: &[u8], id: u16) -> io::Result<Option<Answer>> {
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let mut answer = vec![0; 4096];
    for _ in 0..TRIES {
        socket.send(question).await?;
        if let Ok(length) = tokio::time::timeout(PATIENCE, socket.recv(&mut answer)).await {
            return Ok(parse(&answer[..length?], id));
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The same by TCP, where each message has its length before it (RFC 1035, section 4.2.2).
async fn by_stream(server: SocketAddr, question: &[u8], id: u16) -> io::Result<Option<Answer>> {
    let stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.writable().await?;
    let message = [&length.to_be_bytes(), question].concat();
    // A fresh connection has room for so little.
    if stream.try_write(&message)? < message.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    let mut length = [0; 2];
    fill(&stream, &mut length).await?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    fill(&stream, &mut answer).await?;
    Ok(parse(&answer, id))
}

async fn fill(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        stream.readable().await?;
        match stream.try_read(&mut buffer[filled..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The first name server of the system.
pub(super) fn system() -> Option<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
    let address = text.lines().find_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok())?;
    Some(SocketAddr::new(address, 53))
}

/// Lower priority first; of one priority by weight and chance (RFC 2782, "The format of the SRV RR").
fn ordered(mut places: Vec<Place>, chance: Chance) -> Vec<Place> {
    places.sort_by_key(|place| (place.priority, place.weight));
    let mut order = Vec::with_capacity(places.len());
    while let Some(first) = places.first() {
        let priority = first.priority;
        let same = places.iter().take_while(|place| place.priority == priority);
        let total: u64 = same.clone().map(|place| u64::from(place.weight)).sum();
        let (mut sum, mark) = (0, chance.up_to(total));
        let chosen = same.enumerate().find(|(_, place)| {
            sum += u64::from(place.weight);
            sum >= mark
        });
        let at = chosen.map_or(0, |(at, _)| at);
        order.push(places.remove(at));
    }
    order
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::super::dns::tests::answer;
    use super::*;

    #[test]
    fn places_come_in_the_order_of_their_priority_and_weight() {
        let message = answer(&[(20, 0, 80, "last"), (10, 0, 81, "none"), (10, 100, 82, "most")]);
        let Some(Answer::Places(found)) = parse(&message, 7) else { panic!("an answer") };
        assert_eq!(found.len(), 3);
        let hosts = |chance| {
            let places = ordered(found.clone(), Chance(chance));
            places.iter().map(|place| format!("{}:{}", place.host, place.port)).collect::<Vec<_>>()
        };
        assert_eq!(hosts(50), ["most.example.com:82", "none.example.com:81", "last.example.com:80"]);
        assert_eq!(hosts(0), ["none.example.com:81", "most.example.com:82", "last.example.com:80"]);
    }

    #[test]
    fn a_name_is_made_of_scheme_and_domain() {
        assert_eq!(name(Scheme::Tftp, "example.com"), None);
        assert_eq!(name(Scheme::Https, "example.com").as_deref(), Some("_ciscoprov-https._tls.example.com"));
    }

    /// A name server that answers a question by datagram with what is too long, and by TCP with `answer`.
    fn truncating(answer: Option<Vec<u8>>) -> SocketAddr {
        let stream = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = stream.local_addr().expect("an address");
        let datagram = std::net::UdpSocket::bind(address).expect("the same port");
        std::thread::spawn(move || {
            let mut question = [0; 512];
            let (length, from) = datagram.recv_from(&mut question).expect("a question");
            question[2] |= 0x82;
            datagram.send_to(&question[..length], from).expect("a listener");
            let (mut stream, _) = stream.accept().expect("a phone");
            let mut again = vec![0; length + 2];
            stream.read_exact(&mut again).expect("a question");
            if let Some(mut answer) = answer {
                answer[..2].copy_from_slice(&again[2..4]);
                let length = u16::try_from(answer.len()).expect("short").to_be_bytes();
                stream.write_all(&[&length[..], &answer].concat()).expect("a reader");
            }
        });
        address
    }

    #[tokio::test]
    async fn what_a_datagram_does_not_hold_is_asked_for_by_tcp() {
        let server = truncating(Some(answer(&[(1, 0, 80, "a")])));
        let found = places(server, "_ciscoprov-http._tcp.example.com", Chance(7)).await.expect("a place");
        assert_eq!(found[0].host, "a.example.com");
    }

    #[tokio::test]
    async fn a_name_server_that_hangs_up_is_told() {
        let failure = places(truncating(None), "x.example.com", Chance(7)).await.expect_err("no answer");
        assert!(failure.to_string().starts_with("cannot find the address of x.example.com: "), "{failure}");
    }
}
