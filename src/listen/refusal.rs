//! What every refusal looks like over HTTP: not found, or a password is needed, as the path alone says.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use super::body::Reply;
use crate::provision::{Body, Refusal, UploadFault};

const NOT_FOUND: &[u8] = b"not found\n";

/// On the paths of a rule that asks for a password.
const UNAUTHORIZED: &[u8] = b"a password is needed\n";

/// While the store is away: the phone may have a profile, and comes again.
const UNAVAILABLE: &[u8] = b"not now\n";

/// Where there is no room for what a phone sends.
const NO_ROOM: &[u8] = b"no room\n";

/// What somebody who is refused sees.
pub(super) enum Look {
    /// "Not found", or the challenges that the path alone calls for.
    NotFound(Vec<String>),
    /// It cannot be known, or done, just now (RFC 9110 §15.6.4).
    NotNow,
    /// What was sent finds no room (RFC 4918 §11.5).
    NoRoom,
}

impl Look {
    /// That of a refusal. Only who has leave to send something hears that there is no room for it.
    pub(super) fn of(refusal: &Refusal, challenges: Vec<String>) -> Self {
        match refusal {
            Refusal::Store(_) | Refusal::Upload(UploadFault::Busy(_) | UploadFault::Vault(_)) => Self::NotNow,
            Refusal::Upload(UploadFault::Full(_)) => Self::NoRoom,
            _ => Self::NotFound(challenges),
        }
    }

    /// The answer.
    pub(super) fn answer(self, body: impl FnOnce(Body) -> Reply) -> hyper::Response<Reply> {
        let (status, text) = match &self {
            Self::NotFound(challenges) if challenges.is_empty() => (StatusCode::NOT_FOUND, NOT_FOUND),
            Self::NotFound(_) => (StatusCode::UNAUTHORIZED, UNAUTHORIZED),
            Self::NotNow => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
            Self::NoRoom => (StatusCode::INSUFFICIENT_STORAGE, NO_ROOM),
        };
        let mut answer = hyper::Response::new(body(Body::Bytes(Bytes::from_static(text))));
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        match self {
            Self::NotFound(challenges) => {
                for challenge in challenges.iter().filter_map(|challenge| HeaderValue::from_str(challenge).ok()) {
                    headers.append(header::WWW_AUTHENTICATE, challenge);
                }
            }
            Self::NotNow => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"))),
            Self::NoRoom => {}
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        answer
    }
}
