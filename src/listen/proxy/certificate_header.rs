//! A client's certificate in a header, in the form that the listener's proxies write. What comes out is DER, unverified.

use data_encoding::{BASE64, BASE64_NOPAD};
use hyper::header::HeaderMap;
use percent_encoding::percent_decode_str;

use crate::config::CertificateHeader;

/// RFC 9440 §2.2.
pub const CLIENT_CERT: &str = "client-cert";
/// RFC 9440 §2.3.
pub const CLIENT_CERT_CHAIN: &str = "client-cert-chain";
/// What nginx, Apache and `HAProxy` are told to write: none of them has a header of its own.
pub const X_SSL_CLIENT_CERT: &str = "x-ssl-client-cert";
/// Envoy's.
pub const X_FORWARDED_CLIENT_CERT: &str = "x-forwarded-client-cert";

/// The most bytes of one header: four certificates of 4096-bit RSA keys, percent-encoded.
const LONGEST: usize = 32 * 1024;

/// The most certificates of a chain, the client's own among them.
const CHAIN: usize = 8;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// What a proxy sent is no certificate in the form that it is to have. It proves nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateHeaderError {
    /// Which one is the client's?
    #[error("{0} came {1} times, expected once: the proxy has to drop what clients send")]
    Repeated(&'static str, usize),
    /// Too much.
    #[error("{0} has {1} bytes, expected {LONGEST} at the most")]
    TooLong(&'static str, usize),
    /// Too many.
    #[error("{0} has more than {CHAIN} certificates")]
    TooMany(&'static str),
    /// Bytes that no header of this kind has.
    #[error("{0}: expected visible ASCII characters")]
    NotText(&'static str),
    /// RFC 9440 §2.1.
    #[error("{0}: expected base64 between two colons (RFC 9440)")]
    NotSequence(&'static str),
    /// Not what the encoding says.
    #[error("{0}: expected base64")]
    NotBase64(&'static str),
    /// Not PEM.
    #[error("{0}: expected PEM, `{BEGIN}` and so on{1}")]
    NotPem(&'static str, &'static str),
    /// RFC 9440 §2.3: a chain is of a certificate.
    #[error("client-cert-chain came without client-cert")]
    ChainAlone,
    /// Envoy was told to add to what the client sent.
    #[error(
        "x-forwarded-client-cert speaks of several clients, expected one: set forward_client_cert_details to SANITIZE_SET"
    )]
    SeveralClients,
    /// Envoy's grammar.
    #[error("x-forwarded-client-cert: expected Name=\"value\" pairs between semicolons")]
    NotPairs,
    /// Envoy's two ways of saying it contradict each other.
    #[error("x-forwarded-client-cert: Cert is not the first of Chain")]
    Contradiction,
}

use CertificateHeaderError as Bad;

/// The headers that this form is written in, the client's own certificate first.
#[must_use]
pub fn names(form: CertificateHeader) -> &'static [&'static str] {
    match form {
        CertificateHeader::Rfc9440 => &[CLIENT_CERT, CLIENT_CERT_CHAIN],
        CertificateHeader::Nginx | CertificateHeader::Apache | CertificateHeader::Haproxy => &[X_SSL_CLIENT_CERT],
        CertificateHeader::Envoy => &[X_FORWARDED_CLIENT_CERT],
    }
}

/// The chain in DER form, the client's own certificate first. `None`: the client had none.
///
/// # Errors
/// The header is there, and is not in this form.
pub fn chain(form: CertificateHeader, headers: &HeaderMap) -> Result<Option<Vec<Vec<u8>>>, Bad> {
    match form {
        CertificateHeader::Rfc9440 => rfc9440(headers),
        CertificateHeader::Nginx => {
            single(headers, X_SSL_CLIENT_CERT)?.map(|text| escaped(X_SSL_CLIENT_CERT, text)).transpose()
        }
        // mod_headers writes "(null)" for a variable that is not set.
        CertificateHeader::Apache => {
            let text = single(headers, X_SSL_CLIENT_CERT)?.filter(|text| *text != "(null)");
            text.map(|text| pem(X_SSL_CLIENT_CERT, text, ", its line ends made spaces")).transpose()
        }
        CertificateHeader::Haproxy => {
            let text = single(headers, X_SSL_CLIENT_CERT)?;
            text.map(|text| Ok(vec![base64(X_SSL_CLIENT_CERT, text)?])).transpose()
        }
        CertificateHeader::Envoy => single(headers, X_FORWARDED_CLIENT_CERT)?.map_or(Ok(None), envoy),
    }
}

/// The value of a header that stands once or not at all; an empty one is none.
fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Bad> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match values.count() {
        0 => Ok(Some(text(name, value.as_bytes())?).filter(|text| !text.is_empty())),
        more => Err(Bad::Repeated(name, more + 1)),
    }
}

fn text<'a>(name: &'static str, value: &'a [u8]) -> Result<&'a str, Bad> {
    if value.len() > LONGEST {
        return Err(Bad::TooLong(name, value.len()));
    }
    let text = str::from_utf8(value).ok().filter(|text| text.is_ascii()).ok_or(Bad::NotText(name))?;
    Ok(text.trim())
}

fn rfc9440(headers: &HeaderMap) -> Result<Option<Vec<Vec<u8>>>, Bad> {
    let Some(own) = single(headers, CLIENT_CERT)? else {
        return if headers.contains_key(CLIENT_CERT_CHAIN) { Err(Bad::ChainAlone) } else { Ok(None) };
    };
    let mut chain = vec![sequence(CLIENT_CERT, own)?];
    // A list of structured fields may stand in several lines (RFC 8941 §3.1).
    for line in headers.get_all(CLIENT_CERT_CHAIN) {
        for member in text(CLIENT_CERT_CHAIN, line.as_bytes())?.split(',') {
            if chain.len() == CHAIN {
                return Err(Bad::TooMany(CLIENT_CERT_CHAIN));
            }
            chain.push(sequence(CLIENT_CERT_CHAIN, member.trim())?);
        }
    }
    Ok(Some(chain))
}

/// A byte sequence (RFC 8941 §3.3.5).
fn sequence(name: &'static str, text: &str) -> Result<Vec<u8>, Bad> {
    let inner = text.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or(Bad::NotSequence(name))?;
    base64(name, inner)
}

fn base64(name: &'static str, text: &str) -> Result<Vec<u8>, Bad> {
    let encoding = if text.ends_with('=') { BASE64 } else { BASE64_NOPAD };
    encoding.decode(text.as_bytes()).ok().filter(|der| !der.is_empty()).ok_or(Bad::NotBase64(name))
}

fn escaped(name: &'static str, text: &str) -> Result<Vec<Vec<u8>>, Bad> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| Bad::NotText(name))?;
    pem(name, &decoded, ", percent-encoded")
}

/// PEM blocks one after the other, with any white space between and within them, and nothing else.
fn pem(name: &'static str, text: &str, wanted: &'static str) -> Result<Vec<Vec<u8>>, Bad> {
    let (mut rest, mut chain) = (text.trim(), Vec::new());
    while !rest.is_empty() {
        let block = rest.strip_prefix(BEGIN).and_then(|rest| rest.split_once(END));
        let (body, after) = block.ok_or(Bad::NotPem(name, wanted))?;
        if chain.len() == CHAIN {
            return Err(Bad::TooMany(name));
        }
        let body: String = body.split_ascii_whitespace().collect();
        chain.push(base64(name, &body)?);
        rest = after.trim_start();
    }
    if chain.is_empty() { Err(Bad::NotPem(name, wanted)) } else { Ok(chain) }
}

/// `Name=value` pairs between semicolons, values in quotes or not; a comma begins another client (Envoy's manual, "HTTP
/// header manipulation").
fn envoy(text: &str) -> Result<Option<Vec<Vec<u8>>>, Bad> {
    let (mut own, mut chain) = (None, None);
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=').ok_or(Bad::NotPairs)?;
        let (value, after) = value(after)?;
        let place = match name.trim().to_ascii_lowercase().as_str() {
            "cert" => Some(&mut own),
            "chain" => Some(&mut chain),
            _ => None,
        };
        if place.is_some_and(|place| place.replace(value).is_some()) {
            return Err(Bad::NotPairs);
        }
        rest = match after.as_bytes().first() {
            None => break,
            Some(b';') => &after[1..],
            Some(b',') => return Err(Bad::SeveralClients),
            Some(_) => return Err(Bad::NotPairs),
        };
        if rest.trim().is_empty() {
            break;
        }
    }
    let certificates = |text: Option<&str>| {
        text.filter(|text| !text.is_empty()).map(|text| escaped(X_FORWARDED_CLIENT_CERT, text)).transpose()
    };
    match (certificates(own)?, certificates(chain)?) {
        (Some(own), Some(chain)) if own.first() != chain.first() => Err(Bad::Contradiction),
        (own, chain) => Ok(chain.or(own)),
    }
}

/// A value and what follows it.
fn value(text: &str) -> Result<(&str, &str), Bad> {
    if let Some(quoted) = text.strip_prefix('"') {
        // A subject's quotes are escaped; those of certificates have none.
        let mut escaped = false;
        let end = quoted.find(|c: char| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        let end = end.ok_or(Bad::NotPairs)?;
        return Ok((&quoted[..end], &quoted[end + 1..]));
    }
    Ok(text.split_at(text.find([',', ';']).unwrap_or(text.len())))
}
