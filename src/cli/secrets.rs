//! `phoneprov secrets`: the keys that the store's secrets are sealed under.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use data_encoding::HEXLOWER;

use super::store::{who, with_store};
use super::table;
use crate::config::Sealing;
use crate::store::Known;

/// Keep the secrets of the store under lock: make a key, see which key seals what, seal all of them anew.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file, whose [store] it is.
    #[arg(long, value_name = "FILE", default_value = "config.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print a new key: 256 random bits, a line of a key file.
    Key,
    /// Show which keys there are, and how many secrets are under each.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Seal all secrets, also those of the history, under the first key of the key file: all of them, or none.
    Rotate {
        /// Put a new key before the others of the file, and seal under that one.
        #[arg(long)]
        new: bool,
    },
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Key => {
            println!("{}", new_key()?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { json } => show(&args.config, *json),
        Command::Rotate { new } => rotate(&args.config, *new),
    }
}

fn new_key() -> anyhow::Result<String> {
    let mut octets = [0; 32];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    Ok(HEXLOWER.encode(&octets))
}

fn show(config: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let sealed = with_store(config, async |store| Ok(store.sealed().await?))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&sealed)?);
    } else {
        let is = |known| match known {
            Known::Seals => "seals",
            Known::Opens => "opens",
            Known::Missing => "missing",
        };
        let rows =
            sealed.iter().map(|sealed| vec![sealed.key.clone(), is(sealed.known).into(), sealed.secrets.to_string()]);
        table::print(&mut io::stdout().lock(), &["key", "is", "secrets"], &rows.collect::<Vec<_>>())?;
    }
    Ok(if sealed.iter().any(|sealed| sealed.known == Known::Missing) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn rotate(config: &Path, new: bool) -> anyhow::Result<ExitCode> {
    if new {
        let sealing = super::load(config)?.store.and_then(|store| store.sealing);
        match sealing {
            Some(Sealing::File(file)) => put_first(&file, &new_key()?)?,
            Some(Sealing::Environment(name)) => {
                bail!("--new writes a key file, and the keys are in the variable {name}: put a new one before them")
            }
            None => bail!("[store] has no seal_key_file"),
        }
    }
    with_store(config, async |store| {
        let mut writing = store.write(&who(), "secrets rotate").await?;
        let resealed = writing.reseal().await?;
        let revision = writing.commit().await?.context("nothing was written")?;
        println!("{} secrets and {} changes are sealed anew: change {revision}", resealed.secrets, resealed.changes);
        Ok(ExitCode::SUCCESS)
    })
}

/// Writes a key file with one more key before the others; whoever reads it meanwhile sees the old one or the new one.
fn put_first(file: &Path, key: &str) -> anyhow::Result<()> {
    let shown = || file.display().to_string();
    let others = fs::read_to_string(file).with_context(shown)?;
    let beside = file.with_extension("new");
    let written = (|| {
        let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        write!(out, "{key}\n{others}")?;
        out.sync_all()?;
        fs::set_permissions(&beside, fs::metadata(file)?.permissions())?;
        fs::rename(&beside, file)
    })();
    written.with_context(shown)
}
