//! `phoneprov certs trust backup`: a copy of all trust anchors.

use std::process::ExitCode;

use crate::trust::TrustFolder;

/// Copy all trust anchors to a folder of today's date below `backup`.
///
/// Each change makes such a copy by itself. Put files back by copying them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Copies them.
pub(super) fn run(folder: &TrustFolder, Args {}: &Args) -> anyhow::Result<ExitCode> {
    match folder.backup()? {
        Some(backup) => println!("kept      {}", backup.display()),
        None => println!("nothing   there is no trust anchor"),
    }
    Ok(ExitCode::SUCCESS)
}
