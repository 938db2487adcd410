//! What of a file comes, held against what the case has of it: bytes go on with the file that their client began.

use std::time::Duration;

use hyper::StatusCode;

use super::answer::{self, Answer};
use super::ask::Wanted;
use super::range::ContentRange;
use crate::case::CaseGrant;
use crate::intake::{Intake, Place, Tag};
use crate::store::{Upload, UploadState};

/// Looks at what is there before "nothing" is said, and the time between two.
const LOOKS: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(200);

/// A file that a client means: all of it, or its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Meant {
    upload: i64,
    state: UploadState,
    size: u64,
    tag: Option<Tag>,
}

/// Where the bytes of a request belong; an answer where none come, or they belong nowhere.
pub(super) async fn find(
    intake: &Intake,
    grant: &CaseGrant,
    (wanted, address): (&Wanted, &str),
) -> Result<Place, Box<Answer>> {
    let (first, total) = match wanted.range {
        None => return wanted.begins(Place::New { total: wanted.length }),
        Some(ContentRange::Bytes { first: 0, total, .. }) => return wanted.begins(Place::New { total: Some(total) }),
        Some(ContentRange::Bytes { first, total, .. }) => (Some(first), total),
        Some(ContentRange::Asks { total }) => (None, total),
    };
    let meant = settled(intake, grant, (wanted, total, address), first.is_none()).await?;
    if wanted.tags.is_some() && meant.is_none() {
        return Err(Box::new(answer::no_such_beginning()));
    }
    let Some(first) = first else { return Err(Box::new(is_there(meant, total))) };
    let beginning = meant.filter(|meant| meant.state == UploadState::Partial);
    match beginning.and_then(|meant| Some((meant, meant.tag?))) {
        Some((meant, tag)) if meant.size == first => {
            Ok(Place::After { upload: meant.upload, offset: first, total, tag })
        }
        _ => {
            let (size, tag) = beginning.map_or((0, None), |meant| (meant.size, meant.tag));
            Err(Box::new(answer::resume(StatusCode::RANGE_NOT_SATISFIABLE, (size, total), tag)))
        }
    }
}

impl Wanted {
    /// A file from its beginning, which is none that is there already.
    fn begins(&self, place: Place) -> Result<Place, Box<Answer>> {
        if self.tags.is_none() { Ok(place) } else { Err(Box::new(answer::no_such_beginning())) }
    }
}

/// The file that is meant. Who was cut off asks at once, while what came is still on its way to the disk: to whoever asks,
/// "nothing" is said a moment later.
async fn settled(
    intake: &Intake,
    grant: &CaseGrant,
    (wanted, total, address): (&Wanted, u64, &str),
    is_asked: bool,
) -> Result<Option<Meant>, Box<Answer>> {
    for _ in 0..LOOKS {
        let files = intake.store().uploads_called(grant.number(), &wanted.label.name, total).await;
        let files = files.map_err(|error| Box::new(answer::not_taken(&error.into())))?;
        let meant = meant(&files, wanted.tags.as_deref(), address);
        if meant.is_some() || !is_asked {
            return Ok(meant);
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(None)
}

/// Which of a case's files of one name and length, the newest first, a client means: the one that it names, else the newest
/// that came from its address; else the only beginning that is there. Where two could be meant, none is: what one customer
/// sends never goes on with what another one began.
fn meant(files: &[Upload], tags: Option<&[String]>, address: &str) -> Option<Meant> {
    let tag = |upload: &Upload| upload.parts.first().map(|part| Tag::of(&part.kept));
    let found = match tags {
        Some(tags) => files.iter().find(|&upload| tag(upload).is_some_and(|tag| tags.contains(&tag.to_string()))),
        None => files.iter().find(|upload| upload.address == address).or_else(|| {
            let mut beginnings = files.iter().filter(|upload| upload.state == UploadState::Partial);
            beginnings.next().filter(|_| beginnings.next().is_none())
        }),
    };
    found.map(|upload| Meant { upload: upload.id, state: upload.state, size: upload.size, tag: tag(upload) })
}

/// How much is there of a file that a client asks for.
fn is_there(meant: Option<Meant>, total: u64) -> Answer {
    match meant {
        Some(meant) if meant.state == UploadState::Complete => answer::text(StatusCode::CREATED, "all of it is there"),
        Some(meant) => answer::resume(StatusCode::PERMANENT_REDIRECT, (meant.size, total), meant.tag),
        None => answer::resume(StatusCode::PERMANENT_REDIRECT, (0, total), None),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::{Part, UploadKind};

    fn file(id: i64, address: &str, size: u64) -> Upload {
        let kept = format!("{id:032x}").parse().expect("a name");
        Upload {
            id,
            kind: UploadKind::Case,
            at: Timestamp::default(),
            touched: Timestamp::default(),
            device: None,
            case: None,
            name: "core".into(),
            description: String::new(),
            category: String::new(),
            size,
            total: Some(300),
            sha256: None,
            state: if size == 300 { UploadState::Complete } else { UploadState::Partial },
            address: address.into(),
            parts: vec![Part { kept, size, sha256: String::new() }],
        }
    }

    #[test]
    fn a_client_goes_on_with_what_came_from_its_address() {
        let files = [file(4, "b", 200), file(3, "a", 100), file(2, "a", 50), file(1, "c", 300)];
        let meant = |address: &str| meant(&files, None, address).map(|meant| (meant.upload, meant.size));
        assert_eq!((meant("a"), meant("b"), meant("c")), (Some((3, 100)), Some((4, 200)), Some((1, 300))));
        assert_eq!(meant("d"), None, "three beginnings could be meant");
    }

    #[test]
    fn a_client_with_another_address_goes_on_with_the_only_beginning_and_has_not_sent_what_another_has() {
        let files = [file(2, "c", 300), file(1, "a", 100)];
        assert_eq!(meant(&files, None, "b").map(|meant| meant.upload), Some(1));
        assert_eq!(meant(&files[..1], None, "b"), None);
    }

    #[test]
    fn whoever_says_which_one_is_believed_and_gets_no_other() {
        let files = [file(2, "a", 200), file(1, "a", 100)];
        let tag = |upload: &Upload| Tag::of(&upload.parts[0].kept).to_string();
        let meant = |tags: &[String]| meant(&files, Some(tags), "b").map(|meant| meant.upload);
        assert_eq!(meant(&[tag(&files[1])]), Some(1));
        assert_eq!(meant(&[String::new(), tag(&files[0])]), Some(2));
        assert_eq!((meant(&["0".repeat(16)]), meant(&[])), (None, None));
    }
}
