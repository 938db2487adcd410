//! What clients are told over HTTP.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use crate::intake::{Denied, IntakeError, Tag, Taken};

/// An answer: a status, a line of text, and what is there of a file.
pub(super) type Answer = hyper::Response<String>;

/// An answer with a line of text.
pub(super) fn text(status: StatusCode, line: &str) -> Answer {
    let mut answer = hyper::Response::new(format!("{line}\n"));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// Whatever is not `/home/NAME`.
pub(super) fn not_found() -> Answer {
    text(StatusCode::NOT_FOUND, "not found")
}

/// Whatever is not PUT: nothing is read here.
pub(super) fn only_put() -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "files are handed in with PUT, and nothing else");
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("PUT"));
    answer
}

/// Whoever is not let in, whatever the reason.
pub(super) fn denied(denied: &Denied) -> Answer {
    let mut answer = match denied {
        Denied::Refused | Denied::NoPlace => {
            text(StatusCode::UNAUTHORIZED, "the number of a case and an upload token of it are needed")
        }
        Denied::Away(_) => return later("not now"),
    };
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"phoneprov\""));
    answer
}

/// Whoever has to come again.
pub(super) fn later(line: &str) -> Answer {
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, line);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    answer
}

/// What is there of a file: all of it, or its beginning.
pub(super) fn taken(taken: &Taken) -> Answer {
    if taken.is_complete() {
        return text(
            StatusCode::CREATED,
            &format!("kept, {} bytes; SHA-256 of what came now: {}", taken.size, taken.sha256),
        );
    }
    resume(StatusCode::PERMANENT_REDIRECT, (taken.size, taken.total), Some(taken.tag))
}

/// How much of a file is there, and which one it is. Without a `Location`, 308 leads nowhere: clients that know no more stop.
pub(super) fn resume(status: StatusCode, (size, total): (u64, u64), tag: Option<Tag>) -> Answer {
    let mut answer = text(status, &format!("{size} of {total} bytes are there"));
    let mut say = |header, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(header, value);
        }
    };
    if let Some(last) = size.checked_sub(1) {
        say(header::RANGE, format!("bytes=0-{last}"));
    }
    if let Some(tag) = tag {
        say(header::ETAG, format!("\"{tag}\""));
    }
    answer
}

/// Whoever goes on with what is not there, by `If-Match` (RFC 9110 §13.1.1).
pub(super) fn no_such_beginning() -> Answer {
    text(StatusCode::PRECONDITION_FAILED, "there is no such beginning of it")
}

/// Whoever goes on with what another one is just going on with.
fn taken_by_another() -> Answer {
    let mut answer = text(StatusCode::CONFLICT, "another client is going on with it: ask in a while how much is there");
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    answer
}

/// Why a file is not taken. The reason is the log's.
pub(super) fn not_taken(error: &IntakeError) -> Answer {
    match error {
        IntakeError::Full(_) => {
            text(StatusCode::INSUFFICIENT_STORAGE, "there is no room for it: nothing of it was kept")
        }
        IntakeError::Later(_) => later("not now"),
        IntakeError::Occupied => taken_by_another(),
        IntakeError::Gap => text(StatusCode::RANGE_NOT_SATISFIABLE, "it does not follow on what is there"),
        IntakeError::Expired | IntakeError::Closed => denied(&Denied::Refused),
        IntakeError::Failed(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "it could not be kept"),
    }
}
