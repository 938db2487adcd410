//! `phoneprov certs trust remove`: no longer trusted.

use std::io;
use std::process::ExitCode;

use super::kept;
use crate::trust::{Alias, TrustFolder};

/// Trust an anchor no more; a copy of it is kept.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its alias.
    alias: Alias,
}

/// Removes it.
pub(super) fn run(folder: &TrustFolder, args: &Args) -> anyhow::Result<ExitCode> {
    let change = folder.remove(&args.alias)?;
    println!("removed   {}", args.alias);
    kept(change.backup.as_deref(), &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}
