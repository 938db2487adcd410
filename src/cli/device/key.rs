//! `phoneprov device key`: keys of devices for their profiles, and handing phones new ones.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use serde_json::{Value, json};

use super::show::Form;
use crate::cli::hidden;
use crate::cli::store::{who, with_store};
use crate::cli::table;
use crate::device::{DeviceName, GroupName, KeyKind, Secret};
use crate::store::{Entry, Filter, KeyState, Store, StoreError, Writing};

/// Give devices keys of their own, for rules with `key_from = "device"`, and replace them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the keys of devices: which one the phone has, and which one it is handed.
    Show {
        /// The devices.
        #[arg(required = true)]
        names: Vec<DeviceName>,
        /// Print the keys themselves too. The history says who did.
        #[arg(long)]
        reveal: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Make a new random key of 256 bits: at once where there is none, else as the next one, which profiles hand over.
    Rotate {
        /// The devices.
        #[arg(required_unless_present_any = ["group", "all"])]
        names: Vec<DeviceName>,
        /// All devices of a group.
        #[arg(long, value_name = "GROUP")]
        group: Option<GroupName>,
        /// All devices.
        #[arg(long, conflicts_with_all = ["names", "group"])]
        all: bool,
        /// What the key is for: key is that of --key, ikm that of RFC 8188.
        #[arg(long, default_value = "key")]
        kind: KeyKind,
    },
    /// Take over the key that a phone has already, in place of all others of the kind. It is asked for, or a line of
    /// standard input.
    Set {
        /// The device.
        name: DeviceName,
        /// What the key is for: key is that of --key, ikm that of RFC 8188.
        #[arg(long, default_value = "key")]
        kind: KeyKind,
    },
}

/// Devices whose keys are changed at once.
const PAGE: i64 = 500;

/// Runs the subcommand.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Show { names, reveal, form } => {
            with_store(config, async |store| show(store, names, *reveal, form).await)
        }
        Command::Rotate { names, group, all, kind } => with_store(config, async |store| {
            let filter = Filter { group: group.clone(), ..Filter::default() };
            rotate(store, names, (*all || group.is_some()).then_some(&filter), *kind).await
        }),
        Command::Set { name, kind } => {
            let secret = hidden::ask("key")?;
            ensure!(
                !secret.expose().contains(char::is_whitespace),
                "the key has a space in it, which no rule can hold"
            );
            with_store(config, async |store| {
                let mut writing = store.write(&who(), "device key set").await?;
                let entry = find(&mut writing, name).await?;
                writing.set_key(&entry, *kind, secret.clone()).await?;
                writing.commit().await?;
                Ok(ExitCode::SUCCESS)
            })
        }
    }
}

async fn find(writing: &mut Writing<'_>, name: &DeviceName) -> anyhow::Result<Entry> {
    let entry = writing.device(name).await?;
    Ok(entry.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?)
}

async fn show(store: &Store, names: &[DeviceName], reveal: bool, form: &Form) -> anyhow::Result<ExitCode> {
    let mut rows: Vec<(DeviceName, KeyState, Option<Secret>)> = Vec::new();
    for name in names {
        let entry = store.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
        let keys = store.keys(&[entry.id]).await?.remove(&entry.id).unwrap_or_default();
        let mut revealed = Vec::new();
        if reveal {
            let mut writing = store.write(&who(), "device key show --reveal").await?;
            revealed = writing.reveal_keys(&entry).await?;
            writing.commit().await?;
        }
        rows.extend(keys.into_iter().map(|state| {
            let secret = revealed.iter().find(|(other, _)| *other == state).map(|(_, secret)| secret.clone());
            (entry.device.name(), state, secret)
        }));
    }
    let mut out = io::stdout().lock();
    if form.json {
        let rows = rows.iter().map(to_json).collect::<Result<Vec<Value>, _>>()?;
        crate::cli::json(&mut out, &rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    table::print(&mut out, &["device", "kind", "no", "is", "id", "made", "in use", "key"], &cells)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn to_json((name, state, secret): &(DeviceName, KeyState, Option<Secret>)) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(state)?;
    value["device"] = json!(name.to_string());
    if let Some(secret) = secret {
        value["key"] = json!(secret.expose());
    }
    Ok(value)
}

fn cells((name, state, secret): &(DeviceName, KeyState, Option<Secret>)) -> Vec<String> {
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    vec![
        name.to_string(),
        state.kind.to_string(),
        state.generation.to_string(),
        state.stage.as_str().to_owned(),
        state.id.clone(),
        day(state.made),
        state.used.map_or_else(|| "never".to_owned(), day),
        secret.as_ref().map_or_else(|| crate::device::MASK.to_owned(), |secret| secret.expose().to_owned()),
    ]
}

/// Gives these devices, or those of a filter, a new key; all of them or none.
async fn rotate(
    store: &Store,
    names: &[DeviceName],
    filter: Option<&Filter>,
    kind: KeyKind,
) -> anyhow::Result<ExitCode> {
    let mut writing = store.write(&who(), "device key rotate").await?;
    let (mut made, mut left) = (0, 0);
    let mut picked: Vec<Entry> = Vec::new();
    for name in names {
        let entry = find(&mut writing, name).await?;
        if picked.iter().all(|other| other.id != entry.id) {
            picked.push(entry);
        }
    }
    let mut after = 0;
    loop {
        let page = match filter {
            Some(filter) => writing.page(after, PAGE, filter).await?,
            None => std::mem::take(&mut picked),
        };
        let Some(last) = page.last() else { break };
        after = last.id;
        let under_way = writing.rotate_keys(&page, kind).await?;
        (made, left) = (made + page.len() - under_way.len(), left + under_way.len());
        for entry in under_way.iter().take(10) {
            println!("{}: the phone has not asked under its next {kind} yet", entry.device.name());
        }
    }
    match writing.commit().await? {
        Some(revision) => println!("{made} devices have a new {kind}, {left} are left alone: change {revision}"),
        None => println!("0 devices have a new {kind}, {left} are left alone"),
    }
    Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
