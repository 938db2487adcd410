//! `phoneprov certs check`: what a phone would make of a server's certificate.

mod chain;
mod family;
mod key;
mod name;
mod target;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use family::Family;
use target::Target;

/// Check certificates as a server shows them: chain, key, dates, names, and whether SPA, ATA and MPP phones would take them.
///
/// Without a target, those of the configuration's listeners. Exits with 0 when there is nothing to mend, 1 when there is, 2
/// when something cannot be looked at.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A PEM file with the chain, the server's own certificate first; or a server, such as prov.example.com:443.
    #[arg(value_name = "FILE|HOST:PORT")]
    targets: Vec<String>,
    /// The private key of the files; without it, FILE with the ending .key, where there is one.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Phones that have to take it; without it, ATA and MPP, and SPA where a listener is for old phones.
    #[arg(long = "for", value_name = "PHONES", value_enum, value_delimiter = ',')]
    families: Vec<Family>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

/// What there is to say of a target; the form of `--json`.
#[derive(Debug, Serialize)]
struct Report {
    target: String,
    findings: Vec<Finding>,
}

/// Something to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    severity: Severity,
    message: String,
    /// Where it is written that phones, or everybody, want it so.
    source: &'static str,
}

/// What it means for phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// They refuse it.
    Error,
    /// Some may refuse it, or soon all will.
    Warning,
    /// As it is.
    Note,
}

impl Finding {
    fn error(message: impl Into<String>, source: &'static str) -> Self {
        Self { severity: Severity::Error, message: message.into(), source }
    }

    fn warning(message: impl Into<String>, source: &'static str) -> Self {
        Self { severity: Severity::Warning, message: message.into(), source }
    }

    fn note(message: impl Into<String>, source: &'static str) -> Self {
        Self { severity: Severity::Note, message: message.into(), source }
    }
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Looks at every target, then prints what there is to say.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let targets = target::named(args)?;
    let now = Timestamp::now();
    let reports: Vec<Report> = targets.iter().map(|target| report(target, now)).collect();
    let out = &mut io::stdout().lock();
    if args.json {
        crate::cli::json(out, &reports)?;
    } else {
        print(&reports, out)?;
    }
    let counted = |severity| count(&reports, severity);
    let is_clean = counted(Severity::Error) + counted(Severity::Warning) == 0;
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(target: &Target, now: Timestamp) -> Report {
    let mut findings = Vec::new();
    match chain::read(&target.chain) {
        Err(finding) => findings.push(finding),
        Ok(links) => {
            let broken = chain::findings(&target.chain, &links, now);
            let names = name::findings(&links[0].details, target.host.as_deref());
            // What nobody takes, no family does.
            let is_refused = broken.iter().chain(&names.findings).any(|finding| finding.severity == Severity::Error);
            findings.extend(broken);
            findings.extend(names.findings);
            findings.extend(key::findings(target));
            findings.extend(family::findings(target, &links, names.reached.as_ref(), is_refused));
        }
    }
    Report { target: target.place.clone(), findings }
}

fn print(reports: &[Report], out: &mut impl Write) -> io::Result<()> {
    for report in reports {
        for Finding { severity, message, source } in &report.findings {
            write!(out, "{}: {}: {message}", severity.as_str(), report.target)?;
            if source.is_empty() { writeln!(out)? } else { writeln!(out, " ({source})")? }
        }
    }
    if reports.is_empty() {
        writeln!(out, "no listener has a certificate")?;
    }
    writeln!(out, "{}", crate::cli::tally(count(reports, Severity::Error), count(reports, Severity::Warning)))
}

fn count(reports: &[Report], severity: Severity) -> usize {
    reports.iter().flat_map(|report| &report.findings).filter(|finding| finding.severity == severity).count()
}
