//! `phoneprov defaults`: variables of every device.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;

use super::device::{Assignments, Unwanted, put};
use super::preview::{self, Preview};
use super::store::{who, with_shared_store};
use crate::config::Config;
use crate::device::shown;
use crate::store::{Defaults, Store};

/// See and change the variables that hold for every device, where neither its groups nor itself have others.
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
    /// Show them.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Show secrets too. The history says who did.
        #[arg(long)]
        reveal: bool,
    },
    /// Set variables.
    Set {
        #[command(flatten)]
        variables: Assignments,
        #[command(flatten)]
        preview: preview::Args,
    },
    /// Take variables away.
    Unset {
        #[command(flatten)]
        unwanted: Unwanted,
        #[command(flatten)]
        preview: preview::Args,
    },
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    with_shared_store(&args.config, async |config, store| match &args.command {
        Command::Show { json, reveal: false } => show(&store.defaults().await?, *json),
        Command::Show { json, reveal: true } => {
            let mut writing = store.write(&who(), "defaults show --reveal").await?;
            let defaults = writing.reveal_defaults().await?;
            writing.commit().await?;
            show(&defaults, *json)
        }
        Command::Set { variables, preview } => {
            let set = variables.read(&config.lint)?;
            ensure!(!set.is_empty(), "no variable is named");
            change(&store, config, (*preview, "defaults set"), |defaults| {
                put(&mut defaults.variables, &set);
                Ok(())
            })
            .await
        }
        Command::Unset { unwanted, preview } => {
            ensure!(!unwanted.is_empty(), "nothing is named that is to go");
            change(&store, config, (*preview, "defaults unset"), |defaults| {
                unwanted.take("the layer defaults", &mut defaults.variables)
            })
            .await
        }
    })
}

async fn change(
    store: &Store,
    config: Config,
    (preview, action): (preview::Args, &str),
    change: impl FnOnce(&mut Defaults) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    if preview.preview {
        let mut looking = Preview::begin(store, config, |outlook| {
            let mut defaults = Defaults { variables: std::mem::take(&mut outlook.defaults) };
            change(&mut defaults)?;
            outlook.defaults = defaults.variables;
            Ok(())
        })
        .await?;
        looking.look_at_all(store, None).await?;
        return Ok(looking.tell(preview.json).await?.code());
    }
    let mut writing = store.write(&who(), action).await?;
    let mut defaults = writing.defaults().await?;
    change(&mut defaults)?;
    writing.change_defaults(&defaults).await?;
    writing.commit().await?;
    show(&defaults, false)
}

fn show(defaults: &Defaults, json: bool) -> anyhow::Result<ExitCode> {
    let defaults = Defaults { variables: shown(&defaults.variables) };
    if json {
        println!("{}", serde_json::to_string_pretty(&defaults)?);
    } else {
        for (name, value) in &defaults.variables {
            println!("{name} = {value}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
