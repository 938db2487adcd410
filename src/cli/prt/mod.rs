//! `phoneprov prt`: problem reports of phones.

mod get;
mod list;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

/// See which problem reports phones have sent (`PRT_Upload_Rule`), and get them.
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
    Get(get::Args),
}

/// Runs the command.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::List(list) => list::run(list, &args.config),
        Command::Get(get) => get::run(get, &args.config),
    }
}
