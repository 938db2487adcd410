//! `X-Forwarded-For` and `X-Forwarded-Proto`, which no standard describes: a list of addresses to which every proxy adds
//! the one that came to it, and what the client spoke to the first of ours.

use hyper::header::HeaderMap;

use super::hop::{self, Hop, HopError, Scheme};
use crate::config::Networks;

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";

/// The right-most address that is not trusted; what stands left of it is not even read. `None` without the header.
///
/// # Errors
/// An address that counts is none.
pub fn client(headers: &HeaderMap, trusted: &Networks) -> Result<Option<Hop>, HopError> {
    if !headers.contains_key(FOR) {
        return Ok(None);
    }
    let scheme = scheme(headers);
    let lines: Vec<&[u8]> = headers.get_all(FOR).iter().map(hyper::header::HeaderValue::as_bytes).collect();
    let nodes = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    let hops = nodes.map(|node| {
        let text = str::from_utf8(node).map_err(|_| HopError::NotText(FOR))?;
        Ok(Hop { address: hop::node(FOR, text.trim())?, scheme })
    });
    hop::client(hops, trusted)
}

/// `https` where every value says so: a list does not tell which hop each is about.
fn scheme(headers: &HeaderMap) -> Option<Scheme> {
    let mut values = headers.get_all(PROTO).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let named = |value: &[u8]| str::from_utf8(value).map_or(Scheme::Http, |name| Scheme::named(name.trim()));
    let first = named(values.next()?);
    Some(values.map(named).fold(first, |all, one| if all == one { all } else { Scheme::Http }))
}
