//! `phoneprov device`: what the store knows of phones.

mod assignment;
mod change;
mod code;
mod csv;
mod export;
mod fields;
mod heading;
mod import;
mod key;
mod list;
mod log;
mod sheet;
mod show;
mod status;
mod waiting;

use std::path::PathBuf;
use std::process::ExitCode;

pub(super) use self::assignment::{Assignments, Unwanted, put};

/// Add, see and change the devices of the store.
///
/// A device is named by its MAC address, or by its serial number as sn:FCH2133E8B9.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file, whose [store] it is.
    #[arg(long, value_name = "FILE", default_value = "config.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(change::Add),
    Show(show::Args),
    Status(status::Args),
    List(list::Args),
    Set(change::Set),
    Unset(change::Unset),
    Enable(change::Enable),
    Disable(change::Disable),
    Remove(change::Remove),
    Import(import::Args),
    Export(export::Args),
    Key(key::Args),
    Code(code::Args),
    Waiting(waiting::Args),
    Approve(waiting::Approve),
    Log(log::Args),
    Undo(log::Undo),
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = &args.config;
    match &args.command {
        Command::Add(args) => change::add(args, config),
        Command::Show(args) => show::run(args, config),
        Command::Status(args) => status::run(args, config),
        Command::List(args) => list::run(args, config),
        Command::Set(args) => change::set(args, config),
        Command::Unset(args) => change::unset(args, config),
        Command::Enable(args) => change::enable(args, config),
        Command::Disable(args) => change::disable(args, config),
        Command::Remove(args) => change::remove(args, config),
        Command::Import(args) => import::run(args, config),
        Command::Export(args) => export::run(args, config),
        Command::Key(args) => key::run(args, config),
        Command::Code(args) => code::run(args, config),
        Command::Waiting(args) => waiting::run(args, config),
        Command::Approve(args) => waiting::approve(args, config),
        Command::Log(args) => log::run(args, config),
        Command::Undo(args) => log::undo(args, config),
    }
}
