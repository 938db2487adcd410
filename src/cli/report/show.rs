//! `phoneprov report show`: the parameters that a phone has, by its reports.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Timestamp;

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
    /// As it was at this time: 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The last status report instead, as it came.
    #[arg(long)]
    status: bool,
    /// Show keys and passwords that stand in rules and URLs; other secrets are in no report.
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    identity: IdentityArgs,
}

/// Opens the reports and prints what they come to.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_shared_store(config, async |config, store| {
        let reader = args.identity.reader(&config)?;
        let entry = store.device(&args.device).await?;
        let entry = entry.ok_or_else(|| StoreError::NoSuchDevice(args.device.clone()))?;
        let until = args.at.unwrap_or(Timestamp::MAX);
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
