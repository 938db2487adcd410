//! `phoneprov lint`: what a phone would stumble over in profiles, or ignore without a word.

mod mend;
mod passed;
mod report;
mod sarif;
mod site;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

use crate::cli::profile_file::STDIN;
use crate::cli::sample::Sample;
use crate::config::Config;
use crate::device::{DeviceIdentity, MacAddress, Model};
use crate::profile::lint::{Context, Sent, Settings, Severity};
use crate::profile::parameters::Family;
use crate::profile::rule::Version;
use crate::terminal::Json;
use report::Report;
use site::{Looked, Site};

/// Look at profiles: XML, names and values of parameters, and the profile rules in them.
///
/// A folder is looked at as a tree of profiles: files with a macro in their path are templates and are rendered for a
/// sample phone; files that are no profiles, by their content, are passed over, and those that may have been meant to be
/// some are named. Exits with 0 when there is nothing to mend, 1 when there are errors or warnings, 2 when something cannot
/// be read at all.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files and folders; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The configuration: variables of templates, how files go out, `[lint]`. config.toml is taken where there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The product that reads the files: what its family does not have is told of.
    #[arg(long)]
    model: Option<Model>,
    /// The firmware that reads them: what it does not have yet is told of.
    #[arg(long, value_parser = firmware)]
    firmware: Option<Version>,
    /// The sample phone's MAC address, for templates.
    #[arg(long, default_value = "000e08abcdef")]
    mac: MacAddress,
    /// The files go out unencrypted: secrets in them are told of.
    #[arg(long)]
    clear: bool,
    /// Mend what is safe to mend: byte order mark, other case, duplicates, characters beyond ASCII. Templates are left.
    #[arg(long)]
    fix: bool,
    /// How findings are printed.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// For code review and CI: SARIF 2.1.0.
    Sarif,
}

fn firmware(text: &str) -> Result<Version, String> {
    let expected = "expected a version such as sip88xx.11-3-2MPP0001-609 or 7.6.2";
    Version::parse(text).ok_or_else(|| format!("`{text}` is not a firmware: {expected}"))
}

/// Looks at everything, mends where that is wanted, then prints.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.model.iter().for_each(super::warning::of_model);
    let mut config = args.config()?;
    config.iter_mut().for_each(super::store::add_samples);
    let settings = config.as_ref().map_or_else(Settings::default, |config| config.lint.settings());
    let model = args.model.clone().or_else(|| "CP-8841-3PCC".parse().ok());
    let phone = Sample::new(DeviceIdentity::new(Some(args.mac), "FCH2133E8B9".parse().ok(), model));
    let mut report = Report::default();
    ensure!(!args.fix || args.paths.iter().all(|path| path != Path::new(STDIN)), "--fix mends files, and `-` is none");
    for path in &args.paths {
        if path == Path::new(STDIN) {
            report.add(site::standard_input(&args.context(&settings, "", Sent::Unknown))?);
            continue;
        }
        let site = Site::around(path, config.as_ref())?;
        for file in site.files() {
            let context = args.context(&settings, &file, site.sent(&file, &phone));
            let mut looked = site.look(&file, &phone, &context)?;
            if args.fix
                && let Looked::Profile { bytes, path, .. } = &looked
            {
                report.mended += mend::mend(path, bytes, &context)?;
                looked = site.look(&file, &phone, &context)?;
            }
            report.add(looked);
        }
    }
    let mut out = std::io::stdout().lock();
    let printed = match args.format {
        Format::Text => report.print(&mut out),
        Format::Json => writeln!(out, "{}", Json(report.to_json())),
        Format::Sarif => writeln!(out, "{}", Json(sarif::sarif(&report))),
    };
    printed.context("cannot write to standard output")?;
    let worst = report.findings().map(|(_, finding)| finding.severity).min();
    Ok(if worst.is_some_and(|worst| worst < Severity::Note) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Args {
    fn config(&self) -> anyhow::Result<Option<Config>> {
        let beside = PathBuf::from("config.toml");
        let file = self.config.clone().or_else(|| beside.is_file().then_some(beside));
        Ok(file.map(|file| super::load(&file)).transpose()?)
    }

    fn context<'a>(&self, settings: &'a Settings, file: &str, sent: Sent) -> Context<'a> {
        let family = self.model.as_ref().and_then(Family::of);
        Context {
            family: if self.model.is_some() { family } else { Family::in_path(file) },
            firmware: self.firmware.clone(),
            sent: if self.clear { Sent::Clear } else { sent },
            ..Context::new(settings)
        }
    }
}
