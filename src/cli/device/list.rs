//! `phoneprov device list`: a page at a time.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::show::{self, Form};
use crate::cli::store::with_store;
use crate::cli::table;
use crate::device::GroupName;
use crate::store::{Entry, Filter};

/// List devices, in the order in which they were added.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those with this in address, serial number, product or label, in any case.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those of this group.
    #[arg(long)]
    group: Option<GroupName>,
    /// Only those that are disabled.
    #[arg(long, conflicts_with = "enabled")]
    disabled: bool,
    /// Only those that are enabled.
    #[arg(long)]
    enabled: bool,
    /// How many at the most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Go on after this number, which the page before ended with.
    #[arg(long, default_value_t = 0)]
    after: i64,
    #[command(flatten)]
    form: Form,
}

/// Prints a page.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    let filter = Filter {
        text: args.search.clone(),
        group: args.group.clone(),
        enabled: if args.disabled { Some(false) } else { args.enabled.then_some(true) },
    };
    with_store(config, async |store| {
        // One more than is shown says whether there is more.
        let mut page = store.page(args.after, args.limit + 1, &filter).await?;
        let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(|entry| entry.id);
        let ids: Vec<i64> = page.iter().map(|entry| entry.id).collect();
        let seen = store.seen(&ids).await?;
        let mut out = io::stdout().lock();
        if args.form.json {
            let devices = page.iter().map(|entry| show::json(entry, &seen)).collect::<Result<Vec<Value>, _>>()?;
            writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "devices": devices, "next": next }))?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let last_seen = |entry: &Entry| seen.get(&entry.id).map_or_else(|| "never".to_owned(), show::when);
        let rows: Vec<Vec<String>> = page.iter().map(|entry| cells(entry, last_seen(entry))).collect();
        table::print(&mut out, &["device", "serial", "product", "label", "groups", "enabled", "seen"], &rows)?;
        if let Some(next) = next {
            writeln!(out, "more: --after {next}")?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn cells(entry: &Entry, seen: String) -> Vec<String> {
    let device = &entry.device;
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let groups: Vec<String> = device.groups.iter().map(ToString::to_string).collect();
    vec![
        device.name().to_string(),
        text(device.identity.serial().map(ToString::to_string)),
        text(device.identity.model().map(ToString::to_string)),
        text(Some(device.label.clone()).filter(|label| !label.is_empty())),
        text(Some(groups.join(" ")).filter(|groups| !groups.is_empty())),
        if device.enabled { "yes" } else { "no" }.to_owned(),
        seen,
    ]
}
