//! `phoneprov device import`: many devices at once, all of them or none.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::csv::{CsvError, Reader, Row};
use super::heading;
use super::sheet::{self, Column};
use crate::cli::preview::{self, Preview};
use crate::cli::store::{who, with_shared_store};
use crate::cli::warning;
use crate::config::Config;
use crate::device::DeviceName;
use crate::store::{Changed, Entry, Store, Writing};

/// Add and change devices by a table (CSV), whose header names fields and variables.
///
/// Fields are mac, serial, product, series, label, notes, enabled, aliases and groups; any other name is a variable's, and
/// one that ends in :json has JSON in its cells, one that ends in :secret secrets, and one that ends in :text is a variable
/// whatever it is called. An empty cell takes away; a column that is not there changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The table; `-` reads standard input.
    file: PathBuf,
    /// Say what would be done, and do nothing.
    #[arg(long, conflicts_with = "preview")]
    dry_run: bool,
    /// Leave rows with findings out instead of giving all up.
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    preview: preview::Args,
}

/// Devices before and after.
type Pairs = Vec<(Option<Entry>, Option<Entry>)>;

/// Rows that go to the store at once.
const CHUNK: usize = 2000;

/// The most rows of one table: what of them has to be remembered has an end.
const MOST: usize = 2_000_000;

/// Findings that are printed.
const SHOWN: usize = 100;

/// A table on its way in.
struct Table {
    columns: Vec<Column>,
    reader: Reader<Box<dyn BufRead>>,
    /// The line that each device stands on.
    lines: HashMap<DeviceName, usize>,
    /// Why it cannot be read on.
    broken: Option<CsvError>,
}

/// What came of a table.
#[derive(Default)]
struct Report {
    added: usize,
    changed: usize,
    unchanged: usize,
    findings: usize,
    /// Findings of the rows that are being looked at, with their lines.
    pending: Vec<(usize, String)>,
    /// Standard output is a program's.
    is_quiet: bool,
}

/// Reads a table into the store.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    let from: Box<dyn BufRead> = if args.file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&args.file).with_context(|| args.file.display().to_string())?;
        Box::new(BufReader::with_capacity(64 * 1024, file))
    };
    let mut reader = Reader::new(from);
    let header = reader.row()?.with_context(|| format!("{}: the table is empty", args.file.display()))?;
    header.fields.iter().filter_map(|name| heading::doubt(name)).for_each(|doubt| warning::say(&doubt));
    let columns = sheet::columns(&header.fields).map_err(anyhow::Error::msg)?;
    let mut table = Table { columns, reader, lines: HashMap::new(), broken: None };
    with_shared_store(config, async |config, store| match args.preview.preview {
        false => import(&store, args, &mut table).await,
        true => foresee(&store, config, args, &mut table).await,
    })
}

async fn import(store: &Store, args: &Args, table: &mut Table) -> anyhow::Result<ExitCode> {
    let mut writing = store.write(&who(), "device import").await?;
    let mut report = Report::default();
    while let Some(chunk) = table.chunk(&mut report)? {
        report.take(&mut writing, &table.columns, chunk, None).await?;
    }
    let give_up = args.dry_run || report.findings > 0 && !args.keep_going;
    let Report { added, changed, unchanged, findings, .. } = report;
    let counts = format!("{added} added, {changed} changed, {unchanged} unchanged, {findings} with findings");
    if let Some(broken) = table.broken.take() {
        drop(writing);
        println!("{counts}; nothing was written, because the table cannot be read to its end");
        return Err(broken.into());
    }
    if give_up {
        drop(writing);
        let why =
            if args.dry_run { "as was asked" } else { "because of the findings: --keep-going leaves their rows out" };
        println!("{counts}; nothing was written, {why}");
    } else {
        match writing.commit().await? {
            Some(revision) => println!("{counts}: change {revision}"),
            None => println!("{counts}"),
        }
    }
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the table would do to phones' profiles. Its rows are taken a few at a time, and each time given up again, so that nobody
/// who writes waits for long.
async fn foresee(store: &Store, config: Config, args: &Args, table: &mut Table) -> anyhow::Result<ExitCode> {
    let mut report = Report { is_quiet: args.preview.json, ..Report::default() };
    let mut looking = Preview::begin(store, config, |_| Ok(())).await?;
    while let Some(chunk) = table.chunk(&mut report)? {
        let mut pairs = Pairs::new();
        let mut writing = store.write(&who(), "device import --preview").await?;
        report.take(&mut writing, &table.columns, chunk, Some(&mut pairs)).await?;
        drop(writing);
        looking.look(store, pairs).await?;
    }
    if let Some(broken) = table.broken.take() {
        return Err(broken.into());
    }
    if !report.is_quiet {
        let Report { added, changed, unchanged, findings, .. } = report;
        println!("{added} added, {changed} changed, {unchanged} unchanged, {findings} with findings");
    }
    let told = looking.tell(args.preview.json).await?;
    Ok(if report.findings == 0 { told.code() } else { ExitCode::FAILURE })
}

impl Table {
    /// The next rows that name a device; `None` at its end, or where it cannot be read on.
    fn chunk(&mut self, report: &mut Report) -> anyhow::Result<Option<Vec<(DeviceName, Row)>>> {
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut is_at_end = self.broken.is_some();
        while !is_at_end && chunk.len() + report.pending.len() < CHUNK {
            match self.reader.row() {
                Ok(Some(row)) => match name(&self.columns, &row, &mut self.lines) {
                    Ok(name) => chunk.push((name, row)),
                    Err(finding) => report.pending.push((row.line, finding)),
                },
                Ok(None) => is_at_end = true,
                Err(error) => {
                    self.broken = Some(error);
                    is_at_end = true;
                }
            }
        }
        anyhow::ensure!(self.lines.len() <= MOST, "more than {MOST} rows: give them in several tables");
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty() || !report.pending.is_empty()))
    }
}

impl Report {
    /// Writes a chunk of rows, and tells of those that cannot be, in the order of their lines.
    async fn take(
        &mut self,
        writing: &mut Writing<'_>,
        columns: &[Column],
        chunk: Vec<(DeviceName, Row)>,
        pairs: Option<&mut Pairs>,
    ) -> anyhow::Result<()> {
        let names: Vec<DeviceName> = chunk.iter().map(|(name, _)| name.clone()).collect();
        let mut known = writing.devices(&names).await?;
        let (mut changes, mut lines) = (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len()));
        for (name, row) in chunk {
            let before = known.remove(&name);
            let device = sheet::device(columns, &row.fields, &name, before.as_ref().map(|entry| &entry.device));
            match device {
                Ok(device) => {
                    lines.push((row.line, before.is_some()));
                    changes.push((before, Some(device)));
                }
                Err(finding) => self.pending.push((row.line, finding)),
            }
        }
        let kept = pairs.as_ref().map(|_| changes.clone()).unwrap_or_default();
        let Changed { faults, unchanged } = writing.change_what_can_be(changes).await?;
        let mut faults: HashMap<usize, String> =
            faults.into_iter().map(|(at, error)| (at, error.to_string())).collect();
        if let Some(pairs) = pairs {
            let would_be = kept.into_iter().enumerate().filter(|(at, _)| !faults.contains_key(at));
            pairs.extend(would_be.map(|(_, (before, after))| preview::pair(before, after)));
        }
        for (at, (line, known)) in lines.into_iter().enumerate() {
            match (faults.remove(&at), known) {
                (Some(finding), _) => self.pending.push((line, finding)),
                (None, _) if unchanged.contains(&at) => self.unchanged += 1,
                (None, false) => self.added += 1,
                (None, true) => self.changed += 1,
            }
        }
        let mut findings = std::mem::take(&mut self.pending);
        findings.sort_by_key(|(line, _)| *line);
        for (line, finding) in &findings {
            self.finding(*line, finding);
        }
        Ok(())
    }

    fn finding(&mut self, line: usize, finding: &str) {
        self.findings += 1;
        let told = match self.findings {
            ..=SHOWN => format!("line {line}: {finding}"),
            _ if self.findings == SHOWN + 1 => "and more".to_owned(),
            _ => return,
        };
        if self.is_quiet { eprintln!("{told}") } else { println!("{told}") }
    }
}

/// The device that a row is of, if it is the first row that is.
fn name(columns: &[Column], row: &Row, lines: &mut HashMap<DeviceName, usize>) -> Result<DeviceName, String> {
    if row.fields.len() != columns.len() {
        return Err(format!("{} cells, but the header has {}", row.fields.len(), columns.len()));
    }
    let name = sheet::name(columns, &row.fields)?;
    match lines.insert(name.clone(), row.line) {
        None => Ok(name),
        Some(earlier) => Err(format!("{name} stands on line {earlier} already")),
    }
}
