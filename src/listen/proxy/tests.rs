//! What a trusted proxy may say, and what becomes of what it should not have said.

use std::io::Write as _;
use std::net::{IpAddr, Ipv6Addr};

use data_encoding::BASE64;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use tokio::net::{TcpListener, TcpStream};

use super::certificate_header::{CertificateHeaderError as Bad, chain};
use super::*;
use crate::config::CertificateHeader::{self, Apache, Envoy, Haproxy, Nginx, Rfc9440};
use crate::config::{Networks, TlsKind};

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().expect("a name");
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
    }
    headers
}

fn trusted() -> Networks {
    Networks::parse(&["10.0.0.0/8", "2001:db8:ffff::/48"]).expect("networks")
}

fn forwarded(lines: &[&str]) -> Result<Option<Hop>, HopError> {
    let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
    super::forwarded::client(&headers(&lines), &trusted())
}

fn x_forwarded(lines: &[&str]) -> Result<Option<Hop>, HopError> {
    let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
    super::x_forwarded::client(&headers(&lines), &trusted())
}

fn hop(address: &str, scheme: Option<Scheme>) -> Option<Hop> {
    let address = (!address.is_empty()).then(|| address.parse().expect("an address and a port"));
    Some(Hop { address, scheme })
}

#[test]
fn forwarded_is_read_as_the_rfc_has_it() {
    let https = Some(Scheme::Https);
    assert_eq!(forwarded(&["for=192.0.2.43"]), Ok(hop("192.0.2.43:0", None)));
    assert_eq!(forwarded(&["For=\"[2001:db8:cafe::17]:4711\""]), Ok(hop("[2001:db8:cafe::17]:4711", None)));
    let line = "for=192.0.2.60;proto=https;by=203.0.113.43";
    assert_eq!(forwarded(&[line]), Ok(hop("192.0.2.60:0", https)));
    assert_eq!(forwarded(&["proto=HTTPS; for=\"192.0.2.60:7\" ;"]), Ok(hop("192.0.2.60:7", https)));
    assert_eq!(forwarded(&["for=192.0.2.1;proto=gopher"]), Ok(hop("192.0.2.1:0", Some(Scheme::Http))));
    assert_eq!(forwarded(&["for=\"\\192.0.2.1:_port\""]), Ok(hop("192.0.2.1:0", None)));
    assert_eq!(forwarded(&["for=unknown;proto=https"]), Ok(hop("", https)));
    assert_eq!(forwarded(&["for=_hidden"]), Ok(hop("", None)));
    assert_eq!(forwarded(&[]), Ok(None));
    assert_eq!(forwarded(&["", " , "]), Ok(None));
}

#[test]
fn the_client_is_the_nearest_that_is_no_proxy_of_ours() {
    let lines = ["for=6.6.6.6;proto=https, for=192.0.2.7;proto=http", "for=10.0.0.1;proto=https"];
    assert_eq!(forwarded(&lines), Ok(hop("192.0.2.7:0", Some(Scheme::Http))));
    assert_eq!(x_forwarded(&["6.6.6.6, 192.0.2.7", "10.0.0.1"]), Ok(hop("192.0.2.7:0", None)));
    // All of them are ours: the farthest of them asks.
    assert_eq!(x_forwarded(&["10.0.0.3, 10.0.0.2"]), Ok(hop("10.0.0.3:0", None)));
    // A proxy of ours hides who came to it: it is the last that we know.
    assert_eq!(x_forwarded(&["unknown, 10.0.0.2"]), Ok(hop("10.0.0.2:0", None)));
    assert_eq!(x_forwarded(&["::ffff:10.0.0.9"]), Ok(hop("10.0.0.9:0", None)));
}

#[test]
fn what_the_client_wrote_left_of_the_proxy_is_not_even_read() {
    assert_eq!(x_forwarded(&["<script>, \"', 192.0.2.7"]), Ok(hop("192.0.2.7:0", None)));
    assert_eq!(forwarded(&["for=nobody, for=192.0.2.7"]), Ok(hop("192.0.2.7:0", None)));
}

#[test]
fn an_address_that_counts_and_is_none_refuses_the_request() {
    assert!(matches!(x_forwarded(&["192.0.2.7, 300.1.1.1"]), Err(HopError::NotAnAddress { .. })));
    assert!(matches!(x_forwarded(&["192.0.2.7,"]), Err(HopError::NotAnAddress { .. })));
    assert!(matches!(forwarded(&["for=localhost"]), Err(HopError::NotAnAddress { .. })));
    for wrong in
        ["for=\"192.0.2.7", "for=a;for=b", "for", "for=[2001:db8::1]", "=x", "for=\"1\"x", "for=1.2.3.4 proto=http"]
    {
        assert!(matches!(forwarded(&[wrong]), Err(HopError::Syntax(_))), "{wrong}");
    }
    // An open quote of the client's must not swallow what the proxy adds.
    assert!(forwarded(&["for=\", for=192.0.2.7"]).is_err());
    assert!(forwarded(&["for=\"", "for=192.0.2.7"]).is_err());
    assert_eq!(forwarded(&["for=10.0.0.1,".repeat(33).as_str()]), Err(HopError::TooMany(32)));
}

#[test]
fn a_scheme_counts_as_https_where_every_value_says_so() {
    let scheme = |values: &[&str]| {
        let mut lines = vec![("x-forwarded-for", "192.0.2.7")];
        lines.extend(values.iter().map(|value| ("x-forwarded-proto", *value)));
        super::x_forwarded::client(&headers(&lines), &trusted()).expect("a hop").expect("one").scheme
    };
    assert_eq!(scheme(&["https"]), Some(Scheme::Https));
    assert_eq!(scheme(&["https, HTTPS", "https"]), Some(Scheme::Https));
    for less in [&["http"][..], &["https, http"], &["http", "https"], &["https,"], &["ftp"]] {
        assert_eq!(scheme(less), Some(Scheme::Http), "{less:?}");
    }
    assert_eq!(scheme(&[]), None);
}

const DER: &[u8] = b"\x30\x82\x00\x01certificate";
const OTHER: &[u8] = b"\x30\x82\x00\x02another";

fn pem(der: &[u8], line_end: &str) -> String {
    let body = BASE64.encode(der);
    format!("-----BEGIN CERTIFICATE-----{line_end}{body}{line_end}-----END CERTIFICATE-----{line_end}")
}

fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn read(form: CertificateHeader, lines: &[(&str, &str)]) -> Result<Option<Vec<Vec<u8>>>, Bad> {
    chain(form, &headers(lines))
}

const X: &str = "x-ssl-client-cert";
const XFCC: &str = "x-forwarded-client-cert";

#[test]
fn every_proxy_s_form_gives_the_same_certificate() {
    let one = Ok(Some(vec![DER.to_vec()]));
    let two = Ok(Some(vec![DER.to_vec(), OTHER.to_vec()]));
    let base64 = BASE64.encode(DER);
    let sequence = format!(":{base64}:");
    let others = format!(":{}:", BASE64.encode(OTHER));
    assert_eq!(read(Rfc9440, &[("client-cert", &sequence)]), one);
    assert_eq!(read(Rfc9440, &[("client-cert", &sequence), ("client-cert-chain", &others)]), two);
    assert_eq!(read(Nginx, &[(X, &escape(&pem(DER, "\n")))]), one);
    assert_eq!(read(Apache, &[(X, pem(DER, " ").as_str())]), one);
    assert_eq!(read(Haproxy, &[(X, &base64)]), one);
    let (own, all) = (escape(&pem(DER, "\n")), escape(&(pem(DER, "\n") + &pem(OTHER, "\n"))));
    let value = format!("By=spiffe://a/b;Hash=00;Cert=\"{own}\";Subject=\"CN=a\\\"b,c;d\";URI=");
    assert_eq!(read(Envoy, &[(XFCC, &value)]), one);
    assert_eq!(read(Envoy, &[(XFCC, &format!("Chain=\"{all}\";Cert=\"{own}\""))]), two);
}

#[test]
fn a_client_without_a_certificate_has_none() {
    for form in [Rfc9440, Nginx, Apache, Haproxy, Envoy] {
        assert_eq!(read(form, &[]), Ok(None), "{form:?}");
        assert_eq!(read(form, &[("client-certificate", "x")]), Ok(None), "{form:?}");
    }
    for form in [Nginx, Apache, Haproxy] {
        assert_eq!(read(form, &[(X, "")]), Ok(None), "{form:?}");
    }
    assert_eq!(read(Apache, &[(X, "(null)")]), Ok(None));
    assert_eq!(read(Envoy, &[(XFCC, "Hash=00;Subject=\"CN=a\"")]), Ok(None));
}

#[test]
fn a_form_is_not_taken_for_another() {
    let (sequence, plain) = (format!(":{}:", BASE64.encode(DER)), BASE64.encode(DER));
    let escaped = escape(&pem(DER, "\n"));
    for (form, value) in [(Nginx, &plain), (Nginx, &sequence), (Apache, &escaped), (Haproxy, &escaped)] {
        assert!(read(form, &[(X, value)]).is_err(), "{form:?} {value}");
    }
    assert_eq!(read(Rfc9440, &[("client-cert", &plain)]), Err(Bad::NotSequence("client-cert")));
    assert_eq!(read(Rfc9440, &[(X, &plain), (XFCC, &escaped)]), Ok(None));
}

#[test]
fn what_is_wrong_with_a_certificate_header_is_said() {
    let good = format!(":{}:", BASE64.encode(DER));
    let twice = [("client-cert", good.as_str()), ("client-cert", good.as_str())];
    assert_eq!(read(Rfc9440, &twice), Err(Bad::Repeated("client-cert", 2)));
    assert_eq!(read(Haproxy, &[(X, ""), (X, "AAAA")]), Err(Bad::Repeated(X, 2)));
    assert_eq!(read(Rfc9440, &[("client-cert-chain", &good)]), Err(Bad::ChainAlone));
    let long = format!(":{}:", "A".repeat(100 * 1024));
    assert_eq!(read(Rfc9440, &[("client-cert", &long)]), Err(Bad::TooLong("client-cert", 102_402)));
    let many = [good.as_str(); 8].join(",");
    let lines = [("client-cert", good.as_str()), ("client-cert-chain", &many)];
    assert_eq!(read(Rfc9440, &lines), Err(Bad::TooMany("client-cert-chain")));
    for wrong in [":AA==AA:", ":A:", "::", ":AAAA:;a", ":AA A:", ":AAAA", ":\u{e4}:", "*"] {
        assert!(read(Rfc9440, &[("client-cert", wrong)]).is_err(), "{wrong}");
    }
    let with_nul = escape(&pem(DER, "\n")).replacen("%0A", "%00", 1);
    assert_eq!(read(Nginx, &[(X, &with_nul)]), Err(Bad::NotBase64(X)));
    assert_eq!(read(Nginx, &[(X, "%FF")]), Err(Bad::NotText(X)));
    assert!(matches!(read(Nginx, &[(X, "-----BEGIN%20CERTIFICATE-----AAAA")]), Err(Bad::NotPem(..))));
    assert!(matches!(read(Apache, &[(X, &(pem(DER, " ") + "and more"))]), Err(Bad::NotPem(..))));
}

#[test]
fn envoy_speaks_of_one_client_or_is_not_heard() {
    let (own, other) = (escape(&pem(DER, "\n")), escape(&pem(OTHER, "\n")));
    let appended = format!("Cert=\"{own}\",Cert=\"{other}\"");
    assert_eq!(read(Envoy, &[(XFCC, &appended)]), Err(Bad::SeveralClients));
    assert_eq!(read(Envoy, &[(XFCC, &format!("Cert=\"{own}\";Cert=\"{other}\""))]), Err(Bad::NotPairs));
    assert_eq!(read(Envoy, &[(XFCC, &format!("Cert=\"{own}\";Chain=\"{other}\""))]), Err(Bad::Contradiction));
    for wrong in ["Cert", "Cert=\"", "Cert=\"\"x", "=\"", ";"] {
        assert!(!matches!(read(Envoy, &[(XFCC, wrong)]), Ok(Some(_))), "{wrong}");
    }
}

#[test]
fn a_header_that_is_not_heard_is_named() {
    let config = config::Proxies {
        trusted: trusted(),
        protocol: false,
        address: Some(AddressHeader::Forwarded),
        certificate: Some(CertificateHeader::Nginx),
        client_ca: Vec::new(),
        revocation: crate::config::Revocation::default(),
        kind: TlsKind::Modern,
    };
    let proxies = Proxies { config, judge: None };
    let all = headers(&[("host", "a"), ("forwarded", "for=1.1.1.1"), (X, "x")]);
    assert!(unheard(&all, None).is_some());
    assert_eq!(unheard(&all, Some(&proxies)), None);
    assert_eq!(unheard(&headers(&[("client-cert", ":AAAA:")]), Some(&proxies)), Some("client-cert"));
    assert_eq!(unheard(&headers(&[("host", "a"), ("user-agent", "b")]), None), None);
}

fn announced(header: &[u8]) -> Result<Announced, ProtocolError> {
    assert_eq!(protocol::length(header).expect("a length"), Some(header.len()));
    protocol::parse(header)
}

fn version_2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("short").to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x20 | command, family][..], &length, payload].concat()
}

#[test]
fn both_versions_of_the_proxy_protocol_announce_the_client() {
    let client = |address: &str| Announced::Client(address.parse().expect("an address"));
    let read = |header: &[u8]| announced(header).expect("a header");
    assert_eq!(read(b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n"), client("192.0.2.7:4711"));
    assert_eq!(read(b"PROXY TCP6 2001:db8::7 ::1 4711 443\r\n"), client("[2001:db8::7]:4711"));
    assert_eq!(read(b"PROXY UNKNOWN\r\n"), Announced::Nobody);
    assert_eq!(read(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), Announced::Nobody);
    let ipv4 = [192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x67, 1, 187];
    assert_eq!(read(&version_2(1, 0x11, &ipv4)), client("192.0.2.7:4711"));
    let with_more = [&ipv4[..], &[4, 0, 2, 0, 0]].concat();
    assert_eq!(read(&version_2(1, 0x11, &with_more)), client("192.0.2.7:4711"));
    // LOCAL, a datagram, no family, a Unix socket.
    for (command, family) in [(0, 0x11), (1, 0x12), (1, 0x00)] {
        assert_eq!(read(&version_2(command, family, &ipv4)), Announced::Nobody);
    }
    assert_eq!(read(&version_2(1, 0x31, &[0; 216])), Announced::Nobody);
}

#[test]
fn what_is_no_proxy_header_is_none() {
    let length = |head: &[u8]| protocol::length(head).map_err(|error| error.to_string());
    for other in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01", b"proxy TCP4 ", b"\r\n\r\nPROXY"] {
        assert!(length(other).expect_err("no header").contains("does not begin with"), "{other:?}");
    }
    for beginning in [&b""[..], b"PRO", b"PROXY TCP4 1.2.3.4 ", b"\r\n\r\n\0", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0"] {
        assert_eq!(length(beginning), Ok(None), "{beginning:?}");
    }
    let endless = [&b"PROXY TCP4 "[..], &[b'1'; 107]].concat();
    assert!(length(&endless).expect_err("too long").contains("longer than 107"));
    assert!(length(&version_2(1, 0x11, &[0; 5000])).expect_err("too long").contains("longer than 4096"));
    let wrong: [&[u8]; 5] = [
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP9 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
    ];
    for header in wrong {
        assert!(protocol::parse(header).is_err(), "{header:?}");
    }
    assert!(protocol::parse(&version_2(1, 0x11, &[1, 2, 3])).is_err());
    assert!(protocol::parse(&version_2(7, 0x11, &[0; 12])).is_err());
}

/// A stream that somebody else wrote these pieces to, and then closed.
async fn stream_of(pieces: &'static [&'static [u8]]) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(address).expect("a listener");
        stream.set_nodelay(true).expect("a socket");
        for piece in pieces {
            stream.write_all(piece).expect("an open connection");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    listener.accept().await.expect("a client").0
}

#[tokio::test]
async fn a_header_in_pieces_is_read_and_not_a_byte_more() {
    let pieces: &[&[u8]] = &[b"PR", b"OXY TCP4 192.0.2.7 10.0.0.1 4711 ", b"443\r", b"\nGET / HTTP/1.1\r\n"];
    let stream = stream_of(pieces).await;
    let announced = protocol::read(&stream).await.expect("a header");
    assert_eq!(announced, Announced::Client("192.0.2.7:4711".parse().expect("an address")));
    let mut rest = [0; 64];
    stream.readable().await.expect("more");
    let length = stream.try_read(&mut rest).expect("more");
    assert_eq!(&rest[..length], b"GET / HTTP/1.1\r\n");
}

#[tokio::test]
async fn a_header_that_is_cut_in_the_middle_says_so() {
    let cut = protocol::read(&stream_of(&[b"PROXY TCP4 192.0.2"]).await).await;
    assert!(matches!(cut, Err(ProtocolError::Cut(18))), "{cut:?}");
    let cut = protocol::read(&stream_of(&[b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02"]).await).await;
    assert!(matches!(cut, Err(ProtocolError::Cut(18))), "{cut:?}");
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    let ipv6 = any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits)).to_canonical());
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), ipv6]
}

proptest! {
    #[test]
    fn an_address_comes_back_whole_from_every_header(address in any_address(), port in 1_u16..) {
        let socket = SocketAddr::new(address, port);
        prop_assume!(!trusted().contains(address));
        let wanted = Ok(Some(Hop { address: Some(socket), scheme: None }));
        prop_assert_eq!(forwarded(&[&format!("for=\"{socket}\"")]), wanted.clone());
        prop_assert_eq!(x_forwarded(&[&format!("1.1.1.1, {socket}")]), wanted);
        let family = if address.is_ipv4() { "TCP4" } else { "TCP6" };
        let line = format!("PROXY {family} {address} {address} {port} 1\r\n");
        prop_assert_eq!(announced(line.as_bytes()).expect("a header"), Announced::Client(socket));
    }

    #[test]
    fn whatever_a_client_adds_to_the_left_the_proxy_s_word_counts(garbage in "[ -~]{0,40}") {
        let added = x_forwarded(&[&format!("{garbage}, 192.0.2.7")]);
        prop_assert_eq!(added, Ok(hop("192.0.2.7:0", None)));
        if let Ok(found) = forwarded(&[&format!("{garbage}, for=192.0.2.7")]) {
            prop_assert_eq!(found, hop("192.0.2.7:0", None));
        }
    }

    #[test]
    fn a_certificate_comes_back_whole_from_every_form(der in prop::collection::vec(any::<u8>(), 1..200)) {
        let base64 = BASE64.encode(&der);
        let wanted = Ok(Some(vec![der.clone()]));
        prop_assert_eq!(read(Rfc9440, &[("client-cert", &format!(":{base64}:"))]), wanted.clone());
        prop_assert_eq!(read(Nginx, &[(X, &escape(&pem(&der, "\n")))]), wanted.clone());
        prop_assert_eq!(read(Apache, &[(X, &pem(&der, " "))]), wanted.clone());
        prop_assert_eq!(read(Haproxy, &[(X, &base64)]), wanted.clone());
        prop_assert_eq!(read(Envoy, &[(XFCC, &format!("Cert=\"{}\"", escape(&pem(&der, "\n"))))]), wanted);
    }
}
