//! `phoneprov prt get`: a problem report, decrypted.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cli::received::IdentityArgs;
use crate::cli::store::with_shared_store;
use crate::store::UploadKind;

/// Decrypt a problem report, by the number that `phoneprov prt list` shows.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its number.
    number: i64,
    /// Where to write it, to a file that is not there yet; else, and for `-`, to standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    identity: IdentityArgs,
}

/// Writes it: all, or nothing that stays.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_shared_store(config, async |config, store| {
        let reader = args.identity.reader(&config)?;
        let upload = store.upload(args.number).await?.filter(|upload| upload.kind == UploadKind::Prt);
        let Some(upload) = upload else { bail!("there is no problem report {}", args.number) };
        let mut content = reader.open(&upload)?;
        let Some(path) = args.output.as_ref().filter(|path| *path != Path::new("-")) else {
            let mut out = io::stdout().lock();
            io::copy(&mut content, &mut out)?;
            out.flush()?;
            return Ok(ExitCode::SUCCESS);
        };
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = made.with_context(|| format!("`{}`", path.display()))?;
        let written = io::copy(&mut content, &mut file).and_then(|_| file.sync_all());
        if let Err(error) = written {
            let _ = std::fs::remove_file(path);
            return Err(error).with_context(|| format!("`{}`", path.display()));
        }
        Ok(ExitCode::SUCCESS)
    })
}
