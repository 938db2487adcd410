//! `phoneprov completions`: for a shell.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Prints them.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // What it writes to must not fail.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "phoneprov", &mut script);
    std::io::stdout().write_all(&script).context("cannot write to standard output")?;
    Ok(ExitCode::SUCCESS)
}
