//! `phoneprov certs trust show`: all that a trust anchor's certificate says.

use std::io;
use std::process::ExitCode;

use jiff::Timestamp;

use super::super::show::{Certificate, print_certificate};
use crate::certificate::{self, Reader};
use crate::trust::{Alias, TrustFolder};

/// Show what the certificate of a trust anchor says.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its alias.
    alias: Alias,
}

/// Prints it.
pub(super) fn run(folder: &TrustFolder, args: &Args) -> anyhow::Result<ExitCode> {
    for der in folder.anchor(&args.alias)?.certificates? {
        let details = certificate::details(&der)?;
        print_certificate(
            &Certificate::new(&der, details, &Reader::default(), Timestamp::now()),
            &mut io::stdout().lock(),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
