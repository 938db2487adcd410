//! What every refusal looks like over HTTP: not found, or a password is needed, as the path alone says.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use super::body::Reply;
use crate::provision::Body;

const NOT_FOUND: &[u8] = b"not found\n";

/// On the paths of a rule that asks for a password.
const UNAUTHORIZED: &[u8] = b"a password is needed\n";

/// While the store is away: the phone may have a profile, and comes again.
const UNAVAILABLE: &[u8] = b"not now\n";

/// The answer while it cannot be known whether there is one (RFC 9110 §15.6.4).
pub(super) fn unavailable(body: impl FnOnce(Body) -> Reply) -> hyper::Response<Reply> {
    let mut answer = hyper::Response::new(body(Body::Bytes(Bytes::from_static(UNAVAILABLE))));
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = answer.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// The answer with these challenges; "not found" without any.
pub(super) fn refusal(challenges: &[String], body: impl FnOnce(Body) -> Reply) -> hyper::Response<Reply> {
    let (status, text) = match challenges {
        [] => (StatusCode::NOT_FOUND, NOT_FOUND),
        [..] => (StatusCode::UNAUTHORIZED, UNAUTHORIZED),
    };
    let mut answer = hyper::Response::new(body(Body::Bytes(Bytes::from_static(text))));
    *answer.status_mut() = status;
    for challenge in challenges.iter().filter_map(|challenge| HeaderValue::from_str(challenge).ok()) {
        answer.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
    }
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
