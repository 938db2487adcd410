//! `phoneprov device list`: a page at a time.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::show::{self, Form};
use crate::cli::heard::heard;
use crate::cli::standing::{self, Sight, Step};
use crate::cli::store::{ensure_events, with_shared_store};
use crate::cli::table;
use crate::config::Period;
use crate::device::GroupName;
use crate::store::{self, Entry, Filter, Seen, Store};

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
    #[command(flatten)]
    standing: Standing,
    /// How many at the most: left out, 100, and with --stale, --failing or --behind 10 000.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=MOST))]
    limit: Option<i64>,
    /// Go on after this number, which the page before ended with.
    #[arg(long, default_value_t = 0)]
    after: i64,
    #[command(flatten)]
    form: Form,
}

/// How they stand.
#[derive(Debug, clap::Args)]
struct Standing {
    /// Only those that were not heard of for this long: 24h.
    #[arg(long, value_name = "TIME")]
    stale: Option<Period>,
    /// Only those that do not get, or not take, what they ask for. One can be failing and behind.
    #[arg(long)]
    failing: bool,
    /// Only those that have another version of a profile than they would be given, or have not taken it: they do not say so
    /// though their word counts, or say that it failed.
    #[arg(long)]
    behind: bool,
}

/// The most on a page, which a list for what is wrong with them has room for.
const MOST: i64 = 10_000;

/// A page of all devices.
const PAGE: i64 = 100;

/// Devices that are looked at together.
const AT_ONCE: i64 = 500;

/// Prints a page.
pub(super) fn run(args: &Args, file: &Path) -> anyhow::Result<ExitCode> {
    with_shared_store(file, async |config, store| {
        if args.standing.is_of_paths() {
            ensure_events(&config, file)?;
        }
        let tells_of_paths = args.standing.is_asked() && args.form.json && config.events.is_some();
        let needs_paths = args.standing.is_of_paths() || tells_of_paths;
        let sight = if needs_paths { Some(Sight::open(config, Arc::clone(&store))?) } else { None };
        let page = args.page(&store, sight.as_ref()).await?;
        let mut out = io::stdout().lock();
        if args.form.json {
            let devices = page.entries.iter().map(|entry| page.json(entry)).collect::<Result<Vec<Value>, _>>()?;
            writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "devices": devices, "next": page.next }))?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let ids: Vec<i64> = page.entries.iter().map(|entry| entry.id).collect();
        let keys = store.keys(&ids).await?;
        let last_seen = |entry: &Entry| page.seen.get(&entry.id).map_or_else(|| "never".to_owned(), show::when);
        let in_one_word =
            |entry: &Entry| store::in_one_word(keys.get(&entry.id).map(Vec::as_slice).unwrap_or_default());
        let rows = page.entries.iter().map(|entry| cells(entry, [in_one_word(entry), last_seen(entry)]));
        let rows: Vec<Vec<String>> = rows.collect();
        table::print(&mut out, &["device", "serial", "product", "label", "groups", "enabled", "keys", "seen"], &rows)?;
        if let Some(next) = page.next {
            writeln!(out, "more: --after {next}")?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The devices of a page, when they were seen, how they stand where that was looked at, and what the next page goes on after.
#[derive(Default)]
struct Page {
    entries: Vec<Entry>,
    seen: HashMap<i64, Seen>,
    stand: HashMap<i64, [(&'static str, Value); 2]>,
    next: Option<i64>,
}

impl Page {
    fn json(&self, entry: &Entry) -> serde_json::Result<Value> {
        let mut value = show::json(entry, &self.seen)?;
        if let Some((fields, stand)) = value.as_object_mut().zip(self.stand.get(&entry.id)) {
            fields.extend(stand.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        Ok(value)
    }
}

impl Standing {
    /// Whether the list is of those that are not as they should be.
    fn is_asked(&self) -> bool {
        self.stale.is_some() || self.is_of_paths()
    }

    /// Whether that is for the paths to tell, which events keep.
    fn is_of_paths(&self) -> bool {
        self.failing || self.behind
    }

    /// Whether a device with these paths is wanted; one that is failing and behind is by either.
    fn is_of(&self, paths: &[standing::Path]) -> bool {
        let is_failing = || standing::worst(paths) == Some(Step::Failing);
        match (self.failing, self.behind) {
            (false, false) => true,
            (failing, behind) => (behind && standing::is_behind(paths)) || (failing && is_failing()),
        }
    }
}

impl Args {
    /// Goes through devices until there are enough of those that are wanted.
    async fn page(&self, store: &Store, sight: Option<&Sight>) -> anyhow::Result<Page> {
        let filter = Filter {
            text: self.search.clone(),
            group: self.group.clone(),
            enabled: if self.disabled { Some(false) } else { self.enabled.then_some(true) },
        };
        let stale = self.standing.stale.map(|stale| SignedDuration::try_from(stale.duration())).transpose()?;
        let before = stale.map(|stale| Timestamp::now().saturating_sub(stale)).transpose()?;
        let limit = self.limit.unwrap_or(if self.standing.is_asked() { MOST } else { PAGE });
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut page, mut after) = (Page::default(), self.after);
        loop {
            let some = store.page(after, AT_ONCE, &filter).await?;
            let Some(last) = some.last().map(|entry| entry.id) else { return Ok(page) };
            let ids: Vec<i64> = some.iter().map(|entry| entry.id).collect();
            let seen = heard(store, &ids).await?;
            let all = match sight {
                Some(sight) => Some(sight.of(&some).await?),
                None => None,
            };
            for entry in some {
                let is_fresh = before.is_some_and(|before| seen.get(&entry.id).is_some_and(|seen| seen.at >= before));
                let paths = all.as_ref().map(|all| all.get(&entry.id).map(Vec::as_slice).unwrap_or_default());
                if is_fresh || !self.standing.is_of(paths.unwrap_or_default()) {
                    continue;
                }
                // One more than is shown says that there is more.
                if page.entries.len() == limit {
                    page.next = page.entries.last().map(|entry| entry.id);
                    return Ok(page);
                }
                page.seen.extend(seen.get(&entry.id).map(|seen| (entry.id, seen.clone())));
                page.stand.extend(paths.map(|paths| (entry.id, standing::in_short(paths))));
                page.entries.push(entry);
            }
            after = last;
        }
    }
}

fn cells(entry: &Entry, [keys, seen]: [String; 2]) -> Vec<String> {
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
        keys,
        seen,
    ]
}
