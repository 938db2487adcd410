//! `phoneprov tls`: what TLS phones use.

mod report;

use std::process::ExitCode;

/// See which TLS versions and certificates the phones use.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Report(report::Args),
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Report(args) => report::run(args),
    }
}
