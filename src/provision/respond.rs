//! Step 7: the response around the bytes: validators, conditions and ranges (RFC 9110 §8.8, §13, §14).

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};

use super::document::Finished;
use super::resolve::media_type;
use super::{Coding, ContentHash, Profile, Refusal, Request, Validators, Verb};
use crate::cipher::Scheme;
use crate::profile::tree::Tree;

/// Why a file that is sent as it is read does not arrive whole.
pub const SHORTER: &str = "the file became shorter while it was sent";

/// An answer, in terms that every protocol can carry out.
#[derive(Debug)]
pub struct Response {
    /// Whether all, a part, or nothing is sent.
    pub status: Status,
    /// `Content-Type`, unless the rule sets one.
    pub content_type: &'static str,
    /// `Content-Encoding`.
    pub content_encoding: Option<&'static str>,
    /// The answer depends on `Accept-Encoding`.
    pub varies: bool,
    /// `ETag` and `Last-Modified`.
    pub validators: Validators,
    /// A hash of the content as the phone reads it; of a file that is too large to be held, what tells it from others.
    pub version: ContentHash,
    /// The rule's own headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent.
    pub body: Body,
}

/// The status of an answer; everything else is a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 200.
    Ok,
    /// 206, with the part that is sent.
    Partial(ByteRange),
    /// 304.
    NotModified,
    /// 416: the range lies outside the file, which has this many bytes.
    BadRange(u64),
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub first: u64,
    /// The last byte, which is sent too.
    pub last: u64,
    /// The whole file's length.
    pub total: u64,
}

/// An answer's bytes.
#[derive(Debug)]
pub enum Body {
    /// In memory.
    Bytes(Bytes),
    /// In a file, of which `length` bytes are sent, from `start` on.
    File {
        /// Open for reading.
        file: File,
        /// Where the part begins.
        start: u64,
        /// How long it is.
        length: u64,
    },
}

impl Body {
    /// How many bytes are sent.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// The response with a finished document.
#[must_use]
pub(super) fn respond(tree: &Tree, request: &Request<'_>, profile: &Profile, document: &Arc<Finished>) -> Response {
    let is_direct = || document.is_direct(tree.root(), profile.grant().found());
    let status = status(request, (&document.validators, &is_direct), document.bytes.len() as u64);
    let body = match status {
        Status::Ok => document.bytes.clone(),
        Status::Partial(range) => document.bytes.slice(as_index(range.first)..=as_index(range.last)),
        Status::NotModified | Status::BadRange(_) => Bytes::new(),
    };
    response(profile, document.coding, status, (document.validators.clone(), document.version), Body::Bytes(body))
}

/// The response with a file that is too large to be held.
pub(super) fn stream(tree: &Tree, request: &Request<'_>, profile: &Profile) -> Result<Response, Refusal> {
    let name = &profile.grant().found().file;
    let (file, stamp) = tree.root().open_file(name).map_err(|error| Refusal::File { file: name.to_string(), error })?;
    let tag = stamp.tag();
    let validators = Validators::new(&tag, stamp.changed());
    let is_direct = || tree.root().is_direct(name);
    let status = status(request, (&validators, &is_direct), stamp.size());
    let body = match status {
        Status::Ok => Body::File { file, start: 0, length: stamp.size() },
        Status::Partial(range) => Body::File { file, start: range.first, length: range.last - range.first + 1 },
        Status::NotModified | Status::BadRange(_) => Body::Bytes(Bytes::new()),
    };
    Ok(response(profile, Coding::Identity, status, (validators, ContentHash::of(tag.as_bytes())), body))
}

fn response(
    profile: &Profile,
    coding: Coding,
    status: Status,
    (validators, version): (Validators, ContentHash),
    body: Body,
) -> Response {
    let grant = profile.grant();
    let scheme = grant.treatment().encryption.as_ref().map(|encryption| encryption.scheme);
    let media = media_type(&grant.found().file);
    let (content_type, content_encoding) = match (scheme, coding) {
        (Some(Scheme::Aes128Gcm), _) => ("application/octet-stream", Some("aes128gcm")),
        (Some(Scheme::Aes256Cbc), _) => ("application/octet-stream", None),
        (None, Coding::GzipFile) => ("application/gzip", None),
        (None, Coding::GzipTransport) => (media.as_str(), Some("gzip")),
        (None, Coding::Identity) => (media.as_str(), None),
    };
    let varies = scheme.is_none() && coding != Coding::GzipFile;
    let headers = grant.treatment().headers.clone();
    Response { status, content_type, content_encoding, varies, validators, version, headers, body }
}

/// Holds the request's conditions against the validators, in the order of RFC 9110 §13.2.2. A date counts only for what no link
/// leads to: one link of several may have turned elsewhere, to what is no newer.
fn status(request: &Request<'_>, (validators, is_direct): (&Validators, &dyn Fn() -> bool), total: u64) -> Status {
    let conditions = &request.conditions;
    let unchanged = match (conditions.if_none_match, conditions.if_modified_since) {
        (Some(tags), _) => validators.is_among(tags),
        (None, Some(since)) => validators.is_unchanged_since(since) && is_direct(),
        (None, None) => false,
    };
    if unchanged {
        return Status::NotModified;
    }
    let same = conditions.if_range.is_none_or(|validator| validators.is_range_of(validator));
    match conditions.range.filter(|_| same && request.verb == Verb::Get) {
        Some(range) => byte_range(range, total),
        None => Status::Ok,
    }
}

/// One range of bytes; several ranges, or other units, are answered with the whole file, as RFC 9110 §14.2 allows.
fn byte_range(text: &str, total: u64) -> Status {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Status::Ok;
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => Some((first, last.min(total.saturating_sub(1)))),
        (Ok(first), Err(_)) if last.trim().is_empty() => Some((first, total.saturating_sub(1))),
        (Err(_), Ok(length)) if first.trim().is_empty() && length > 0 => {
            Some((total.saturating_sub(length), total.saturating_sub(1)))
        }
        (Err(_), Ok(0)) if first.trim().is_empty() => return Status::BadRange(total),
        _ => None,
    };
    match range {
        Some((first, last)) if first < total => Status::Partial(ByteRange { first, last, total }),
        Some(_) => Status::BadRange(total),
        None => Status::Ok,
    }
}

fn as_index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(first: u64, last: u64) -> Status {
        Status::Partial(ByteRange { first, last, total: 100 })
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_writes_them() {
        assert_eq!(byte_range("bytes=0-9", 100), partial(0, 9));
        assert_eq!(byte_range("bytes=90-", 100), partial(90, 99));
        assert_eq!(byte_range("bytes=-10", 100), partial(90, 99));
        assert_eq!(byte_range("bytes=0-1000", 100), partial(0, 99));
        assert_eq!(byte_range("bytes=-1000", 100), partial(0, 99));
        assert_eq!(byte_range("bytes=100-", 100), Status::BadRange(100));
        assert_eq!(byte_range("bytes=-0", 100), Status::BadRange(100));
        for whole in ["bytes=9-0", "bytes=0-1,4-5", "lines=0-9", "bytes=", "bytes=a-b", "bytes=-"] {
            assert_eq!(byte_range(whole, 100), Status::Ok, "{whole}");
        }
        assert_eq!(byte_range("bytes=0-0", 0), Status::BadRange(0));
    }
}
