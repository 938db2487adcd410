//! `phoneprov case mail`: attachments of a message, for an alias of a mail server.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;

use super::letter::Letter;
use crate::case::{CaseGrant, CaseNumber, FileName, Label, Remark};
use crate::cli::store::with_shared_store;
use crate::config::{Config, Uploads};
use crate::event::{News, Reception};
use crate::intake::{Announced, Intake, IntakeError, Place};
use crate::metrics::Metrics;
use crate::store::Store;
use crate::terminal::OneLine;
use crate::vault::Vault;

/// Take a message from standard input, and keep its attachments as files of the case that its subject names: `Case 612345678`.
///
/// For an alias of a mail server. A message proves nothing of its sender: any open case takes one. Exits with 0, or with what mail
/// servers know (sysexits.h): 65 for a message without case or attachments, or that is not whole, 67 where no such case is open,
/// 75 to try again later.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// A subject, where events are shown (bytes).
const SUBJECT: usize = 200;

/// Why a message is not taken, as mail servers know it (sysexits.h). The text goes back to its sender.
#[derive(Debug, thiserror::Error)]
enum Returned {
    /// `EX_DATAERR`.
    #[error("{0}")]
    Message(String),
    /// `EX_NOUSER`.
    #[error("there is no open case {0}")]
    NoCase(CaseNumber),
    /// `EX_TEMPFAIL`.
    #[error("{0}")]
    Later(String),
}

impl Returned {
    fn code(&self) -> u8 {
        match self {
            Self::Message(_) => 65,
            Self::NoCase(_) => 67,
            Self::Later(_) => 75,
        }
    }
}

/// Takes it. Whatever is wrong here, and not with the message, is worth another try: a mail server would give others up.
pub(super) fn run(_: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    let taken = with_shared_store(config, async |config, store| take(&config, &store).await);
    let returned = match taken {
        Ok(Ok(taken)) => {
            println!("{taken}");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Err(returned)) => returned,
        Err(error) => Returned::Later(format!("{error:#}")),
    };
    eprintln!("phoneprov: {}", OneLine(&returned));
    Ok(ExitCode::from(returned.code()))
}

async fn take(config: &Config, store: &Arc<Store>) -> anyhow::Result<Result<String, Returned>> {
    let uploads = config.uploads.as_ref().context("there is no [uploads]: nothing can be kept")?;
    let most = uploads.mail_size.count();
    let text = read(most)?;
    let is_too_large = text.len() as u64 > most;
    let letter = if is_too_large { Letter::head(&text) } else { Letter::parse(&text) };
    let taken = match &letter {
        _ if is_too_large => Err(Returned::Message(format!("the message is larger than {most} bytes"))),
        Some(letter) => keep(uploads, store, letter).await,
        None => Err(Returned::Message("this is no message".to_owned())),
    };
    if config.events.is_some() {
        // The files are there, whether or not it is told.
        let _ = store.keep(&news(letter.as_ref(), &taken)).await;
    }
    let said = |taken: Taken| match taken.files.len() {
        1 => format!("case {}: 1 file by mail", taken.number),
        files => format!("case {}: {files} files by mail", taken.number),
    };
    Ok(taken.map(said))
}

/// What is told where events are kept: of each file, or why there is none. A message proves nothing of its sender.
fn news(letter: Option<&Letter<'_>>, taken: &Result<Taken, Returned>) -> Vec<News> {
    let address = letter.map_or_else(|| "mail".to_owned(), |letter| letter.sender().as_str().to_owned());
    let told = |text: String, reception| {
        let address = address.clone();
        News::Uploaded { at: Timestamp::now(), device: None, address, path: None, text, reception }
    };
    match taken {
        Ok(Taken { number, files }) => {
            let kept = |(name, size): &(FileName, usize)| format!("case {number}: {name}, {size} bytes");
            files.iter().map(|file| told(kept(file), Reception::Kept)).collect()
        }
        Err(returned) => {
            let subject = letter.map(Letter::subject).unwrap_or_default();
            let number = CaseNumber::in_subject(subject).map(|number| format!("case {number}: ")).unwrap_or_default();
            let subject = Remark::cut(subject.as_bytes(), SUBJECT);
            vec![told(format!("{number}`{}`: {returned}", subject.as_str()), Reception::Denied)]
        }
    }
}

/// The message, or as much of it as says that it is too large.
fn read(most: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    io::stdin().lock().take(most + 1).read_to_end(&mut text)?;
    Ok(text)
}

/// What has become of a message.
struct Taken {
    number: CaseNumber,
    /// Names and sizes (bytes).
    files: Vec<(FileName, usize)>,
}

async fn keep(uploads: &Uploads, store: &Arc<Store>, letter: &Letter<'_>) -> Result<Taken, Returned> {
    let number = CaseNumber::in_subject(letter.subject()).ok_or_else(|| {
        let expected = "expected `Case` and its nine digits, such as Case 612345678";
        Returned::Message(format!("the subject names no case: {expected}"))
    })?;
    let later = |error: &dyn std::fmt::Display| Returned::Later(error.to_string());
    let record = store.case(&number).await.map_err(|error| later(&error))?;
    let grant = record.and_then(|record| record.admit_mail().ok());
    let grant = grant.ok_or_else(|| Returned::NoCase(number.clone()))?;
    let files = letter.files().map_err(|fault| Returned::Message(fault.to_string()))?;
    let vault = Arc::new(Vault::open(uploads).map_err(|error| later(&error))?);
    let intake = Arc::new(Intake::new(uploads, (store.clone(), vault), (Arc::new(Metrics::default()), None)));
    let address = letter.sender().as_str().to_owned();
    let description = Remark::description(letter.subject().as_bytes());
    // Somebody can make room: the message waits with the mail server.
    let named = |name: &FileName, error: &IntakeError| Returned::Later(format!("{name}: {error}"));
    let mut coming = Vec::new();
    for (name, bytes) in &files {
        let label = Label { name: name.clone(), description: description.clone(), category: Remark::category(b"mail") };
        let receiving = write(&intake, &grant, (label, &address), bytes).await;
        coming.push((name, receiving.map_err(|error| named(name, &error))?));
    }
    // All of them are there: only now does the first become one.
    for (name, receiving) in coming {
        receiving.finish().await.map_err(|error| named(name, &error))?;
    }
    Ok(Taken { number, files: files.into_iter().map(|(name, bytes)| (name, bytes.len())).collect() })
}

async fn write(
    intake: &Arc<Intake>,
    grant: &CaseGrant,
    (label, address): (Label, &str),
    bytes: &[u8],
) -> Result<crate::intake::Receiving, IntakeError> {
    let (place, length) = (Place::New { total: None }, Some(bytes.len() as u64));
    let announced = Announced { label, address: address.to_owned(), transport: "mail", place, length };
    let mut receiving = intake.begin(grant, announced).await?;
    receiving.write(bytes).await?;
    Ok(receiving)
}
