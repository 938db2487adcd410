//! SRV records, which `--srv` in a rule asks for (RFC 2782): `_ciscoprov-https._tls.DOMAIN` and
//! `_ciscoprov-http._tcp.DOMAIN` (Cisco "Provisioning"). Just enough of DNS to ask one question (RFC 1035).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::phone::failure::Failure;
use crate::phone::schedule::Chance;
use crate::phone::url::Scheme;

/// The type of SRV records.
const SRV: u16 = 33;
/// Records that are looked at.
const MOST: usize = 32;
/// How long one answer may take, and how often is asked.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: u32 = 2;

/// A place where a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    priority: u16,
    weight: u16,
    pub(super) port: u16,
    pub(super) host: String,
}

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
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await.map_err(|error| unknown(&error.to_string()))?;
    socket.connect(server).await.map_err(|error| unknown(&error.to_string()))?;
    let mut answer = vec![0; 4096];
    for _ in 0..TRIES {
        socket.send(&question).await.map_err(|error| unknown(&error.to_string()))?;
        match tokio::time::timeout(PATIENCE, socket.recv(&mut answer)).await {
            Ok(Ok(length)) => {
                let found = parse(&answer[..length], id).ok_or_else(|| unknown("the answer is no DNS message"))?;
                return if found.is_empty() {
                    Err(unknown("it has no SRV record"))
                } else {
                    Ok(ordered(found, chance))
                };
            }
            Ok(Err(error)) => return Err(unknown(&error.to_string())),
            Err(_) => {}
        }
    }
    Err(unknown("the name server does not answer"))
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

fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut message = id.to_be_bytes().to_vec();
    // Recursion desired, one question.
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&SRV.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    (name.len() <= 253).then_some(message)
}

/// The places in an answer to the question of this number; `None` where it is no such answer.
fn parse(message: &[u8], id: u16) -> Option<Vec<Place>> {
    let number = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let is_answer = number(0)? == id && message.get(2)? & 0x80 != 0;
    if !is_answer {
        return None;
    }
    let (questions, answers) = (number(4)?, number(6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = read_name(message, at)?.1 + 4;
    }
    let mut places = Vec::new();
    for _ in 0..usize::from(answers).min(MOST) {
        at = read_name(message, at)?.1;
        let (kind, length) = (number(at)?, usize::from(number(at + 8)?));
        let data = at + 10;
        at = data + length;
        if kind == SRV {
            let (host, _) = read_name(message, data + 6)?;
            let (priority, weight, port) = (number(data)?, number(data + 2)?, number(data + 4)?);
            // A single dot says that there is no such service.
            if !host.is_empty() && port != 0 {
                places.push(Place { priority, weight, port, host });
            }
        }
    }
    Some(places)
}

/// A name and where what follows it begins. Pointers lead back only, so that none leads in a circle.
fn read_name(message: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut labels, mut at, mut end, mut least) = (Vec::<String>::new(), start, None, start);
    loop {
        let length = usize::from(*message.get(at)?);
        if length >= 0xc0 {
            let low = usize::from(*message.get(at + 1)?);
            end = end.or(Some(at + 2));
            at = (length & 0x3f) << 8 | low;
            if at >= least {
                return None;
            }
            least = at;
        } else if length == 0 {
            return Some((labels.join("."), end.unwrap_or(at + 1)));
        } else {
            let label = message.get(at + 1..at + 1 + length.min(63))?;
            let plain = label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
            if !plain || labels.len() > 127 {
                return None;
            }
            labels.push(String::from_utf8_lossy(label).into_owned());
            at += 1 + length;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer with these records, whose targets end by a pointer to the question's domain.
    fn answer(records: &[(u16, u16, u16, &str)]) -> Vec<u8> {
        let mut message = question(7, "_ciscoprov-http._tcp.example.com").expect("a name");
        message[2] |= 0x80;
        message[7] = u8::try_from(records.len()).expect("few");
        // `example.com` stands behind the two labels before it: 12 octets of header, 16 and 5 of labels.
        let domain = 12 + 16 + 5;
        for (priority, weight, port, host) in records {
            message.extend_from_slice(&[0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
            let mut data = [priority, weight, port].map(|number| number.to_be_bytes()).concat();
            data.push(u8::try_from(host.len()).expect("short"));
            data.extend_from_slice(host.as_bytes());
            data.extend_from_slice(&[0xc0, domain]);
            message.extend_from_slice(&u16::try_from(data.len()).expect("short").to_be_bytes());
            message.extend_from_slice(&data);
        }
        message
    }

    proptest! {
        #[test]
        fn no_message_panics(message: Vec<u8>) {
            let _ = parse(&message, 7);
            let _ = parse(&[&[0, 7, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0][..], &message].concat(), 7);
        }

        #[test]
        fn an_answer_cut_anywhere_is_none_or_shorter(at: prop::sample::Index) {
            let whole = answer(&[(1, 0, 80, "a"), (2, 0, 80, "b")]);
            let cut = parse(&whole[..at.index(whole.len())], 7);
            prop_assert!(cut.is_none_or(|places| places.len() < 2));
        }
    }

    #[test]
    fn places_come_in_the_order_of_their_priority_and_weight() {
        let message = answer(&[(20, 0, 80, "last"), (10, 0, 81, "none"), (10, 100, 82, "most")]);
        let found = parse(&message, 7).expect("an answer");
        assert_eq!(found.len(), 3);
        let hosts = |chance| {
            let places = ordered(found.clone(), Chance(chance));
            places.iter().map(|place| format!("{}:{}", place.host, place.port)).collect::<Vec<_>>()
        };
        assert_eq!(hosts(50), ["most.example.com:82", "none.example.com:81", "last.example.com:80"]);
        assert_eq!(hosts(0), ["none.example.com:81", "most.example.com:82", "last.example.com:80"]);
    }

    #[test]
    fn an_answer_to_another_question_and_a_circle_are_none() {
        assert_eq!(parse(&answer(&[(1, 0, 80, "a")]), 8), None);
        assert_eq!(read_name(&[0xc0, 0], 0), None);
        assert_eq!(read_name(&[1, b'a', 0xc0, 0], 0), None);
        assert_eq!(question(1, &"a".repeat(64)), None);
        assert_eq!(name(Scheme::Tftp, "example.com"), None);
    }
}
