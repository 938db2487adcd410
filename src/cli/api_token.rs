//! `phoneprov api-token`: tokens of programs that ask for upload tokens.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

use crate::password::{Holders, Token};

/// Give programs tokens for the API of the admin surface: one each, which counts at once, and no more when it is removed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file, whose [api] names the file of tokens.
    #[arg(long, value_name = "FILE", default_value = "config.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a token for a program, and print it: the only time that it is shown.
    Add {
        /// What the program is called; records of cases name it.
        name: String,
    },
    /// Remove a program's token.
    Remove {
        /// What the program is called.
        name: String,
    },
    /// List the programs that have one.
    List,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let place = args.config.display();
    let api = super::load(&args.config)?.api;
    let api = api.with_context(|| format!("{place}: there is no API: `tokens_file` under [api] names its tokens"))?;
    let file = &api.tokens_file;
    let shown = || file.display().to_string();
    let mut holders = Holders::parse(&api.read().with_context(shown)?).with_context(shown)?;
    match &args.command {
        Command::Add { name } => {
            let token = Token::random()?;
            holders.add(name, token.print())?;
            write(file, &holders).with_context(shown)?;
            println!("{}", token.text().expose());
        }
        Command::Remove { name } => {
            ensure!(holders.remove(name), "{}: no program is called {name}", shown());
            write(file, &holders).with_context(shown)?;
        }
        Command::List => holders.names().for_each(|name| println!("{}", crate::terminal::OneLine(name))),
    }
    Ok(ExitCode::SUCCESS)
}

/// Whoever reads the file meanwhile sees the old one or the new one.
fn write(file: &Path, holders: &Holders) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension("new");
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    write!(out, "{holders}")?;
    out.sync_all()?;
    if let Ok(metadata) = fs::metadata(file) {
        fs::set_permissions(&beside, metadata.permissions())?;
    }
    fs::rename(&beside, file)
}
