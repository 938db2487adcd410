//! `phoneprov certs trust export`: a trust anchor for another program.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::print;
use crate::trust::{self, Alias, TrustFolder};

/// Print the certificate of a trust anchor, as PEM or DER, for another server or for phones.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its alias.
    alias: Alias,
    /// DER rather than PEM.
    #[arg(long)]
    der: bool,
    /// The file to write, which must not be there yet; without it, standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Prints or writes it.
pub(super) fn run(folder: &TrustFolder, args: &Args) -> anyhow::Result<ExitCode> {
    let certificates = folder.anchor(&args.alias)?.certificates?;
    let content = match (args.der, certificates.as_slice()) {
        (false, all) => all.iter().map(|der| trust::pem(der)).collect::<String>().into_bytes(),
        (true, [one]) => one.clone(),
        (true, all) => {
            bail!("`{}` has {} certificates, and DER is one: export them as PEM", args.alias, all.len())
        }
    };
    let Some(path) = &args.out else {
        print(&content)?;
        return Ok(ExitCode::SUCCESS);
    };
    let name = path.display();
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("`{name}` exists already and was not overwritten: move it away first")
        }
        opened => {
            let written = opened.and_then(|mut file| file.write_all(&content));
            written.with_context(|| format!("cannot write `{name}`"))?;
        }
    }
    println!("exported  {}: {name}", args.alias);
    Ok(ExitCode::SUCCESS)
}
