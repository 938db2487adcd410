//! `phoneprov report`: what phones have said of themselves.

mod list;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

/// See what phones have reported (`Report_Rule`): lists of reports, and what is in them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
}

/// Runs the command.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::List(list) => list::run(list, &args.config),
        Command::Show(show) => show::run(show, &args.config),
    }
}
