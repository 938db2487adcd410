//! `phoneprov case open`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;

use super::token::{Lifetime, give};
use crate::case::CaseNumber;
use crate::cli::store::{who, with_shared_store};
use crate::config::Config;
use crate::store::{Others, Store, StoreError};

/// Open a case, and print its number and a token that files can be handed in with.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What people want to know of it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Its number, nine digits, where another system gives them; otherwise a random one.
    #[arg(long)]
    number: Option<CaseNumber>,
    #[command(flatten)]
    lifetime: Lifetime,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Random numbers that are tried: of nine hundred millions, few are taken.
const TRIES: usize = 20;

/// The longest note (bytes).
const NOTE: usize = 4096;

/// Opens it.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    ensure!(args.note.len() <= NOTE, "the note has more than {NOTE} bytes");
    let expires = args.lifetime.end()?;
    with_shared_store(config, async |config, store| {
        let number = match &args.number {
            Some(number) => store.open_case(number, &args.note, &who()).await.map(|()| number.clone())?,
            None => open_any(&store, &args.note).await?,
        };
        let token = give(&store, &number, expires, Others::End).await?;
        super::print::token(&number, &token, expires, args.json)?;
        if let Some(missing) = missing(&config) {
            eprintln!("phoneprov: {missing}");
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What the configuration lacks for a file to be handed in with a token.
fn missing(config: &Config) -> Option<&'static str> {
    match (&config.uploads, config.intake.is_empty()) {
        (None, _) => {
            Some("no file can come in: there is no [uploads], which says where files are kept, and no [[intake]]")
        }
        (Some(_), true) => Some(
            "no file can come in with the token: there is no [[intake]], which listens for files; mail alone can bring one",
        ),
        (Some(_), false) => None,
    }
}

async fn open_any(store: &Store, note: &str) -> anyhow::Result<CaseNumber> {
    for _ in 0..TRIES {
        let number = CaseNumber::random()?;
        match store.open_case(&number, note, &who()).await {
            Err(StoreError::CaseTaken(_)) => {}
            opened => return Ok(opened.map(|()| number)?),
        }
    }
    anyhow::bail!("no number is free that was tried")
}
