//! `phoneprov device show`, and a device as every command prints it.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use crate::cli::answer::{line, variable};
use crate::cli::heard::heard;
use crate::cli::store::{who, with_store};
use crate::device::{Device, DeviceName};
use crate::store::{Entry, Seen, Store, StoreError};

/// Show all that is known of devices.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The devices.
    #[arg(required = true)]
    names: Vec<DeviceName>,
    #[command(flatten)]
    form: Form,
    /// Show secrets too. The history says who did.
    #[arg(long)]
    reveal: bool,
}

/// How a device is printed.
#[derive(Debug, clap::Args)]
pub(super) struct Form {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Shows them.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        for name in &args.names {
            if args.reveal {
                reveal(store, name, &args.form).await?;
            } else {
                one(store, name, &args.form).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Prints one device.
pub(super) async fn one(store: &Store, name: &DeviceName, form: &Form) -> anyhow::Result<ExitCode> {
    let entry = store.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
    print_one(store, &entry, form).await
}

/// Prints one device with its secrets, once the history has who looks.
async fn reveal(store: &Store, name: &DeviceName, form: &Form) -> anyhow::Result<ExitCode> {
    let mut writing = store.write(&who(), "device show --reveal").await?;
    let entry = writing.reveal(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
    writing.commit().await?;
    print_one(store, &entry, form).await
}

async fn print_one(store: &Store, entry: &Entry, form: &Form) -> anyhow::Result<ExitCode> {
    let seen = heard(store, &[entry.id]).await?;
    let mut out = io::stdout().lock();
    if form.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&json(entry, &seen)?)?)?;
    } else {
        print(&mut out, &entry.device, seen.get(&entry.id))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A device as JSON, with its number and when it was seen.
pub(super) fn json(entry: &Entry, seen: &HashMap<i64, Seen>) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(entry.device.shown())?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("id".into(), entry.id.into());
        if let Some(seen) = seen.get(&entry.id) {
            fields.insert("seen".into(), seen.at.to_string().into());
            fields.insert("address".into(), seen.address.clone().into());
        }
    }
    Ok(value)
}

fn print(out: &mut impl Write, device: &Device, seen: Option<&Seen>) -> io::Result<()> {
    let identity = &device.identity;
    let words = |words: Vec<String>| if words.is_empty() { None } else { Some(words.join(" ")) };
    let fields = [
        ("mac", identity.mac().map(|mac| mac.to_string())),
        ("serial", identity.serial().map(ToString::to_string)),
        ("product", identity.model().map(ToString::to_string)),
        ("series", device.series.as_ref().map(ToString::to_string)),
        ("label", Some(device.label.clone()).filter(|label| !label.is_empty())),
        ("enabled", Some(if device.enabled { "yes" } else { "no" }.to_owned())),
        ("aliases", words(device.aliases.iter().map(ToString::to_string).collect())),
        ("groups", words(device.groups.iter().map(ToString::to_string).collect())),
        ("notes", Some(device.notes.clone()).filter(|notes| !notes.is_empty())),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            line(out, name, &value)?;
        }
    }
    for (name, value) in &device.shown().variables {
        variable(out, name, value)?;
    }
    let seen = seen.map_or_else(|| "never".to_owned(), |seen| format!("{} at {}", when(seen), seen.address));
    line(out, "seen", &seen)
}

/// When a device was seen, to the second.
pub(super) fn when(seen: &Seen) -> String {
    seen.at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
