//! `phoneprov case`: support cases, and the files that are handed in for them.

mod choose;
mod close;
mod delete;
mod encoding;
mod get;
mod letter;
mod list;
mod mail;
mod open;
mod print;
mod show;
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
    Show(show::Args),
    List(list::Args),
    Get(get::Args),
    Delete(delete::Args),
    Close(close::Args),
    Mail(mail::Args),
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = &args.config;
    match &args.command {
        Command::Open(args) => open::run(args, config),
        Command::Token(args) => token::run(args, config),
        Command::Show(args) => show::run(args, config),
        Command::List(args) => list::run(args, config),
        Command::Get(args) => get::run(args, config),
        Command::Delete(args) => delete::run(args, config),
        Command::Close(args) => close::run(args, config),
        Command::Mail(args) => mail::run(args, config),
    }
}
