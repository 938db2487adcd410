//! `phoneprov certs trust fetch`: the certificate that another server shows.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};

use super::tell;
use crate::certificate::Fingerprint;
use crate::config::ClientTls;
use crate::trust::{self, Alias, Found, Peer, Taken, TrustFolder};

/// Trust the certificate that another server shows now.
///
/// Whoever answers at that address is trusted from then on: compare the fingerprint with what the other server's operator
/// sees there, or give it, and any other certificate is refused. Versions of TLS are those of `client_tls` in the
/// configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The server, such as prov.example.com:443.
    #[arg(value_name = "HOST:PORT")]
    peer: Peer,
    /// The alias; without it, the host's name.
    #[arg(long, value_name = "NAME")]
    alias: Option<Alias>,
    /// The SHA-256 that it has to have, as the other side's operator tells it.
    #[arg(long, value_name = "SHA256")]
    fingerprint: Option<Fingerprint>,
    /// Trust the last certificate that the server shows, its authority's, rather than its own.
    #[arg(long)]
    issuer: bool,
    /// Put it in the place of the certificate that has the alias now.
    #[arg(long)]
    replace: bool,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

/// Fetches and adds it.
pub(super) fn run(folder: &TrustFolder, args: &Args) -> anyhow::Result<ExitCode> {
    let config = crate::cli::load(&args.config)?;
    // Whom we trust already does not matter, nor whether there is a folder of them yet.
    let client = ClientTls { ca: Vec::new(), ..config.client_tls };
    let mut chain = trust::fetch(&args.peer, &client)?.chain;
    if args.issuer {
        ensure!(
            chain.len() > 1,
            "{} shows its own certificate and no other: without --issuer that one is trusted",
            args.peer
        );
        chain.reverse();
    }
    let Some(shown) = chain.into_iter().next() else { bail!("{} shows no certificate", args.peer) };
    let actual = Fingerprint::of(&shown.der);
    if let Some(expected) = args.fingerprint.filter(|expected| *expected != actual) {
        bail!(
            "{} shows another certificate than expected, and nothing was changed: its SHA-256 is {actual}, not {expected}",
            args.peer
        );
    }
    let own =
        || Alias::of(args.peer.host()).with_context(|| format!("{} makes no alias: give one with --alias", args.peer));
    let alias = args.alias.clone().map_or_else(own, Ok)?;
    let found = Found { name: None, der: shown.der };
    let taken = if args.replace { Taken::Replace } else { Taken::Refuse };
    let change = folder.add(&[(alias, &found)], taken)?;
    tell(&change, &[&found.der])?;
    if args.fingerprint.is_none() {
        println!("compare   the fingerprint with what its operator sees there: `phoneprov certs show` prints it");
    }
    Ok(ExitCode::SUCCESS)
}
