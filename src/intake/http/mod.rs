//! `PUT /home/NAME` over HTTP/1.1: files of any length, in one go or in ranges.
//!
//! | the client sends | it is told |
//! |---|---|
//! | a body | 201: all of it is kept |
//! | `Content-Range: bytes 0-99/300` and these bytes | 308 and `Range: bytes=0-99`; 201 with the last ones |
//! | `Content-Range: bytes */300` and nothing | the same: how much of this client's file of this name and length is there |
//! | bytes that do not follow on those that are there | 416, and how much is there |
//! | bytes that another client is just sending | 409 |
//! | `If-Match` with an `ETag` that was told | the same, of that file; 412: it is not there |
//!
//! A file whose connection breaks off is kept as far as it came, if its length was said, and can be gone on with.

mod answer;
mod ask;
mod pace;
mod place;
mod range;
mod serve;

use hyper::StatusCode;
use hyper::body::Incoming;

use self::answer::Answer;
use self::ask::Wanted;
use self::pace::{Broken, Paced};
use self::range::ContentRange;
pub use self::serve::{Door, accept};
use super::{Announced, Place, Receiving, Taken, Told};
use crate::app::App;
use crate::case::FileName;
use crate::listen::proxy::Origin;

/// A request's answer, and whether its body was read to the end: if not, the connection ends with it.
struct Answered {
    answer: Answer,
    is_read: bool,
}

impl Answered {
    fn unread(answer: Answer) -> Self {
        Self { answer, is_read: false }
    }
}

/// Answers one request.
async fn respond(door: &Door, app: &App, origin: Origin, request: hyper::Request<Incoming>) -> Answered {
    let (head, body) = request.into_parts();
    if let Err(answer) = ask::is_home(&head) {
        return Answered::unread(*answer);
    }
    let peer = match door.client(origin, &head.headers) {
        Ok(peer) => peer,
        Err(error) => {
            tracing::info!(target: "phoneprov::intake", proxy = %origin.peer, reason = %error, "not let in");
            let text = "what the proxy says of its client is not understood";
            return Answered::unread(answer::text(StatusCode::BAD_REQUEST, text));
        }
    };
    let refused = || Answered::unread(answer::denied(&super::Denied::Refused));
    let Some(presented) = ask::presented(&head.headers) else { return refused() };
    let grant = match door.intake.login(app, peer.ip(), &presented.user, &presented.token).await {
        Ok(grant) => grant,
        Err(denied) => return Answered::unread(answer::denied(&denied)),
    };
    let (address, transport) = (peer.ip().to_canonical().to_string(), door.settings.protocol().as_str());
    let wanted = match Wanted::read(&head) {
        Ok(wanted) => wanted,
        Err(reason) => {
            let name = FileName::shortened(&ask::said_name(&head)).ok();
            let told = Told { file: name.as_ref().map_or("-", FileName::as_str), peer: &address, transport };
            door.intake.not_kept(grant.number(), told, (&reason, 0));
            return Answered::unread(answer::text(StatusCode::BAD_REQUEST, &reason));
        }
    };
    let place = match place::find(&door.intake, &grant, (&wanted, &address)).await {
        Ok(place) => place,
        Err(answer) => return Answered::unread(*answer),
    };
    let expected = match wanted.range {
        Some(ContentRange::Bytes { length, .. }) => Some(length),
        Some(ContentRange::Asks { .. }) | None => wanted.length,
    };
    let announced = Announced { label: wanted.label, address, transport, place, length: expected };
    match door.intake.begin(&grant, announced).await {
        Ok(receiving) => receive(door, receiving, (body, expected), place).await,
        Err(error) => Answered::unread(answer::not_taken(&error)),
    }
}

/// Takes a body, and answers when what came is on the disk and listed.
async fn receive(
    door: &Door,
    mut receiving: Receiving,
    (body, expected): (Incoming, Option<u64>),
    place: Place,
) -> Answered {
    let mut body = Paced::new(door, body);
    loop {
        let bytes = match body.next().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(Broken(reason)) => {
                receiving.cut(reason).await;
                let late = "the rest of it did not come in time";
                return Answered::unread(answer::text(StatusCode::REQUEST_TIMEOUT, late));
            }
        };
        if expected.is_some_and(|expected| receiving.came() + bytes.len() as u64 > expected) {
            let reason = "more came than was announced";
            receiving.abandon(reason);
            return Answered::unread(answer::text(StatusCode::BAD_REQUEST, reason));
        }
        if let Err(error) = receiving.write(&bytes).await {
            return Answered::unread(answer::not_taken(&error));
        }
        body.wrote();
    }
    // A body without a length may end before what was announced of it.
    let is_short = expected.is_some_and(|expected| receiving.came() < expected);
    if is_short && receiving.came() == 0 {
        receiving.abandon("nothing came");
        return Answered { answer: answer::text(StatusCode::BAD_REQUEST, "nothing came"), is_read: true };
    }
    let finished = receiving.finish().await;
    let answer = match finished {
        Ok(taken) => answer::taken(&whole(taken, place)),
        Err(error) => answer::not_taken(&error),
    };
    Answered { answer, is_read: true }
}

/// What is there, where a client announced no length: what came is all.
fn whole(taken: Taken, place: Place) -> Taken {
    match place {
        Place::New { total: None } => Taken { total: taken.size, ..taken },
        Place::New { total: Some(_) } | Place::After { .. } => taken,
    }
}
