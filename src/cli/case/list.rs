//! `phoneprov case list`.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::print::time;
use crate::cli::store::with_store;
use crate::cli::table;
use crate::store::CaseTotal;
use crate::terminal::OneLine;

/// List all cases, with how many files there are for each.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those that are open.
    #[arg(long)]
    open: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Cases that are asked for at once.
const PAGE: i64 = 1000;

/// Lists them.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        let (mut cases, mut after) = (Vec::new(), String::new());
        loop {
            let page = store.cases(&after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.case.number.to_string();
            cases.extend(page.into_iter().filter(|total| !args.open || total.case.closed.is_none()));
        }
        let mut out = io::stdout().lock();
        if args.json {
            crate::cli::json(&mut out, &cases)?;
        } else {
            let rows: Vec<Vec<String>> = cases.iter().map(cells).collect();
            table::print(&mut out, &["case", "is", "opened", "files", "bytes", "note"], &rows)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn cells(total: &CaseTotal) -> Vec<String> {
    let CaseTotal { case, files, bytes } = total;
    let is = if case.closed.is_some() { "closed" } else { "open" };
    let note = OneLine(&case.note).to_string();
    vec![case.number.to_string(), is.into(), time(case.opened), files.to_string(), bytes.to_string(), note]
}
