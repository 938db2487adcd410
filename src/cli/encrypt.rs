//! `phoneprov encrypt`: a profile as phones decrypt it.

use std::process::ExitCode;

use super::cipher_args::{CipherArgs, write_output};

/// Encrypt a file for a phone, to standard output.
///
/// The same key and content always give the same bytes. Compress before, not after:
/// `gzip -nc x.cfg | phoneprov encrypt …`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    cipher: CipherArgs,
}

/// Reads all, encrypts, writes all.
///
/// # Errors
/// Key or input cannot be read, the key is not usable, or the output cannot be written.
#[expect(clippy::needless_pass_by_value, reason = "the shape of every command")]
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let key = args.cipher.key()?;
    let plain = args.cipher.read_input()?;
    write_output(&args.cipher.scheme.encrypt(&key, &plain))?;
    Ok(ExitCode::SUCCESS)
}
