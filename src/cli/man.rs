//! `phoneprov man`: the manual pages.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory;

/// Write the manual pages, one for each command, into a folder.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder; made where it is missing.
    folder: PathBuf,
}

/// Writes them.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&args.folder).with_context(|| format!("cannot make `{}`", args.folder.display()))?;
    clap_mangen::generate_to(super::Cli::command(), &args.folder)
        .with_context(|| format!("cannot write into `{}`", args.folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
