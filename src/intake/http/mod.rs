//! `PUT /home/NAME` over HTTP/1.1: files of any length, in one go or in ranges.
//!
//! | the client sends | it is told |
//! |---|---|
//! | a body | 201: all of it is kept |
//! | `Content-Range: bytes 0-99/300` and these bytes | 308 and `Range: bytes=0-99`; 201 with the last ones |
//! | `Content-Range: bytes */300` and nothing | the same: how much of the newest file with this name and length is there |
//! | bytes that do not follow on those that are there | 416, and how much is there |
//!
//! A file whose connection breaks off is kept as far as it came, if its length was said, and can be gone on with.

mod answer;
mod ask;
mod pace;
mod range;
mod serve;

use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Incoming;

use self::answer::Answer;
use self::ask::Wanted;
use self::pace::{Broken, Pace};
use self::range::ContentRange;
pub use self::serve::{Door, accept};
use super::{Announced, Intake, Place, Receiving, Taken};
use crate::app::App;
use crate::case::{CaseGrant, FileName};
use crate::store::{Upload, UploadState};

/// Looks at what is there before "nothing" is said, and the time between two.
const LOOKS: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(200);

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
async fn respond(door: &Door, app: &App, peer: SocketAddr, request: hyper::Request<Incoming>) -> Answered {
    let (head, body) = request.into_parts();
    if let Err(answer) = ask::is_home(&head) {
        return Answered::unread(*answer);
    }
    let refused = || Answered::unread(answer::denied(&super::Denied::Refused));
    let Some(presented) = ask::presented(&head.headers) else { return refused() };
    let grant = match door.intake.login(app, peer.ip(), &presented.user, &presented.token).await {
        Ok(grant) => grant,
        Err(denied) => return Answered::unread(answer::denied(&denied)),
    };
    let wanted = match Wanted::read(&head) {
        Ok(wanted) => wanted,
        Err(answer) => return Answered::unread(*answer),
    };
    let place = match place(&door.intake, &grant, &wanted).await {
        Ok(place) => place,
        Err(answer) => return Answered::unread(*answer),
    };
    let expected = match wanted.range {
        Some(ContentRange::Bytes { length, .. }) => Some(length),
        Some(ContentRange::Asks { .. }) | None => wanted.length,
    };
    let address = peer.ip().to_canonical().to_string();
    let announced = Announced { label: wanted.label, address, place, length: expected };
    match door.intake.begin(&grant, announced).await {
        Ok(receiving) => receive(door, receiving, (body, expected), place).await,
        Err(error) => Answered::unread(answer::not_taken(&error)),
    }
}

/// What of a file comes, held against what is there of it; an answer where nothing comes.
async fn place(intake: &Intake, grant: &CaseGrant, wanted: &Wanted) -> Result<Place, Box<Answer>> {
    let (first, total) = match wanted.range {
        None => return Ok(Place::New { total: wanted.length }),
        Some(ContentRange::Bytes { first: 0, total, .. }) => return Ok(Place::New { total: Some(total) }),
        Some(ContentRange::Bytes { first, total, .. }) => (Some(first), total),
        Some(ContentRange::Asks { total }) => (None, total),
    };
    let there = settled(intake, grant, (&wanted.label.name, total), first.is_none()).await?;
    let Some(first) = first else { return Err(Box::new(is_there(there.as_ref(), total))) };
    match there {
        Some(upload) if upload.state == UploadState::Partial && upload.size == first => {
            Ok(Place::After { upload: upload.id, offset: first, total })
        }
        there => {
            let size = there.filter(|upload| upload.state == UploadState::Partial).map_or(0, |upload| upload.size);
            Err(Box::new(answer::resume(StatusCode::RANGE_NOT_SATISFIABLE, size, total)))
        }
    }
}

/// The newest file of this name and length. Who was cut off asks at once, while what came is still on its way to the disk: to
/// whoever asks, "nothing" is said a moment later.
async fn settled(
    intake: &Intake,
    grant: &CaseGrant,
    (name, total): (&FileName, u64),
    is_asked: bool,
) -> Result<Option<Upload>, Box<Answer>> {
    for _ in 0..LOOKS {
        let there = intake.store().newest_upload(grant.number(), name, total).await;
        let there = there.map_err(|error| Box::new(answer::not_taken(&error.into())))?;
        if there.is_some() || !is_asked {
            return Ok(there);
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(None)
}

/// How much is there of a file that a client asks for.
fn is_there(upload: Option<&Upload>, total: u64) -> Answer {
    match upload {
        Some(upload) if upload.state == UploadState::Complete => {
            answer::text(StatusCode::CREATED, "all of it is there")
        }
        Some(upload) => answer::resume(StatusCode::PERMANENT_REDIRECT, upload.size, total),
        None => answer::resume(StatusCode::PERMANENT_REDIRECT, 0, total),
    }
}

/// Takes a body, and answers when what came is on the disk and listed.
async fn receive(
    door: &Door,
    mut receiving: Receiving,
    (mut body, expected): (Incoming, Option<u64>),
    place: Place,
) -> Answered {
    let mut clock = Pace::new(door);
    loop {
        let bytes = match clock.next(&mut body).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(Broken) => {
                receiving.cut().await;
                let late = "the rest of it did not come in time";
                return Answered::unread(answer::text(StatusCode::REQUEST_TIMEOUT, late));
            }
        };
        if expected.is_some_and(|expected| receiving.came() + bytes.len() as u64 > expected) {
            return Answered::unread(answer::text(StatusCode::BAD_REQUEST, "more came than was announced"));
        }
        if let Err(error) = receiving.write(&bytes).await {
            return Answered::unread(answer::not_taken(&error));
        }
        clock.wrote();
    }
    // A body without a length may end before what was announced of it.
    let is_short = expected.is_some_and(|expected| receiving.came() < expected);
    if is_short && receiving.came() == 0 {
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
