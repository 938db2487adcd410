//! `phoneprov group`: what devices have in common.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;

use super::store::{who, with_store};
use super::table;
use crate::device::GroupName;
use crate::store::{Group, Store, StoreError};

/// Add, see and remove the groups that devices are in.
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
    /// Add a group.
    Add {
        /// Its name.
        name: GroupName,
        /// What people want to know of it.
        #[arg(long, value_name = "TEXT", default_value = "")]
        notes: String,
    },
    /// List all groups, with how many devices each has.
    List,
    /// Remove a group that no device is in.
    Remove {
        /// Its name.
        name: GroupName,
    },
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    with_store(&args.config, async |store| match &args.command {
        Command::Add { name, notes } => add(store, name, notes).await,
        Command::List => list(store).await,
        Command::Remove { name } => remove(store, name).await,
    })
}

async fn add(store: &Store, name: &GroupName, notes: &str) -> anyhow::Result<ExitCode> {
    ensure!(notes.len() <= 4096, "the notes have {} bytes: expected 4096 at the most", notes.len());
    let mut writing = store.write(&who(), "group add").await?;
    if writing.group(name).await?.is_some() {
        return Err(StoreError::GroupTaken(name.clone()).into());
    }
    writing.change_group(name, Some(Group { notes: notes.to_owned(), ..Group::new(name.clone()) })).await?;
    writing.commit().await?;
    Ok(ExitCode::SUCCESS)
}

async fn list(store: &Store) -> anyhow::Result<ExitCode> {
    let groups = store.groups().await?;
    let rows: Vec<Vec<String>> = groups
        .into_iter()
        .map(|(group, devices)| vec![group.name.to_string(), devices.to_string(), group.notes])
        .collect();
    table::print(&mut io::stdout().lock(), &["group", "devices", "notes"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

async fn remove(store: &Store, name: &GroupName) -> anyhow::Result<ExitCode> {
    let mut writing = store.write(&who(), "group remove").await?;
    if writing.group(name).await?.is_none() {
        return Err(StoreError::NoSuchGroup(name.clone()).into());
    }
    writing.change_group(name, None).await?;
    writing.commit().await?;
    Ok(ExitCode::SUCCESS)
}
