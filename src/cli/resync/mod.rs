//! `phoneprov resync`: phones are told to come, and what came of it is told.

mod address;
mod awaited;
mod pace;
mod uploads;
mod watch;
mod ways;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::ensure;

use self::awaited::Awaited;
use self::pace::Pace;
use self::watch::Told;
use super::standing::{self, Path, Sight, Step};
use super::store::with_shared_store;
use crate::config::Period;
use crate::device::{DeviceName, GroupName};
use crate::push::{Carrier, Wish};
use crate::store::{Entry, Filter, Store, StoreError};

/// Tell phones to fetch their profiles, and see which came, and which say that they took them.
///
/// Only phones that would be given something else than they have, or fail, are told, unless --force. Exits with 1 if one of
/// them could not be told, did not come, or came and failed; with --event report or prt, if one sent nothing that was kept.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    how: How,
    /// Tell also those that have what they would be given.
    #[arg(long)]
    force: bool,
    /// How long phones have to come and say that they took it, or to send their report: 90s, 5m.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    wait: Period,
    /// The configuration file, whose [store] and [push] count.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

/// Which phones.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Who {
    /// These devices.
    names: Vec<DeviceName>,
    /// Those of this group.
    #[arg(long)]
    group: Option<GroupName>,
    /// Every one that is behind, those that fail among them.
    #[arg(long)]
    behind: bool,
}

/// How they are told, and what.
#[derive(Debug, clap::Args)]
struct How {
    /// The rule that they are to run, instead of their own.
    #[arg(long)]
    rule: Option<String>,
    /// The way: SIP NOTIFY, the phone's web page, or an XML object that is posted there.
    #[arg(long, value_enum, default_value = "notify")]
    method: Method,
    /// What NOTIFY goes over.
    #[arg(long, value_enum, default_value = "udp")]
    over: Carrier,
    /// What they are to do.
    #[arg(long, value_enum, default_value = "resync")]
    event: EventName,
    /// How many are told in how much time: 10/s, 30/m.
    #[arg(long, default_value = "10/s")]
    pace: Pace,
    /// How long a phone may take to answer.
    #[arg(long, value_name = "TIME", default_value = "8s")]
    patience: Period,
}

/// A way to tell a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// SIP NOTIFY.
    Notify,
    /// `/admin/resync`.
    Http,
    /// `/CGI/Execute`.
    Xml,
}

/// What a phone may be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EventName {
    /// Run the profile rules.
    Resync,
    /// Send the report.
    Report,
    /// Start anew.
    Reboot,
    /// Start the software anew.
    Restart,
    /// Send a problem report.
    Prt,
}

/// Devices that are looked at together.
const AT_ONCE: i64 = 500;

/// Tells them.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let wish = args.wish()?;
    with_shared_store(&args.config, async |config, store| {
        let sight = Arc::new(Sight::open(config, Arc::clone(&store))?);
        let awaited = Awaited::after(&wish);
        let (mut told, mut wanted) = (Vec::new(), Vec::new());
        for (entry, paths) in args.candidates(&store, &sight).await? {
            let step = standing::worst(&paths);
            let is_due = awaited != Awaited::Profiles || args.force || !matches!(step, Some(Step::Current));
            match is_due {
                true => wanted.push((entry, standing::address(&paths))),
                false => told.push(Told::passed_over(entry)),
            }
        }
        let before = store.last_event().await?;
        told.extend(ways::tell(wanted, &args.how, &wish, &sight, &store).await?);
        let wait = args.wait.duration();
        match awaited {
            Awaited::Profiles => watch::until_they_came(&mut told, &sight, wait).await?,
            Awaited::Upload(kind) => uploads::until_they_came(&mut told, &store, (kind, before), wait).await?,
            Awaited::Nothing => {}
        }
        watch::print(&mut std::io::stdout().lock(), &told, awaited)?;
        Ok(if told.iter().all(|told| told.is_well(awaited)) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

impl Args {
    fn wish(&self) -> anyhow::Result<Wish> {
        let rule = self.how.rule.clone();
        let is_resync = self.how.event == EventName::Resync;
        ensure!(rule.is_none() || is_resync, "--rule is for a resync");
        let has_control = rule.as_ref().is_some_and(|rule| rule.contains(char::is_control));
        ensure!(!has_control, "--rule has a control character in it");
        Ok(match self.how.event {
            EventName::Resync => Wish::Resync(rule),
            EventName::Report => Wish::Report,
            EventName::Reboot => Wish::Reboot,
            EventName::Restart => Wish::Restart,
            EventName::Prt => Wish::ProblemReport,
        })
    }

    /// Every device that is meant, and how it stands.
    async fn candidates(&self, store: &Store, sight: &Sight) -> anyhow::Result<Vec<(Entry, Vec<Path>)>> {
        let mut entries = Vec::new();
        for name in &self.who.names {
            entries.push(store.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?);
        }
        let mut found = with_paths(entries, sight).await?;
        if self.who.group.is_none() && !self.who.behind {
            return Ok(found);
        }
        if let Some(group) = &self.who.group {
            let groups = store.groups().await?;
            ensure!(groups.iter().any(|(known, _)| known.name == *group), StoreError::NoSuchGroup(group.clone()));
        }
        let filter = Filter { group: self.who.group.clone(), enabled: Some(true), ..Filter::default() };
        let mut after = 0;
        loop {
            let some = store.page(after, AT_ONCE, &filter).await?;
            let Some(last) = some.last().map(|entry| entry.id) else { break };
            after = last;
            let all = with_paths(some, sight).await?;
            let is_meant = |paths: &[Path]| !self.who.behind || standing::is_behind(paths);
            found.extend(all.into_iter().filter(|(_, paths)| is_meant(paths)));
        }
        found.sort_by_key(|(entry, _)| entry.id);
        found.dedup_by_key(|(entry, _)| entry.id);
        Ok(found)
    }
}

async fn with_paths(entries: Vec<Entry>, sight: &Sight) -> anyhow::Result<Vec<(Entry, Vec<Path>)>> {
    let mut paths = sight.of(&entries).await?;
    let found = entries.into_iter().map(|entry| {
        let paths = paths.remove(&entry.id).unwrap_or_default();
        (entry, paths)
    });
    Ok(found.collect())
}
