//! `phoneprov completions`: for a shell.

use std::process::ExitCode;

use clap::CommandFactory;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Prints them.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    clap_complete::generate(args.shell, &mut super::Cli::command(), "phoneprov", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
