//! `phoneprov device waiting` and `approve`: phones that asked and that the store does not have.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::fields::Fields;
use super::show::{self, Form};
use crate::cli::store::{who, with_store};
use crate::cli::table;
use crate::device::{Device, DeviceIdentity, DeviceName};
use crate::store::Waiting;

/// List phones that asked for a profile and that the store does not have, as `unknown = "wait"` notes them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many at the most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Go on after this name.
    #[arg(long, default_value = "")]
    after: String,
    /// Forget all of them; one that asks again waits again.
    #[arg(long)]
    clear: bool,
    #[command(flatten)]
    form: Form,
}

/// Add a phone that waits.
#[derive(Debug, clap::Args)]
pub(super) struct Approve {
    /// What it is listed as.
    name: DeviceName,
    /// Approve of it although it has proven nothing: anybody can ask under its name.
    #[arg(long)]
    unproven: bool,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    form: Form,
}

/// Lists them.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        if args.clear {
            let mut writing = store.write(&who(), "device waiting --clear").await?;
            writing.dismiss(None).await?;
            writing.keep().await?;
            return Ok(ExitCode::SUCCESS);
        }
        let waiting = store.waiting(&args.after, args.limit).await?;
        let mut out = io::stdout().lock();
        if args.form.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "waiting": waiting }))?)?;
        } else {
            let rows: Vec<Vec<String>> = waiting.iter().map(cells).collect();
            table::print(&mut out, &["device", "product", "proven", "times", "last", "address", "path"], &rows)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Adds one.
pub(super) fn approve(args: &Approve, config: &Path) -> anyhow::Result<ExitCode> {
    let variables = args.fields.variables(config)?;
    with_store(config, async |store| {
        let mut change = store.write(&who(), "device approve").await?;
        let Some(waiting) = change.waiting(&args.name).await? else {
            bail!("{} does not wait: `phoneprov device waiting` lists those that do", args.name);
        };
        if !waiting.proven && !args.unproven {
            bail!(
                "{} has proven nothing, so anybody may have asked: --unproven approves of it all the same",
                args.name
            );
        }
        let (mac, serial) = match args.name.clone() {
            DeviceName::Mac(mac) => (Some(mac), None),
            DeviceName::Serial(serial) => (None, Some(serial)),
        };
        let identity = DeviceIdentity::new(mac, serial, waiting.product).context("a device needs a name")?;
        let mut device = Device::new(identity);
        args.fields.apply(&mut device, &variables);
        change.change(vec![(None, Some(device.clone()))]).await?;
        change.commit().await?;
        show::one(store, &device.name(), &args.form).await
    })
}

fn cells(waiting: &Waiting) -> Vec<String> {
    let Waiting { name, product, proven, last, times, address, path, .. } = waiting;
    vec![
        name.to_string(),
        product.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        if *proven { "yes" } else { "no" }.to_owned(),
        times.to_string(),
        last.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        address.clone(),
        path.clone(),
    ]
}
