//! `phoneprov resync`: phones are told to come, and what came of it is told.

mod address;
mod awaited;
mod pace;
mod requests;
mod uploads;
mod watch;
mod ways;
mod web;
mod who;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::ensure;

use self::awaited::Awaited;
use self::pace::Pace;
use self::requests::Requests;
use self::watch::Told;
use self::who::Who;
use super::standing::{self, Sight, Step};
use super::store::with_events;
use crate::config::Period;
use crate::push::{Carrier, Wish};

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
    /// The configuration file, whose [store], [events] and [push] count.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
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

/// Tells them.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let wish = args.wish()?;
    with_events(&args.config, async |config, store| {
        let sight = Arc::new(Sight::open(config, Arc::clone(&store))?);
        let awaited = Awaited::after(&wish);
        let (mut told, mut wanted) = (Vec::new(), Vec::new());
        for (entry, paths) in args.who.candidates(&store, &sight).await? {
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
            Awaited::Profiles => {
                watch::until_they_came(&mut told, (&sight, &store), Requests::after(before), wait).await?;
            }
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
}
