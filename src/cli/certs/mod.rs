//! `phoneprov certs`: make certificates for a lab or ask for real ones, look into any, keep those that we trust.

mod check;
mod csr;
mod fetch;
mod lab;
mod report;
mod show;
mod trust;

use std::process::ExitCode;

use jiff::Timestamp;

use crate::certificate::Details;

/// Make, ask for, check and show certificates, fetch what another server shows, and keep those that we trust.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
    Csr(Box<csr::Args>),
    Lab(lab::Args),
    Show(show::Args),
    Fetch(fetch::Args),
    Trust(trust::Args),
    Report(report::Args),
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Check(args) => check::run(&args),
        Command::Csr(args) => csr::run(*args),
        Command::Lab(args) => lab::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Fetch(args) => fetch::run(&args),
        Command::Trust(args) => trust::run(&args),
        Command::Report(args) => report::run(&args),
    }
}

/// Whether it is valid now, in words: `expires in 824 days`.
fn validity(details: &Details, now: Timestamp) -> String {
    let days = |from: Timestamp, to: Timestamp| match to.duration_since(from).as_hours() / 24 {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    if details.not_after < now {
        format!("expired {} ago", days(details.not_after, now))
    } else if details.not_before > now {
        format!("not valid before {}", details.not_before)
    } else {
        format!("expires in {}", days(now, details.not_after))
    }
}
