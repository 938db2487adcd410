//! `phoneprov events`: what happened, as the store has it.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::store::with_events;
use crate::config::Period;
use crate::device::{DeviceName, MacAddress};
use crate::event::{Event, Kind};
use crate::store::{Store, Wanted};
use crate::terminal::OneLine;

/// See what happened: requests, what phones say by syslog, alarms.
///
/// A name with a question mark is only claimed, or inferred from the address alone: nothing proves that the device has to do
/// with it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file, whose [store] has them, and whose [events] keeps them there.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// Only those of this device, by its MAC address, or its serial number as sn:FCH2133E8B9.
    #[arg(long, value_name = "DEVICE", value_parser = device)]
    mac: Option<DeviceName>,
    /// Only those of this kind.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Only those of the last hours or minutes: 24h, 10m.
    #[arg(long, value_name = "TIME")]
    since: Option<Period>,
    /// How many at the most, the newest.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(0..=100_000))]
    limit: i64,
    /// Go on with what happens from now on, until it is interrupted.
    #[arg(long)]
    follow: bool,
    /// Print JSON, one event a line.
    #[arg(long)]
    json: bool,
}

/// Between two questions for what is new.
const OFTEN: Duration = Duration::from_millis(300);

/// Events that are asked for at once.
const PAGE: i64 = 1000;

/// Prints them.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    with_events(&args.config, async |_, store| {
        let since = args.since.map(|since| SignedDuration::try_from(since.duration())).transpose()?;
        let of = match &args.mac {
            Some(name) => Some((store.device(name).await?.map(|entry| entry.id), name.to_string())),
            None => None,
        };
        let since = since.map(|since| Timestamp::now().saturating_sub(since)).transpose()?;
        let mut wanted = Wanted { after: 0, of, kind: args.kind, since };
        let last = store.last_event().await?;
        let events = store.newest_events(&wanted, args.limit).await?;
        wanted.after = events.last().map_or(last, |event| event.id);
        match args.print(&events).and_then(|()| io::stdout().flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            other => other?,
        }
        if args.follow { args.go_on(&store, wanted).await } else { Ok(ExitCode::SUCCESS) }
    })
}

impl Args {
    async fn go_on(&self, store: &Store, mut wanted: Wanted) -> anyhow::Result<ExitCode> {
        loop {
            let events = store.events_after(&wanted, PAGE).await?;
            match self.print(&events).and_then(|()| io::stdout().flush()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                other => other?,
            }
            match events.last() {
                Some(last) => wanted.after = last.id,
                None => tokio::time::sleep(OFTEN).await,
            }
        }
    }

    fn print(&self, events: &[Event]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for event in events {
            if self.json {
                writeln!(out, "{}", serde_json::to_string(event)?)?;
            } else {
                line(&mut out, event)?;
            }
        }
        Ok(())
    }
}

/// A device that events may be of, whether or not the store has it. What is meant for a MAC address is not taken for a serial
/// number: nothing would be found by it, as if nothing had happened.
fn device(text: &str) -> Result<DeviceName, Box<dyn Error + Send + Sync>> {
    match text.starts_with("sn:") {
        true => Ok(text.parse::<DeviceName>()?),
        false => Ok(text
            .parse::<MacAddress>()
            .map_err(|error| format!("{error}; or a serial number, sn:FCH2133E8B9"))?
            .into()),
    }
}

fn line(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let Event { at, kind, name, certain, address, path, outcome, version, text, .. } = event;
    let doubt = if *certain { "" } else { "?" };
    let name = name.as_ref().map_or_else(|| "-".to_owned(), |name| format!("{name}{doubt}"));
    let at = at.strftime("%Y-%m-%d %H:%M:%S");
    let version = version.as_deref().map(|version| version.get(..12).unwrap_or(version));
    let more: Vec<&str> = [path.as_deref(), version, Some(text)].into_iter().flatten().collect();
    let line = format!("{at}  {:<7}  {name:<12}  {address}  {outcome}  {}", kind.as_str(), more.join("  "));
    writeln!(out, "{}", OneLine(line.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_not_taken_for_a_serial_number() {
        let named = |text: &str| device(text).map(|name| name.to_string()).map_err(|error| error.to_string());
        assert_eq!(named("00:0E:08:AB:CD:EF").as_deref(), Ok("000e08abcdef"));
        assert_eq!(named("sn:fch2133e8b9").as_deref(), Ok("sn:FCH2133E8B9"));
        for text in ["2c3124c9f8e99", "garbage", "FCH2133E8B9", "sn:", ""] {
            assert!(named(text).expect_err(text).contains("sn:FCH2133E8B9"), "{text}");
        }
    }
}
