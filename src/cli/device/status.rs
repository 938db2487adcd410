//! `phoneprov device status`: what devices should have, were given, and say that they have.

use std::io::{self, Write};
use std::path::Path as File;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::show::Form;
use crate::cli::answer::line;
use crate::cli::received::REPORTS;
use crate::cli::standing::{self, Path, Sight, Step};
use crate::cli::store::with_events;
use crate::device::DeviceName;
use crate::event::Version;
use crate::store::{Entry, StoreError, Upload, UploadKind};
use crate::terminal::OneLine;

/// See what devices should have, what they were given, and what they say that they took.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The devices.
    #[arg(required = true)]
    names: Vec<DeviceName>,
    #[command(flatten)]
    form: Form,
}

/// Prints it. Exits with 1 if one of them fails or is behind.
pub(super) fn run(args: &Args, file: &File) -> anyhow::Result<ExitCode> {
    with_events(file, async |config, store| {
        let mut entries = Vec::new();
        for name in &args.names {
            entries.push(store.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?);
        }
        let sight = Sight::open(config, Arc::clone(&store))?;
        let paths = sight.of(&entries).await?;
        let mut out = io::stdout().lock();
        let mut is_well = true;
        let mut values = Vec::new();
        for entry in &entries {
            let reports = store.uploads_of_device(&entry.device.name(), &REPORTS).await?;
            let paths = paths.get(&entry.id).map_or(&[][..], Vec::as_slice);
            let worst = standing::worst(paths);
            let is_behind = standing::is_behind(paths);
            is_well &= !matches!(worst, Some(Step::Failing | Step::Behind));
            if args.form.json {
                let steps = standing::steps(paths);
                let each: Vec<_> = paths.iter().zip(steps).map(|(path, step)| standing::json(path, step)).collect();
                let step = worst.map(Step::as_str);
                let name = entry.device.name().to_string();
                values.push(json!({ "device": name, "step": step, "behind": is_behind, "firmware": firmware(paths),
                    "paths": each, "reported": reports.last().map(|last| last.at.to_string()) }));
            } else {
                print(&mut out, entry, paths, &reports)?;
            }
        }
        if args.form.json {
            crate::cli::json(&mut out, &values)?;
        }
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

fn print(out: &mut impl Write, entry: &Entry, paths: &[Path], reports: &[Upload]) -> io::Result<()> {
    let label = Some(entry.device.label.as_str()).filter(|label| !label.is_empty());
    line(out, "device", &format!("{}{}", entry.device.name(), label.map(|l| format!("  {l}")).unwrap_or_default()))?;
    line(out, "standing", summary(paths, reports))?;
    if let Some(firmware) = firmware(paths) {
        line(out, "firmware", firmware)?;
    }
    for (path, step) in paths.iter().zip(standing::steps(paths)) {
        let standing = &path.standing;
        line(out, "path", &format!("{}  {}", OneLine(&standing.path), step.as_str()))?;
        line(out, "  intended", path.intended.as_deref().map_or("nothing: it would be refused", short))?;
        line(out, "  given", &version(standing.given.as_ref()))?;
        line(out, "  confirmed", &version(standing.confirmed.as_ref()))?;
        if let Some(failing) = &standing.failing {
            line(out, "  failing", &format!("since {}: {}", when(failing.since), OneLine(&failing.error)))?;
        }
    }
    reported(reports).map_or(Ok(()), |said| line(out, "report", &said))
}

/// What a device comes to, or why nothing can be said of it.
fn summary(paths: &[Path], reports: &[Upload]) -> &'static str {
    match standing::worst(paths) {
        Some(Step::Failing) if standing::is_behind(paths) => "failing, and behind",
        Some(step) => step.as_str(),
        None if !paths.is_empty() => Step::Past.as_str(),
        None if !reports.is_empty() => "it has reported, and asked for nothing since events are kept",
        None => "nothing was heard of it since events are kept",
    }
}

/// What it has reported, and when.
fn reported(reports: &[Upload]) -> Option<String> {
    let last = reports.last()?;
    let full = reports.iter().rposition(|report| report.kind == UploadKind::Report);
    let since = &reports[full.map_or(0, |at| at + 1)..];
    let changes = match since.iter().filter(|report| report.kind == UploadKind::Delta).count() {
        0 => String::new(),
        1 => ", 1 change since".to_owned(),
        several => format!(", {several} changes since"),
    };
    let full = full.map_or_else(|| "no full one".to_owned(), |at| format!("full, of {}", when(reports[at].at)));
    Some(format!("{full}{changes}; the last of all of {}", when(last.at)))
}

/// What the phone said of its firmware when it was heard of last.
fn firmware(paths: &[Path]) -> Option<&str> {
    let told = paths.iter().filter(|path| !path.standing.firmware.is_empty());
    told.max_by_key(|path| path.standing.touched).map(|path| path.standing.firmware.as_str())
}

fn version(version: Option<&Version>) -> String {
    version.map_or_else(|| "never".to_owned(), |version| format!("{}  {}", short(&version.hash), when(version.at)))
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
