//! What a trusted proxy sends: nothing panics, a PROXY header ends where it says, whatever a client writes left of what
//! the proxy adds changes nothing, and a certificate is never longer than what it came in.

#![no_main]

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use phoneprov::config::{CertificateHeader, Networks};
use phoneprov::listen::proxy::{certificate_header, forwarded, protocol, x_forwarded};

const FORMS: [CertificateHeader; 5] = [
    CertificateHeader::Rfc9440,
    CertificateHeader::Nginx,
    CertificateHeader::Apache,
    CertificateHeader::Haproxy,
    CertificateHeader::Envoy,
];

const CLIENT: &str = "192.0.2.7";

fuzz_target!(|bytes: &[u8]| {
    connection(bytes);
    // Lines of one header.
    let lines: Vec<HeaderValue> =
        bytes.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
    addresses(&lines);
    certificates(bytes.len(), &lines);
});

fn connection(bytes: &[u8]) {
    if let Ok(Some(length)) = protocol::length(bytes) {
        let Some(header) = bytes.get(..length) else { return };
        assert_eq!(protocol::length(header).ok(), Some(Some(length)));
        let _ = protocol::parse(header);
    }
    let _ = protocol::parse(bytes);
}

fn addresses(lines: &[HeaderValue]) {
    let trusted = Networks::parse(&["10.0.0.0/8", "2001:db8::/32"]).expect("networks");
    let _ = forwarded::client(&headers("forwarded", lines), &trusted);
    let _ = x_forwarded::client(&headers("x-forwarded-for", lines), &trusted);
    // The proxy adds its line.
    let mut added = headers("forwarded", lines);
    added.append("forwarded", HeaderValue::from_static("for=192.0.2.7;proto=http"));
    if let Ok(hop) = forwarded::client(&added, &trusted) {
        assert_eq!(hop.and_then(|hop| hop.address).map(|address| address.ip().to_string()).as_deref(), Some(CLIENT));
    }
    let mut added = headers("x-forwarded-for", lines);
    added.append("x-forwarded-for", HeaderValue::from_static(CLIENT));
    let hop = x_forwarded::client(&added, &trusted).expect("only the right-most is read").expect("a hop");
    assert_eq!(hop.address.map(|address| address.ip().to_string()).as_deref(), Some(CLIENT));
}

fn certificates(sent: usize, lines: &[HeaderValue]) {
    for form in FORMS {
        let mut headers = headers(certificate_header::names(form)[0], lines);
        if form == CertificateHeader::Rfc9440 && lines.len() > 1 {
            headers.insert("client-cert", lines[0].clone());
            for line in &lines[1..] {
                headers.append("client-cert-chain", line.clone());
            }
        }
        match certificate_header::chain(form, &headers) {
            Ok(Some(chain)) => {
                assert!(!chain.is_empty() && chain.iter().all(|der| !der.is_empty()));
                assert!(chain.iter().map(Vec::len).sum::<usize>() < sent);
            }
            Ok(None) => {}
            Err(error) => assert!(!error.to_string().chars().any(char::is_control)),
        }
    }
}

fn headers(name: &'static str, lines: &[HeaderValue]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(HeaderName::from_static(name), line.clone());
    }
    headers
}
