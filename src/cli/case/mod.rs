//! `phoneprov case`: support cases, and the files that are handed in for them.

mod open;
mod print;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

/// Open support cases, give out the tokens that files are handed in with, and read the files.
///
/// A case has a number of nine digits. Whoever has its number and a token of it can hand files in, and can neither read nor list
/// any.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file, whose [store] and [uploads] they are in.
    #[arg(long, value_name = "FILE", default_value = "config.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Open(open::Args),
    Token(token::Args),
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = &args.config;
    match &args.command {
        Command::Open(args) => open::run(args, config),
        Command::Token(args) => token::run(args, config),
    }
}
