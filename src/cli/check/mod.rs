//! `phoneprov check`: everything that can be known to go wrong before a phone finds out.

mod certificates;
mod clear;
mod content;
mod expiry;
mod intake;
mod keys;
mod legacy;
mod links;
mod lists;
mod parts;
mod rules;
mod store;
mod tree;
mod unasked;
mod uploads;

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::app::{self, App};
use crate::config::Config;
use crate::device::{DeviceIdentity, MacAddress, Model};
use crate::metrics::Metrics;
use crate::terminal::OneLine;

/// Check configuration, certificates, rules, file names, templates, profiles and the folder of uploads, and print all findings.
///
/// Every template is rendered with sample values, and for each device that has a part of its own; every rule's key is
/// tried. Nothing is started; where the configuration has [lab], what that has not made yet is made first, as serve would.
/// Exits with 0 when there is nothing to say, 1 when there are findings, 2 when the configuration cannot be read at all.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// The sample phone's MAC address, for templates that read a file of each device.
    #[arg(long, default_value = "000e08abcdef")]
    mac: MacAddress,
    /// The sample phone's product name.
    #[arg(long, default_value = "CP-8841-3PCC")]
    pn: Model,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    severity: Severity,
    place: String,
    message: String,
}

/// What a finding means for phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// Some phone does not get what it asks for.
    Error,
    /// It works, but perhaps not as meant, or not for long.
    Warning,
}

impl Finding {
    fn error(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: place.into(), message: message.into() }
    }

    fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}: {}", self.place, self.message)
    }
}

impl Args {
    /// A phone with a value for everything that a certificate can say.
    fn sample(&self) -> Option<DeviceIdentity> {
        DeviceIdentity::new(Some(self.mac), "FCH2133E8B9".parse().ok(), Some(self.pn.clone()))
    }
}

/// Looks at everything, then prints what it found.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = crate::cli::load(&args.config)?;
    let findings = findings(config, args);
    for finding in &findings {
        println!("{}", OneLine(finding));
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    println!("{}", super::tally(errors, findings.len() - errors));
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn findings(mut config: Config, args: &Args) -> Vec<Finding> {
    let mut findings = certificates::findings(&config);
    findings.extend(rules::findings(&config));
    findings.extend(store::findings(&config));
    findings.extend(intake::findings(&config));
    findings.extend(uploads::findings(&config));
    findings.extend(lists::findings(&config));
    let has_codes = crate::cli::store::has_codes(&config);
    crate::cli::store::add_samples(&mut config);
    // The sample phone is nobody's: lists say nothing of it.
    config.admission = Arc::default();
    let place = config.file.display().to_string();
    // A folder that is not there hides nothing of the listeners, and a listener nothing of the profiles.
    let shut = app::shut(&config);
    match App::without_doors(config, &Metrics::default(), None) {
        Ok(app) => {
            findings.extend(expiry::findings(&app, args.sample().as_ref()));
            findings.extend(tree::findings(&app, args.sample().as_ref(), has_codes));
        }
        Err(error) => findings.push(Finding::error(&place, error.to_string())),
    }
    findings.extend(shut.iter().map(|error| Finding::error(&place, error.to_string())));
    let mut seen = HashSet::new();
    findings.retain(|finding| seen.insert(finding.to_string()));
    findings
}
