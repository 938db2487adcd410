//! What a request says, before any of its body is read.

use std::borrow::Cow;

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::request::Parts;
use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use super::answer::{self, Answer};
use super::range::ContentRange;
use crate::case::{FileName, Label, Remark};
use crate::device::Secret;
use crate::password::Authorization;

/// Where files are handed in.
const HOME: &str = "/home/";

/// The same as `?description=` and `?category=`.
const DESCRIPTION: HeaderName = HeaderName::from_static("x-description");
const CATEGORY: HeaderName = HeaderName::from_static("x-category");

/// A number and a token that a client presents.
pub(super) struct Presented {
    /// The case's number, or whatever stands in its place.
    pub(super) user: String,
    /// The token.
    pub(super) token: Secret,
}

/// A file that a client wants to hand in.
pub(super) struct Wanted {
    /// What it says of it.
    pub(super) label: Label,
    /// Which bytes of it come.
    pub(super) range: Option<ContentRange>,
    /// Which beginnings it may go on with, where that is said.
    pub(super) tags: Option<Vec<String>>,
    /// How long the body is, where that is said.
    pub(super) length: Option<u64>,
}

/// Whether the request is to hand something in at all; the answer is the same with and without a token.
pub(super) fn is_home(head: &Parts) -> Result<(), Box<Answer>> {
    if !head.uri.path().starts_with(HOME) {
        return Err(Box::new(answer::not_found()));
    }
    if head.method == Method::PUT { Ok(()) } else { Err(Box::new(answer::only_put())) }
}

/// The number and the token; `None`: there is nothing that could be one.
pub(super) fn presented(headers: &HeaderMap) -> Option<Presented> {
    match Authorization::parse(headers.get(header::AUTHORIZATION)?.as_bytes()).ok()? {
        Authorization::Basic(basic) => Some(Presented { user: basic.user, token: basic.password }),
        Authorization::Digest(_) => None,
    }
}

/// What a client calls its file, whatever that is.
pub(super) fn said_name(head: &Parts) -> Cow<'_, [u8]> {
    percent_decode_str(head.uri.path().strip_prefix(HOME).unwrap_or_default()).into()
}

impl Wanted {
    /// Reads what is said of the file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(head: &Parts) -> Result<Self, String> {
        let name = FileName::parse(&said_name(head)).map_err(|error| error.to_string())?;
        let said = |key: &str, header: &HeaderName| {
            let header = || head.headers.get(header).map(|value| value.as_bytes().to_vec());
            query(&head.uri, key).or_else(header).unwrap_or_default()
        };
        let label = Label {
            name,
            description: Remark::description(&said("description", &DESCRIPTION)),
            category: Remark::category(&said("category", &CATEGORY)),
        };
        let range = head.headers.get(header::CONTENT_RANGE).map(|value| ContentRange::parse(value.as_bytes()));
        let range = range.transpose().map_err(|error| error.to_string())?;
        let length = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if let (Some(ContentRange::Bytes { length: announced, .. }), Some(length)) = (range, length)
            && announced != length
        {
            return Err("Content-Range and Content-Length do not say the same".to_owned());
        }
        Ok(Self { label, range, tags: tags(&head.headers), length })
    }
}

/// The tags of `If-Match`; `None`: there are none, or any will do.
fn tags(headers: &HeaderMap) -> Option<Vec<String>> {
    let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
    values.peek()?;
    let texts = values.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    let tags: Vec<String> = texts.map(|tag| tag.trim().trim_matches('"').to_owned()).collect();
    (!tags.iter().any(|tag| tag == "*")).then_some(tags)
}

/// A value of the query, decoded.
fn query(uri: &Uri, wanted: &str) -> Option<Vec<u8>> {
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == wanted)?;
    Some(percent_decode_str(&value.replace('+', " ")).collect())
}
