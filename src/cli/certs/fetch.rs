//! `phoneprov certs fetch`: the certificates that another server shows.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use super::validity;
use crate::certificate;
use crate::trust::{self, Peer, Verified};

/// Fetch the certificates that a server shows, as PEM text, whether or not anybody trusts them.
///
/// Versions of TLS and authorities to check against are those of `client_tls` in the configuration. What was agreed on
/// goes to standard error, so that standard output is a file of certificates.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The server, such as prov.example.com:443.
    #[arg(value_name = "HOST:PORT")]
    peer: Peer,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

/// Prints what the server shows. The exit code is 1 where `client_tls.ca` is set and does not vouch for it.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = crate::cli::load(&args.config)?;
    let fetched = trust::fetch(&args.peer, &config.client_tls)?;
    let now = Timestamp::now();
    let out = &mut io::stdout().lock();
    for (at, shown) in fetched.chain.iter().enumerate() {
        let details = certificate::details(&shown.der)?;
        let subject: Vec<String> = details.subject.iter().map(|(name, value)| format!("{name}={value}")).collect();
        writeln!(out, "{}: {}, {}", at + 1, subject.join(", "), validity(&details, now))?;
        writeln!(out, "issued by {}\n{}", details.issuer, shown.pem.trim_end())?;
    }
    eprintln!("{}: TLS {}, {}", args.peer, fetched.version, fetched.suite);
    Ok(match fetched.verified {
        Verified::NotAsked => {
            eprintln!("client_tls.ca is not set: nobody vouches for it");
            ExitCode::SUCCESS
        }
        Verified::Proven => {
            eprintln!("an authority of client_tls.ca vouches for it");
            ExitCode::SUCCESS
        }
        Verified::Unproven(reason) => {
            eprintln!("no authority of client_tls.ca vouches for it: {reason}");
            ExitCode::FAILURE
        }
    })
}
