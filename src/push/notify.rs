//! SIP NOTIFY to a phone's own address, by UDP or TCP; a challenge is answered once.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::sip::{Answer, LONGEST, Notify, head};
use super::{Carrier, PushError, Target, Wish, token};
use crate::phone::credentials::{Challenge, Covered};

/// Until a datagram is sent again; each time twice as long, up to the second (RFC 3261 §17.1.2.2).
const AGAIN: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(4)];

/// The way to a phone. A socket that is connected hears of no other address.
enum Way {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// Tells a phone; returns when it has said yes.
///
/// # Errors
/// It is not reached, does not answer in time, wants a password that is not known, or says no.
pub async fn notify(target: &Target, wish: &Wish, carrier: Carrier) -> Result<(), PushError> {
    let event = wish.event().ok_or(PushError::Unsuitable(
        "a rule with options or spaces does not fit a SIP header: give a URL alone, or --method xml",
    ))?;
    let until = Instant::now() + target.patience;
    let lost = |error| PushError::Network { address: target.address, error };
    let opened = timeout_at(until, Way::open(target, carrier)).await.map_err(|_| PushError::Silent(target.address))?;
    let mut way = opened.map_err(lost)?;
    let (call, local) = (token()?, way.local().map_err(lost)?);
    let mut authorization: Option<(&'static str, String)> = None;
    // The request, its answer to a challenge, and once more where only the nonce was too old.
    for count in 1..=3 {
        let (branch, carrier) = (token()?, way.name());
        let answered = authorization.as_ref().map(|(name, value)| (*name, value.as_str()));
        let (remote, user) = (target.address, target.user.as_str());
        let notify = Notify {
            carrier,
            local,
            remote,
            user,
            event: &event,
            call: &call,
            branch: &branch,
            count,
            authorization: answered,
        };
        let answer = way.ask(&notify, until).await.map_err(lost)?.ok_or(PushError::Silent(target.address))?;
        let header = match answer.status {
            200..=299 => return Ok(()),
            401 => "Authorization",
            407 => "Proxy-Authorization",
            status => return Err(PushError::Refused { status, reason: answer.reason }),
        };
        let challenge =
            Challenge::choose(answer.challenges.iter().map(String::as_str)).map_err(PushError::Challenge)?;
        if matches!(challenge, Challenge::Basic { .. }) {
            return Err(PushError::Basic);
        }
        let is_stale = matches!(&challenge, Challenge::Digest(digest) if digest.stale);
        if authorization.is_some() && !is_stale {
            return Err(PushError::WrongCredentials);
        }
        let credentials = target.credentials.as_ref().ok_or(PushError::NoCredentials)?;
        let (uri, cnonce) = (notify.uri(), token()?);
        let covered = Covered { method: "NOTIFY", path: &uri, cnonce: &cnonce, count: 1 };
        authorization = Some((header, challenge.answer(credentials, covered).expose().to_owned()));
    }
    Err(PushError::WrongCredentials)
}

impl Way {
    async fn open(target: &Target, carrier: Carrier) -> io::Result<Self> {
        match carrier {
            Carrier::Tcp => TcpStream::connect(target.address).await.map(Self::Tcp),
            Carrier::Udp => {
                let any: std::net::IpAddr = match target.address.is_ipv4() {
                    true => std::net::Ipv4Addr::UNSPECIFIED.into(),
                    false => std::net::Ipv6Addr::UNSPECIFIED.into(),
                };
                let socket = UdpSocket::bind((any, 0)).await?;
                socket.connect(target.address).await?;
                Ok(Self::Udp(socket))
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Udp(_) => "UDP",
            Self::Tcp(_) => "TCP",
        }
    }

    fn local(&self) -> io::Result<std::net::SocketAddr> {
        match self {
            Self::Udp(socket) => socket.local_addr(),
            Self::Tcp(stream) => stream.local_addr(),
        }
    }

    /// The last answer to a request; `None` where none comes in time. Everything else that comes is passed over.
    async fn ask(&mut self, notify: &Notify<'_>, until: Instant) -> io::Result<Option<Answer>> {
        let is_final = |answer: &Answer| answer.is_of(notify) && answer.status >= 200;
        match self {
            Self::Udp(socket) => {
                let (mut buffer, mut pause, text) = (vec![0; LONGEST], AGAIN[0], notify.text());
                while Instant::now() < until {
                    socket.send(text.as_bytes()).await?;
                    let again = (Instant::now() + pause).min(until);
                    while let Ok(received) = timeout_at(again, socket.recv(&mut buffer)).await {
                        if let Some(answer) = Answer::parse(&buffer[..received?]).filter(&is_final) {
                            return Ok(Some(answer));
                        }
                    }
                    pause = (pause * 2).min(AGAIN[1]);
                }
                Ok(None)
            }
            Self::Tcp(stream) => {
                let asking = async {
                    stream.write_all(notify.text().as_bytes()).await?;
                    let mut bytes = Vec::new();
                    loop {
                        while let Some(end) = head(&bytes) {
                            let answer = Answer::parse(&bytes[..end + 4]).filter(&is_final);
                            // A body has nothing for us; what looks like no answer is passed over with it.
                            bytes.drain(..end + 4);
                            if answer.is_some() {
                                return Ok(answer);
                            }
                        }
                        if bytes.len() > LONGEST || stream.read_buf(&mut bytes).await? == 0 {
                            return Ok(None);
                        }
                    }
                };
                timeout_at(until, asking).await.unwrap_or(Ok(None))
            }
        }
    }
}
