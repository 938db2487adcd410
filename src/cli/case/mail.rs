//! `phoneprov case mail`: attachments of a message, for an alias of a mail server.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use mail_parser::{Message, MessageParser, MimeHeaders as _};

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
/// servers know (sysexits.h): 65 for a message without case or attachments, 67 where no such case is open, 75 to try again later.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Attachments that one message may have.
const ATTACHMENTS: usize = 200;

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

impl From<IntakeError> for Returned {
    fn from(error: IntakeError) -> Self {
        // Somebody can make room: the message waits with the mail server.
        Self::Later(error.to_string())
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
    let text = read(uploads.mail_size.count())?;
    let taken = match text {
        Some(text) => keep(uploads, store, &text).await,
        None => Err(Returned::Message(format!("the message is larger than {} bytes", uploads.mail_size.count()))),
    };
    if config.events.is_some() {
        // A message proves nothing of its sender.
        let (reception, text) = match &taken {
            Ok(text) => (Reception::Kept, text.clone()),
            Err(returned) => (Reception::Denied, returned.to_string()),
        };
        let address = "mail".to_owned();
        let news = News::Uploaded { at: Timestamp::now(), device: None, address, path: None, text, reception };
        // The files are there, whether or not it is told.
        let _ = store.keep(&[news]).await;
    }
    Ok(taken)
}

/// The whole message; `None`: it is too large.
fn read(most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    io::stdin().lock().take(most + 1).read_to_end(&mut text)?;
    Ok((text.len() as u64 <= most).then_some(text))
}

async fn keep(uploads: &Uploads, store: &Arc<Store>, text: &[u8]) -> Result<String, Returned> {
    let bad = |reason: &str| Returned::Message(reason.to_owned());
    let message = MessageParser::default().parse(text).ok_or_else(|| bad("this is no message"))?;
    let subject = message.subject().unwrap_or_default();
    let number = CaseNumber::in_subject(subject)
        .ok_or_else(|| bad("the subject names no case: expected `Case` and its nine digits, such as Case 612345678"))?;
    let later = |error: &dyn std::fmt::Display| Returned::Later(error.to_string());
    let record = store.case(&number).await.map_err(|error| later(&error))?;
    let grant = record.and_then(|record| record.admit_mail().ok());
    let grant = grant.ok_or_else(|| Returned::NoCase(number.clone()))?;
    let files = attached(&message)?;
    let vault = Arc::new(Vault::open(uploads).map_err(|error| later(&error))?);
    let intake = Arc::new(Intake::new(uploads, (store.clone(), vault), (Arc::new(Metrics::default()), None)));
    let sender = message.from().and_then(|from| from.first()?.address()).unwrap_or("unknown");
    let address = Remark::cut(format!("mail from {sender}").as_bytes(), 200).as_str().to_owned();
    let description = Remark::description(subject.as_bytes());
    let mut coming = Vec::new();
    for (name, bytes) in &files {
        let label = Label { name: name.clone(), description: description.clone(), category: Remark::category(b"mail") };
        coming.push(write(&intake, &grant, (label, &address), bytes).await?);
    }
    // All of them are there: only now does the first become one.
    for receiving in coming {
        receiving.finish().await?;
    }
    Ok(format!("case {number}: {} files by mail", files.len()))
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

/// The attachments with their names.
fn attached<'a>(message: &'a Message<'_>) -> Result<Vec<(FileName, &'a [u8])>, Returned> {
    let mut files = Vec::new();
    for part in message.attachments() {
        let own = || FileName::shortened(format!("attachment-{}", files.len() + 1).as_bytes());
        let name = part.attachment_name().map(|name| FileName::shortened(name.as_bytes()));
        let name = name.and_then(Result::ok).map_or_else(own, Ok);
        let name = name.map_err(|error| Returned::Message(error.to_string()))?;
        files.push((name, part.contents()));
        if files.len() > ATTACHMENTS {
            return Err(Returned::Message(format!("the message has more than {ATTACHMENTS} attachments")));
        }
    }
    match files.is_empty() {
        true => Err(Returned::Message("the message has no attachment".into())),
        false => Ok(files),
    }
}
