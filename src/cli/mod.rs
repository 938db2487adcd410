//! The commands, one file each. They print for people and exit with 0, 1 for findings, 2 for "could not run".

mod answer;
mod api_token;
mod bounded;
mod case;
mod certs;
mod check;
mod cipher_args;
mod completions;
mod decrypt;
mod defaults;
mod device;
mod dhcp;
mod diff;
mod drift;
mod encrypt;
mod events;
mod explain;
mod fleet;
mod fmt;
mod group;
mod heard;
mod hidden;
mod import_export;
mod key;
mod lint;
mod man;
mod offer;
mod password;
mod phone;
mod preview;
mod profile_file;
mod prt;
mod received;
mod render;
mod report;
mod resync;
mod rule;
mod sample;
mod secrets;
mod serve;
mod standing;
mod store;
mod table;
mod tls;
mod warning;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::config::Config;
use crate::server::ServeError;
use crate::terminal::{Json, Lines};

/// Provisioning server for Cisco flat-profile IP phones.
///
/// Each phone gets the profile that is its own, and no other: over HTTP, HTTPS and TFTP, by the names that phones
/// expand ($PN/$MA.cfg), rendered, compressed, encrypted, and proven by the phone's factory certificate.
#[derive(Debug, Parser)]
#[command(name = "phoneprov", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Check(check::Args),
    Lint(lint::Args),
    Render(render::Args),
    Phone(Box<phone::Args>),
    Rule(rule::Args),
    Fleet(fleet::Args),
    Device(Box<device::Args>),
    Group(group::Args),
    Defaults(defaults::Args),
    Secrets(secrets::Args),
    Case(Box<case::Args>),
    ApiToken(api_token::Args),
    Events(events::Args),
    Report(report::Args),
    Prt(prt::Args),
    Drift(drift::Args),
    Resync(resync::Args),
    Dhcp(dhcp::Args),
    Explain(explain::Args),
    Certs(certs::Args),
    Tls(tls::Args),
    Key(key::Args),
    Password(password::Args),
    Encrypt(encrypt::Args),
    Decrypt(decrypt::Args),
    Fmt(fmt::Args),
    Diff(diff::Args),
    ImportExport(import_export::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command of this process's arguments. An error is printed; what it was decides nothing more.
#[must_use]
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => check::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Phone(args) => phone::run(&args),
        Command::Rule(args) => rule::run(&args),
        Command::Fleet(args) => fleet::run(&args),
        Command::Device(args) => device::run(&args),
        Command::Group(args) => group::run(&args),
        Command::Defaults(args) => defaults::run(&args),
        Command::Secrets(args) => secrets::run(&args),
        Command::Resync(args) => resync::run(&args),
        Command::ApiToken(args) => api_token::run(&args),
        Command::Case(args) => case::run(&args),
        Command::Events(args) => events::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Prt(args) => prt::run(&args),
        Command::Drift(args) => drift::run(&args),
        Command::Dhcp(args) => dhcp::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Certs(args) => certs::run(args),
        Command::Tls(args) => tls::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Password(args) => password::run(&args),
        Command::Encrypt(args) => encrypt::run(args),
        Command::Decrypt(args) => decrypt::run(args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::ImportExport(args) => import_export::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    result.unwrap_or_else(|error| {
        // Whoever reads has seen enough: `… | head`.
        let ended = |cause: &(dyn std::error::Error + 'static)| {
            let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            io == Some(std::io::ErrorKind::BrokenPipe)
        };
        if error.chain().any(ended) {
            return ExitCode::SUCCESS;
        }
        eprintln!("phoneprov: {}", Lines(format_args!("{error:#}")));
        ExitCode::from(2)
    })
}

/// Reads a configuration for a command that looks at it. What its lab has not made yet is made, as `serve` would. Where that
/// cannot be (another user's folder, a read-only disk) but all that the configuration needs is there, it is read all the
/// same.
fn load(file: &Path) -> Result<Config, ServeError> {
    let made = crate::server::load(file);
    match (Config::load(file), made) {
        (Ok(config), _) => Ok(config),
        (Err(_), Err(error)) => Err(error),
        (Err(error), Ok(_)) => Err(error.into()),
    }
}

/// The folder that the server of a configuration writes its tables to.
fn state(file: &Path) -> anyhow::Result<PathBuf> {
    let place = file.display();
    Config::load(file)?.state.with_context(|| format!("{place}: `state` is not set, so the server keeps no table"))
}

/// How much was found: `1 error, 2 warnings`.
fn tally(errors: usize, warnings: usize) -> String {
    let some = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", some(errors, "error"), some(warnings, "warning"))
}

/// Prints a value as JSON for people, with a line's end.
fn json(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}", Json(serde_json::to_string_pretty(value)?))?)
}
