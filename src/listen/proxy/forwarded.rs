//! `Forwarded` (RFC 7239): a list of hops, each of them pairs of a name and a value.

use hyper::header::{FORWARDED, HeaderMap};

use super::hop::{self, Hop, HopError, Scheme};
use crate::config::Networks;

/// More hops than any request has.
const HOPS: usize = 32;

/// The right-most hop that is not trusted. `None` without the header.
///
/// # Errors
/// Any of it is not written as the RFC says: an unfinished quote of the client's could hide what the proxy added.
pub fn client(headers: &HeaderMap, trusted: &Networks) -> Result<Option<Hop>, HopError> {
    let mut hops = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let line = line.to_str().map_err(|_| HopError::NotText("forwarded"))?;
        Reader { rest: line }.hops(&mut hops)?;
    }
    hop::client(hops.into_iter().rev().map(Written::read), trusted)
}

/// A hop as it is written. Addresses of hops that do not count need not be any.
#[derive(Default)]
struct Written {
    node: Option<String>,
    proto: Option<String>,
}

impl Written {
    fn read(self) -> Result<Hop, HopError> {
        let address = self.node.map(|node| hop::node("forwarded", &node)).transpose()?.flatten();
        Ok(Hop { address, scheme: self.proto.as_deref().map(Scheme::named) })
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// `Forwarded = 1#forwarded-element`; a list may have empty elements (RFC 9110 §5.6.1).
    fn hops(mut self, hops: &mut Vec<Written>) -> Result<(), HopError> {
        loop {
            let mut hop = Written::default();
            let is_empty = !self.pairs(&mut hop)?;
            if !is_empty {
                hops.push(hop);
            }
            if hops.len() > HOPS {
                return Err(HopError::TooMany(HOPS));
            }
            if self.rest.is_empty() {
                return Ok(());
            }
            self.expect(',', "something else between two hops")?;
        }
    }

    /// `[ pair ] *( ";" [ pair ] )`; whether there was any.
    fn pairs(&mut self, hop: &mut Written) -> Result<bool, HopError> {
        let mut some = false;
        loop {
            self.blank();
            if !self.rest.is_empty() && !self.rest.starts_with([',', ';']) {
                self.pair(hop)?;
                some = true;
                self.blank();
            }
            if !self.rest.starts_with(';') {
                return Ok(some);
            }
            self.rest = &self.rest[1..];
        }
    }

    fn pair(&mut self, hop: &mut Written) -> Result<(), HopError> {
        let name = self.token()?.to_ascii_lowercase();
        self.expect('=', "a name without =")?;
        let value = if self.rest.starts_with('"') { self.quoted()? } else { self.token()?.to_owned() };
        // "Each parameter MUST NOT occur more than once per field-value" (§4).
        let place = match name.as_str() {
            "for" => &mut hop.node,
            "proto" => &mut hop.proto,
            _ => return Ok(()),
        };
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(HopError::Syntax("one name twice in a hop")),
        }
    }

    fn token(&mut self) -> Result<&str, HopError> {
        let end = self.rest.find(|c: char| !is_token(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        if token.is_empty() { Err(HopError::Syntax("nothing where a word belongs")) } else { Ok(token) }
    }

    fn quoted(&mut self) -> Result<String, HopError> {
        let (mut value, mut escaped) = (String::new(), false);
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                _ => value.push(c),
            }
        }
        Err(HopError::Syntax("a quote without its end"))
    }

    fn expect(&mut self, wanted: char, found: &'static str) -> Result<(), HopError> {
        self.rest = self.rest.strip_prefix(wanted).ok_or(HopError::Syntax(found))?;
        Ok(())
    }

    fn blank(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}

/// RFC 9110 §5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}
