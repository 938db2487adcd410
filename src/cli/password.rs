//! `phoneprov password`: lines of a password file.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, ensure};

use super::hidden;
use crate::password::{self, Scheme};

/// Print the line of a password file for an account, to be appended to it.
///
/// The password is read from the terminal, or is the first line of standard input; never an argument, since every user of
/// the machine sees those.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The account: the MAC address or serial number of a phone as it is sent ($MA, $SN), or any name for `accounts =
    /// "shared"`.
    user: String,
    /// What the line is good for; several with commas between them give several lines.
    #[arg(long = "for", value_name = "CHALLENGE", value_enum, value_delimiter = ',', default_value = "basic")]
    challenges: Vec<Scheme>,
    /// The realm of a digest, as the rule has it.
    #[arg(long, default_value = password::REALM)]
    realm: String,
}

/// Asks for the password and prints the lines.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let names = [("the account", &args.user), ("the realm", &args.realm)];
    for (what, name) in names {
        let fits = !name.is_empty() && !name.contains(|c: char| c == ':' || c.is_control()) && name.trim() == name;
        ensure!(fits, "{what} is `{name}`: expected text without a colon or a control character");
    }
    ensure!(!args.user.starts_with('#'), "the account is `{}`: a line that begins with # is a comment", args.user);
    let secret = hidden::ask("password")?;
    let mut out = io::stdout().lock();
    for challenge in &args.challenges {
        let line = password::line(*challenge, &args.user, &args.realm, &secret)?;
        writeln!(out, "{}", line.expose()).context("cannot write to standard output")?;
    }
    Ok(ExitCode::SUCCESS)
}
