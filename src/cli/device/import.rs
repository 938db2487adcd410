//! `phoneprov device import`: many devices at once, all of them or none.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::csv::{Reader, Row};
use super::sheet::{self, Column};
use crate::cli::store::{who, with_store};
use crate::device::DeviceName;
use crate::store::{Changed, Store, Writing};

/// Add and change devices by a table (CSV), whose header names fields and variables.
///
/// Fields are mac, serial, product, series, label, notes, enabled, aliases and groups; any other name is a variable's, and
/// one that ends in :json has JSON in its cells, one that ends in :secret secrets. An empty cell takes away; a column that is not there changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The table; `-` reads standard input.
    file: PathBuf,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Leave rows with findings out instead of giving all up.
    #[arg(long)]
    keep_going: bool,
}

/// Rows that go to the store at once.
const CHUNK: usize = 500;

/// The most rows of one table: what of them has to be remembered has an end.
const MOST: usize = 2_000_000;

/// Findings that are printed.
const SHOWN: usize = 100;

/// What came of a table.
#[derive(Default)]
struct Report {
    added: usize,
    changed: usize,
    unchanged: usize,
    findings: usize,
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
    let columns = sheet::columns(&header.fields).map_err(anyhow::Error::msg)?;
    with_store(config, async |store| import(store, args, &columns, &mut reader).await)
}

async fn import(
    store: &Store,
    args: &Args,
    columns: &[Column],
    reader: &mut Reader<Box<dyn BufRead>>,
) -> anyhow::Result<ExitCode> {
    let mut writing = store.write(&who(), "device import").await?;
    let mut report = Report::default();
    let mut lines = HashMap::new();
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK
            && let Some(row) = reader.row()?
        {
            match name(columns, &row, &mut lines) {
                Ok(name) => chunk.push((name, row)),
                Err(finding) => report.finding(row.line, &finding),
            }
        }
        anyhow::ensure!(lines.len() <= MOST, "more than {MOST} rows: give them in several tables");
        if chunk.is_empty() {
            break;
        }
        report.take(&mut writing, columns, chunk).await?;
    }
    let give_up = args.dry_run || report.findings > 0 && !args.keep_going;
    let Report { added, changed, unchanged, findings } = report;
    let counts = format!("{added} added, {changed} changed, {unchanged} unchanged, {findings} with findings");
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

impl Report {
    /// Writes a chunk of rows, and tells of those that cannot be.
    async fn take(
        &mut self,
        writing: &mut Writing<'_>,
        columns: &[Column],
        chunk: Vec<(DeviceName, Row)>,
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
                Err(finding) => self.finding(row.line, &finding),
            }
        }
        let Changed { faults, unchanged } = writing.change_what_can_be(changes).await?;
        let faults: HashMap<usize, String> = faults.into_iter().map(|(at, error)| (at, error.to_string())).collect();
        for (at, (line, known)) in lines.into_iter().enumerate() {
            match (faults.get(&at), known) {
                (Some(finding), _) => self.finding(line, finding),
                (None, _) if unchanged.contains(&at) => self.unchanged += 1,
                (None, false) => self.added += 1,
                (None, true) => self.changed += 1,
            }
        }
        Ok(())
    }

    fn finding(&mut self, line: usize, finding: &str) {
        self.findings += 1;
        match self.findings {
            ..=SHOWN => println!("line {line}: {finding}"),
            _ if self.findings == SHOWN + 1 => println!("and more"),
            _ => {}
        }
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
