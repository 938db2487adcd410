//! `phoneprov report show`: the parameters that a phone has, by its reports.

use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::cli::cipher_args::write_output;
use crate::cli::received::IdentityArgs;
use crate::cli::store::with_shared_store;
use crate::device::DeviceName;
use crate::profile::flat::{FlatProfile, Parameter};
use crate::profile::mask::masked;
use crate::store::{StoreError, UploadKind};

/// Print the parameters that a phone has: its last full report, with the changes since laid over it.
///
/// Gaps are told on standard error. Fails where no report can be read at all.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The device.
    device: DeviceName,
    /// As it was at this time: "2026-01-31 12:00:00" in UTC, as `report list` prints it, or 2026-01-31T13:00:00+01:00. Of a
    /// second without its fraction, the whole second counts.
    #[arg(long, value_name = "TIME")]
    at: Option<At>,
    /// The last status report instead, as it came.
    #[arg(long)]
    status: bool,
    /// Show keys and passwords that stand in rules and URLs; other secrets are in no report.
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    identity: IdentityArgs,
}

/// A time, with all of its second where that has no fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At(Timestamp);

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("`{text}` is no time: expected 2026-01-31 12:00:00, in UTC, or 2026-01-31T12:00:00Z");
        let without_offset =
            || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
        let at = text.parse().ok().or_else(without_offset).ok_or_else(fault)?;
        // Reports are kept to the millisecond, and listed to the second.
        let rest = if text.contains(['.', ',']) { SignedDuration::ZERO } else { SignedDuration::from_millis(999) };
        Ok(Self(at.saturating_add(rest).unwrap_or(at)))
    }
}

/// Opens the reports and prints what they come to.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_shared_store(config, async |config, store| {
        let reader = args.identity.reader(&config)?;
        let entry = store.device(&args.device).await?;
        let entry = entry.ok_or_else(|| StoreError::NoSuchDevice(args.device.clone()))?;
        let until = args.at.map_or(Timestamp::MAX, |at| at.0);
        let none = || format!("{} has sent none that is kept", entry.device.name());
        if args.status {
            let uploads = store.uploads_of_device(&entry.device.name(), &[UploadKind::Status]).await?;
            let last = uploads.iter().rev().find(|upload| upload.at <= until);
            write_output(reader.text(last.with_context(none)?)?.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(state) = reader.state(&store, &entry, until).await? else { bail!(none()) };
        for gap in &state.gaps {
            eprintln!("phoneprov: gap: {gap}");
        }
        if state.last.is_none() {
            bail!("no report of {} could be read: see the gaps", entry.device.name());
        }
        write_output(shown(state.profile, args.reveal).to_xml().as_bytes())?;
        Ok(ExitCode::SUCCESS)
    })
}

fn shown(profile: FlatProfile, reveal: bool) -> FlatProfile {
    if reveal {
        return profile;
    }
    let masked = |parameter: &Parameter| parameter.with_value(&masked(parameter.name(), parameter.value()));
    FlatProfile { parameters: profile.parameters.iter().map(masked).collect(), ..profile }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_taken_as_it_is_listed() {
        let at = |text: &str| text.parse().map(|At(at)| at.to_string());
        assert_eq!(at("2026-01-31 12:00:00").as_deref(), Ok("2026-01-31T12:00:00.999Z"));
        assert_eq!(at("2026-01-31T13:00:00+01:00").as_deref(), Ok("2026-01-31T12:00:00.999Z"));
        assert_eq!(at("2026-01-31T12:00:00.5Z").as_deref(), Ok("2026-01-31T12:00:00.5Z"));
        for text in ["", "noon", "2026-13-31 12:00:00", "2026-01-31 12:00:00 x"] {
            assert!(at(text).expect_err("refused").starts_with(&format!("`{text}` is no time")), "{text}");
        }
    }
}
