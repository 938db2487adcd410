//! `phoneprov import-export`: a phone's export as a profile of what differs from defaults.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::cipher_args::write_output;
use super::profile_file;
use crate::profile::export::{Imported, Reason, import};
use crate::terminal::Lines;

/// Turn a phone's own exported configuration into a minimal profile, on standard output.
///
/// Left out is what the phone only reports, what it hides, and what is a default: by the export of a factory-fresh phone
/// where you have one, else by the guides. A value whose default no guide states is kept.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The export: config.xml of the phone, or a report that it sent; `-` is standard input.
    file: PathBuf,
    /// The same export of a factory-fresh phone of the same model and firmware.
    #[arg(long, value_name = "FILE")]
    defaults: Option<PathBuf>,
    /// Say of each parameter why it is kept or left out, on standard error.
    #[arg(long)]
    explain: bool,
}

/// Reads, sorts, writes the profile; what was done is said on standard error.
///
/// # Errors
/// A file cannot be read or is no profile.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let export = profile_file::profile(&args.file)?;
    let factory = args.defaults.as_deref().map(profile_file::profile).transpose()?;
    let imported = import(&export, factory.as_ref());
    write_output(imported.profile.to_xml().as_bytes())?;
    eprint!("{}", Lines(summary(&imported, args.explain)));
    Ok(ExitCode::SUCCESS)
}

fn summary(imported: &Imported, explain: bool) -> String {
    let mut text = String::new();
    if explain {
        for (key, reason) in &imported.reasons {
            let done = if reason.is_kept() { "kept" } else { "left out" };
            let _ = writeln!(text, "{key}: {done}: {}", because(*reason));
        }
    }
    let kept = imported.profile.parameters.len();
    let _ = writeln!(text, "kept {kept} of {} parameters", imported.reasons.len());
    let order = [
        Reason::UserModified,
        Reason::NotAsFactory,
        Reason::NotDefault,
        Reason::DefaultUnknown,
        Reason::OfList,
        Reason::AsFactory,
        Reason::IsDefault,
        Reason::EmptyDefaultUnknown,
        Reason::Status,
        Reason::Hidden,
    ];
    for reason in order {
        let count = imported.reasons.iter().filter(|(_, other)| *other == reason).count();
        if count > 0 {
            let done = if reason.is_kept() { "kept" } else { "left out" };
            let _ = writeln!(text, "  {done} {count}: {}", because(reason));
        }
    }
    let hidden: Vec<&str> =
        imported.reasons.iter().filter(|(_, reason)| *reason == Reason::Hidden).map(|(key, _)| key.as_str()).collect();
    if !hidden.is_empty() {
        let _ = writeln!(text, "set these yourself, the phone does not tell them: {}", hidden.join(", "));
    }
    text
}

fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::UserModified => "changed on the phone (um=\"y\")",
        Reason::NotAsFactory => "not as on the factory-fresh phone",
        Reason::NotDefault => "not the default that the guides state",
        Reason::DefaultUnknown => "has a value, and no guide states the default (--defaults tells)",
        Reason::OfList => "another entry of its list is kept",
        Reason::AsFactory => "as on the factory-fresh phone",
        Reason::IsDefault => "the default that the guides state",
        Reason::EmptyDefaultUnknown => "empty, and no guide states the default (--defaults tells)",
        Reason::Status => "reported by the phone, nobody can set it",
        Reason::Hidden => "hidden by the phone",
    }
}
