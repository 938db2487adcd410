//! `phoneprov certs trust`: a folder of trust anchors under aliases.

mod add;
mod backup;
mod export;
mod fetch;
mod list;
mod remove;
mod show;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;

use super::validity;
use crate::certificate::{self, Details, Fingerprint};
use crate::trust::{Added, Change, TrustFolder};

/// Keep trust anchors: certificates of other servers and of authorities, each under an alias.
///
/// The folder has a PEM file for each. A listener trusts them for phones where `client_ca` names the folder, and our own
/// connections trust them where `ca` of `client_tls` does; both read it at the start and on SIGHUP. Each change keeps a copy
/// of what was there, in a folder of its date below `backup`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of trust anchors.
    #[arg(long, value_name = "FOLDER", default_value = "certs/trust", global = true)]
    dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(add::Args),
    List(list::Args),
    Show(show::Args),
    Export(export::Args),
    Remove(remove::Args),
    Fetch(fetch::Args),
    Backup(backup::Args),
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let folder = TrustFolder::at(&args.dir);
    match &args.command {
        Command::Add(args) => add::run(&folder, args),
        Command::List(args) => list::run(&folder, args),
        Command::Show(args) => show::run(&folder, args),
        Command::Export(args) => export::run(&folder, args),
        Command::Remove(args) => remove::run(&folder, args),
        Command::Fetch(args) => fetch::run(&folder, args),
        Command::Backup(args) => backup::run(&folder, args),
    }
}

/// What became of each certificate, and where a copy is of what was there.
fn tell(change: &Change, certificates: &[&[u8]]) -> anyhow::Result<()> {
    let (out, now) = (&mut io::stdout().lock(), Timestamp::now());
    for (added, der) in change.added.iter().zip(certificates) {
        let details = certificate::details(der)?;
        let (what, alias) = match added {
            Added::New(alias) => ("added", alias.as_str()),
            Added::Replaced(alias) => ("replaced", alias.as_str()),
            Added::Known(alias) => ("known", alias.as_str()),
        };
        writeln!(out, "{what:<9} {alias}: {}, {}", subject(&details), validity(&details, now))?;
        writeln!(out, "          SHA-256 {}", Fingerprint::of(der))?;
    }
    kept(change.backup.as_deref(), out)?;
    Ok(())
}

fn kept(backup: Option<&Path>, out: &mut impl Write) -> io::Result<()> {
    match backup {
        Some(backup) => writeln!(out, "kept      {}: what was there before", backup.display()),
        None => Ok(()),
    }
}

fn subject(details: &Details) -> String {
    let fields: Vec<String> = details.subject.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if fields.is_empty() { "without a subject".to_owned() } else { fields.join(", ") }
}

/// Writes the whole of something to standard output.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let out = &mut io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).context("cannot write to standard output")
}
