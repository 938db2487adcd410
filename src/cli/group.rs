//! `phoneprov group`: what devices have in common.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;

use super::answer::{line, variable};
use super::device::{Assignments, Unwanted, put};
use super::preview::{self, Preview};
use super::store::{who, with_shared_store};
use super::table;
use crate::config::Config;
use crate::device::{GroupName, VariableName, VariableValue, shown};
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
        #[command(flatten)]
        variables: Assignments,
    },
    /// Show a group.
    Show {
        /// Its name.
        name: GroupName,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Show secrets too. The history says who did.
        #[arg(long)]
        reveal: bool,
    },
    /// Change a group: its notes, its variables.
    Set {
        /// Its name.
        name: GroupName,
        /// What people want to know of it.
        #[arg(long, value_name = "TEXT")]
        notes: Option<String>,
        #[command(flatten)]
        variables: Assignments,
        #[command(flatten)]
        preview: preview::Args,
    },
    /// Take variables of a group away.
    Unset {
        /// Its name.
        name: GroupName,
        #[command(flatten)]
        unwanted: Unwanted,
        #[command(flatten)]
        preview: preview::Args,
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
    with_shared_store(&args.config, async |config, store| match &args.command {
        Command::Add { name, notes, variables } => {
            let group = changed(Group::new(name.clone()), Some(notes), &variables.read(&config.lint)?)?;
            add(&store, group).await
        }
        Command::Show { name, json, reveal: false } => show(&store, name, *json).await,
        Command::Show { name, json, reveal: true } => reveal(&store, name, *json).await,
        Command::Set { name, notes, variables, preview } => {
            let variables = variables.read(&config.lint)?;
            change((&store, config, *preview), name, "group set", |group| changed(group, notes.as_ref(), &variables))
                .await
        }
        Command::Unset { name, unwanted, preview } => {
            ensure!(!unwanted.is_empty(), "nothing is named that is to go");
            change((&store, config, *preview), name, "group unset", |mut group| {
                unwanted.take(&format!("the group {name}"), &mut group.variables)?;
                Ok(group)
            })
            .await
        }
        Command::List => list(&store).await,
        Command::Remove { name } => remove(&store, name).await,
    })
}

/// A group with other notes and more variables.
fn changed(
    mut group: Group,
    notes: Option<&String>,
    variables: &[(VariableName, VariableValue)],
) -> anyhow::Result<Group> {
    if let Some(notes) = notes {
        ensure!(notes.len() <= 4096, "the notes have {} bytes: expected 4096 at the most", notes.len());
        group.notes.clone_from(notes);
    }
    put(&mut group.variables, variables);
    Ok(group)
}

async fn add(store: &Store, group: Group) -> anyhow::Result<ExitCode> {
    let mut writing = store.write(&who(), "group add").await?;
    if writing.group(&group.name).await?.is_some() {
        return Err(StoreError::GroupTaken(group.name).into());
    }
    writing.change_group(&group.name.clone(), Some(group)).await?;
    writing.commit().await?;
    Ok(ExitCode::SUCCESS)
}

async fn change(
    (store, config, preview): (&Store, Config, preview::Args),
    name: &GroupName,
    action: &str,
    change: impl FnOnce(Group) -> anyhow::Result<Group>,
) -> anyhow::Result<ExitCode> {
    if preview.preview {
        let mut looking = Preview::begin(store, config, |outlook| {
            let variables = outlook.group_mut(name).ok_or_else(|| StoreError::NoSuchGroup(name.clone()))?;
            let group = Group { variables: std::mem::take(variables), ..Group::new(name.clone()) };
            *variables = change(group)?.variables;
            Ok(())
        })
        .await?;
        looking.look_at_all(store, Some(name.clone())).await?;
        return Ok(looking.tell(preview.json).await?.code());
    }
    let mut writing = store.write(&who(), action).await?;
    let group = writing.group(name).await?.ok_or_else(|| StoreError::NoSuchGroup(name.clone()))?;
    let group = change(group)?;
    writing.change_group(name, Some(group)).await?;
    writing.commit().await?;
    show(store, name, false).await
}

async fn show(store: &Store, name: &GroupName, json: bool) -> anyhow::Result<ExitCode> {
    let groups = store.groups().await?;
    let found = groups.into_iter().find(|(group, _)| group.name == *name);
    let (group, devices) = found.ok_or_else(|| StoreError::NoSuchGroup(name.clone()))?;
    print(&group, devices, json)
}

/// Prints a group with its secrets, once the history has who looks.
async fn reveal(store: &Store, name: &GroupName, json: bool) -> anyhow::Result<ExitCode> {
    let mut writing = store.write(&who(), "group show --reveal").await?;
    let group = writing.reveal_group(name).await?.ok_or_else(|| StoreError::NoSuchGroup(name.clone()))?;
    writing.commit().await?;
    let devices =
        store.groups().await?.into_iter().find(|(other, _)| other.name == *name).map_or(0, |(_, count)| count);
    print(&group, devices, json)
}

fn print(group: &Group, devices: i64, json: bool) -> anyhow::Result<ExitCode> {
    let group = Group { variables: shown(&group.variables), ..group.clone() };
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&group)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    line(&mut out, "group", &group.name.to_string())?;
    line(&mut out, "devices", &devices.to_string())?;
    if !group.notes.is_empty() {
        line(&mut out, "notes", &group.notes)?;
    }
    for (name, value) in &group.variables {
        variable(&mut out, name, value)?;
    }
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
