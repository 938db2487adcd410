//! Ports for data: of a range, on the address that the client came to, and for that client alone.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

/// How long a client has to come.
const COMES: Duration = Duration::from_secs(30);

/// Ports that are tried before there is none.
const TRIES: u64 = 64;

/// A port that waits for one client.
pub(super) struct Passive {
    listener: TcpListener,
    client: IpAddr,
}

impl Passive {
    /// Takes a port of the range that nobody has. Which one, nobody can know before.
    ///
    /// # Errors
    /// None was found that is free.
    pub(super) async fn open(ports: &RangeInclusive<u16>, local: IpAddr, client: IpAddr) -> io::Result<Self> {
        let count = u64::from(ports.end().saturating_sub(*ports.start())) + 1;
        let chance = RandomState::new();
        let mut result = Err(io::ErrorKind::AddrInUse.into());
        for attempt in 0..TRIES.min(count.saturating_mul(4)) {
            let offset = u16::try_from(chance.hash_one(attempt) % count).unwrap_or_default();
            let address = SocketAddr::new(local, ports.start().saturating_add(offset));
            result = TcpListener::bind(address).await;
            if result.is_ok() {
                break;
            }
        }
        Ok(Self { listener: result?, client: client.to_canonical() })
    }

    /// The port.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub(super) fn port(&self) -> io::Result<u16> {
        self.listener.local_addr().map(|address| address.port())
    }

    /// The client's connection. Others are closed on: a port that can be guessed lets nobody put a file into another's
    /// case.
    ///
    /// # Errors
    /// The client does not come.
    pub(super) async fn accept(self) -> io::Result<TcpStream> {
        let accepting = async {
            loop {
                let (stream, peer) = self.listener.accept().await?;
                if peer.ip().to_canonical() == self.client {
                    return Ok(stream);
                }
                tracing::warn!(target: "phoneprov::intake", peer = %peer, client = %self.client, "a stranger came to a port for data");
            }
        };
        tokio::time::timeout(COMES, accepting).await?
    }
}

/// The reply to `PASV` (RFC 959 §4.1.2).
pub(super) fn entering(address: Ipv4Addr, port: u16) -> String {
    let [a, b, c, d] = address.octets();
    let [high, low] = port.to_be_bytes();
    format!("Entering passive mode ({a},{b},{c},{d},{high},{low})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_told_as_clients_read_it() {
        let told = entering(Ipv4Addr::new(192, 0, 2, 1), 30_000);
        assert_eq!(told, "Entering passive mode (192,0,2,1,117,48)");
    }

    #[tokio::test]
    async fn only_the_client_itself_gets_in() {
        let local = IpAddr::from(Ipv4Addr::LOCALHOST);
        let passive =
            Passive::open(&(40_001..=48_000), local, Ipv4Addr::new(127, 0, 0, 2).into()).await.expect("a port");
        let port = passive.port().expect("a port");
        assert!((40_001..=48_000).contains(&port));
        let accepted = tokio::spawn(passive.accept());
        let _stranger = TcpStream::connect((local, port)).await.expect("it listens");
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.2:0".parse().expect("an address")).expect("an address of this host");
        let _client = socket.connect(SocketAddr::new(local, port)).await.expect("it listens");
        let stream = accepted.await.expect("a task").expect("the client");
        assert_eq!(stream.peer_addr().expect("an address").ip(), Ipv4Addr::new(127, 0, 0, 2));
    }
}
