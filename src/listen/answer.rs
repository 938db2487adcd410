//! A profile's response as HTTP has it.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};

use super::body::Reply;
use crate::provision::{Body, Response, Status};

/// Headers and status around a response's body.
pub(super) fn answer(response: Response, body: impl FnOnce(Body) -> Reply) -> hyper::Response<Reply> {
    let mut headers = HeaderMap::with_capacity(8 + response.headers.len());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(response.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(coding) = response.content_encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    if response.varies {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let (tag, last_modified) = response.validators.into_headers();
    headers.insert(header::ETAG, tag);
    headers.insert(header::LAST_MODIFIED, last_modified);
    if let Some(range) = content_range(response.status) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    // A rule's header stands in for ours: `extend` would send both.
    for (name, value) in response.headers {
        headers.insert(name, value);
    }
    let mut answer = hyper::Response::new(body(response.body));
    *answer.status_mut() = match response.status {
        Status::Ok => StatusCode::OK,
        Status::Partial(_) => StatusCode::PARTIAL_CONTENT,
        Status::NotModified => StatusCode::NOT_MODIFIED,
        Status::BadRange(_) => StatusCode::RANGE_NOT_SATISFIABLE,
    };
    *answer.headers_mut() = headers;
    answer
}

fn content_range(status: Status) -> Option<HeaderValue> {
    let text = match status {
        Status::Ok | Status::NotModified => return None,
        Status::Partial(range) => format!("bytes {}-{}/{}", range.first, range.last, range.total),
        Status::BadRange(total) => format!("bytes */{total}"),
    };
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}
