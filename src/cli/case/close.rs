//! `phoneprov case close`.

use std::path::Path;
use std::process::ExitCode;

use crate::case::CaseNumber;
use crate::cli::store::{who, with_store};

/// Close a case: its tokens are gone, it takes no mail, and its files go when `keep_cases` is over.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The case.
    number: CaseNumber,
}

/// Closes it.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        store.close_case(&args.number, &who()).await?;
        println!("case {} is closed", args.number);
        Ok(ExitCode::SUCCESS)
    })
}
