//! `phoneprov case show`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;

use super::print::time;
use crate::case::{CaseNumber, Record};
use crate::cli::store::with_store;
use crate::cli::table;
use crate::store::{CaseEntry, StoreError, Upload, UploadState};
use crate::terminal::OneLine;

/// Show a case: its files, and what was done to it by whom.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The case.
    number: CaseNumber,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Shows it.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        let record = store.case(&args.number).await?.ok_or_else(|| StoreError::NoSuchCase(args.number.clone()))?;
        let files = store.uploads_of_case(&args.number).await?;
        let entries = store.case_entries(&args.number).await?;
        let mut out = io::stdout().lock();
        if args.json {
            let value = serde_json::json!({
                "case": record.case, "tokens_until": until(&record), "files": files, "record": entries,
            });
            crate::cli::json(&mut out, &value)?;
        } else {
            print(&mut out, &record, (&files, &entries))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Until when its tokens are good, the last first.
fn until(record: &Record) -> Vec<String> {
    let mut until: Vec<Timestamp> = record.credentials.iter().map(|credential| credential.expires).collect();
    until.sort_unstable();
    until.iter().rev().map(ToString::to_string).collect()
}

fn print(out: &mut impl Write, record: &Record, (files, entries): (&[Upload], &[CaseEntry])) -> io::Result<()> {
    let case = &record.case;
    writeln!(out, "case    {}", case.number)?;
    writeln!(out, "opened  {}", time(case.opened))?;
    if let Some(closed) = case.closed {
        writeln!(out, "closed  {}", time(closed))?;
    }
    if !case.note.is_empty() {
        writeln!(out, "note    {}", OneLine(&case.note))?;
    }
    let now = Timestamp::now();
    let good = record.credentials.iter().map(|credential| credential.expires).filter(|expires| *expires > now).max();
    match good {
        Some(last) => writeln!(out, "tokens  good until {}", time(last))?,
        None => writeln!(out, "tokens  none that counts")?,
    }
    if !files.is_empty() {
        writeln!(out)?;
        table::print(
            out,
            &["file", "is", "bytes", "came", "from", "name"],
            &files.iter().map(cells).collect::<Vec<_>>(),
        )?;
    }
    writeln!(out)?;
    for entry in entries {
        let line = format!("{}  {}  {}  {}", time(entry.at), entry.who, entry.action, entry.subject);
        writeln!(out, "{}", OneLine(line.trim_end()))?;
    }
    Ok(())
}

fn cells(file: &Upload) -> Vec<String> {
    let is = match (file.state, file.total) {
        (UploadState::Complete, _) => "complete".to_owned(),
        (UploadState::Partial, Some(total)) => format!("part of {total}"),
        (UploadState::Partial, None) => "partial".to_owned(),
    };
    let words = [&file.category, &file.description].into_iter().filter(|words| !words.is_empty());
    let words: Vec<&str> = words.map(String::as_str).collect();
    let name = if words.is_empty() { file.name.clone() } else { format!("{} ({})", file.name, words.join(": ")) };
    let shown = |text: &str| OneLine(text).to_string();
    vec![file.id.to_string(), is, file.size.to_string(), time(file.at), shown(&file.address), shown(&name)]
}
