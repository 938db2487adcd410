//! `phoneprov case delete`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

use super::choose;
use crate::case::CaseNumber;
use crate::cli::store::{who, with_shared_store};
use crate::store::Removal;
use crate::terminal::OneLine;
use crate::vault::Vault;

/// Delete a file of a case for good. The case's record keeps who did, when, which and why.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The case.
    number: CaseNumber,
    /// The file: its number, or its name where that is one file's.
    file: String,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
}

/// The longest reason (bytes).
const WHY: usize = 1000;

/// Deletes it.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    ensure!(args.why.len() <= WHY, "the reason has more than {WHY} bytes");
    with_shared_store(config, async |config, store| {
        let uploads = config.uploads.context("there is no [uploads]: where the files lie is not known")?;
        let vault = Vault::open(&uploads)?;
        let file = choose::one(choose::files(&store, &args.number).await?, &args.file)?;
        let (id, name) = (file.id, file.name.clone());
        let removal = Removal { who: &who(), why: &args.why, is_told: config.events.is_some() };
        let removed = store.remove_uploads(&[file], removal).await?;
        ensure!(removed.files == 1, "somebody else has deleted it meanwhile");
        // What cannot be removed now goes with the next sweep: nobody lists it.
        removed.kept.iter().try_for_each(|kept| vault.remove(kept))?;
        println!("file {id} {} is deleted for good", OneLine(name));
        Ok(ExitCode::SUCCESS)
    })
}
