//! `phoneprov certs csr`: a key and a request for the server's certificate.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::authority::{self, EmailTail, HostName, Requested, Wanted};

/// Make a private key and a request for a server certificate, which an authority that phones trust then signs.
///
/// The key is RSA of 2048 bits, which is what phones take, in NAME.key with mode 0600; the request is NAME.csr. Nothing
/// that exists is overwritten.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name under which phones reach the server, such as prov.example.com; repeated, further names of it.
    #[arg(long = "name", value_name = "HOST", required = true)]
    names: Vec<HostName>,
    /// The folder to write to.
    #[arg(long, value_name = "FOLDER", default_value = "certs")]
    dir: PathBuf,
    /// Ask for a key that is there already, of a certificate that is to be renewed.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// An e-mail address to follow the name, as CN=prov.example.com/admin@example.com: where Cisco signs, and nowhere
    /// else.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<EmailTail>,
    /// The organisation (O).
    #[arg(long, value_name = "TEXT")]
    organization: Option<String>,
    /// Its city (L).
    #[arg(long, value_name = "TEXT")]
    locality: Option<String>,
    /// Its state or province (ST).
    #[arg(long, value_name = "TEXT")]
    state: Option<String>,
    /// Its country (C), two letters.
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
}

/// Writes both files and says what comes next.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut names = args.names.into_iter();
    let Some(name) = names.next() else { anyhow::bail!("no name: give --name") };
    let wanted = Wanted {
        name,
        others: names.collect(),
        tail: args.email,
        organization: args.organization,
        locality: args.locality,
        state: args.state,
        country: args.country,
    };
    let requested = authority::request(&args.dir, &wanted, args.key.as_deref())?;
    let made = if args.key.is_some() { "kept" } else { "made" };
    println!("{made}  {}: the private key; it stays here", requested.key.display());
    println!("made  {}: the request", requested.request.display());
    print!("{}", next(&requested, &args.dir.join(format!("{}.pem", wanted.name))));
    Ok(ExitCode::SUCCESS)
}

/// What a person does with them.
fn next(requested: &Requested, certificate: &Path) -> String {
    let (request, key, certificate) = (requested.request.display(), requested.key.display(), certificate.display());
    format!(
        "next:\n  1. send {request} to the authority, and never the key\n  2. put what comes back into {certificate}, PEM: \
         the server's own certificate first,\n     then the one that issued it, and so on\n  3. phoneprov certs check \
         {certificate} --key {key}\n  4. name both in config.toml, as certificate and key of the listener, and reload \
         the server\n"
    )
}
