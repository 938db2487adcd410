//! `phoneprov device export`: every device, as `device import` takes it.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use super::csv::quoted;
use super::heading;
use super::sheet::{Column, FIELDS};
use super::show::Form;
use crate::cli::store::{who, with_store};
use crate::store::{Entry, Filter, Kind, Store};

/// Print all devices as a table (CSV) that `device import` reads, variables included.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON instead, one device a line.
    #[command(flatten)]
    form: Form,
    /// Print secrets too, in place of a mask. The history says who did.
    #[arg(long)]
    reveal: bool,
}

/// Devices that are read at once.
const PAGE: i64 = 1000;

/// Prints them.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        if args.reveal {
            let mut begun = store.write(&who(), "device export --reveal").await?;
            begun.saw_every_secret().await?;
            begun.commit().await?;
        }
        let mut out = BufWriter::new(io::stdout().lock());
        let columns = if args.form.json { Vec::new() } else { columns(store).await? };
        if !args.form.json {
            writeln!(out, "{}", columns.iter().map(heading::of).collect::<Vec<_>>().join(","))?;
        }
        let mut after = 0;
        loop {
            let mut page = store.page(after, PAGE, &Filter::default()).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for entry in &mut page {
                if args.reveal {
                    store.open_secrets(entry)?;
                }
                line(&mut out, entry, &columns)?;
            }
        }
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Every field, and every variable that some device has; as JSON where one of them is no text.
async fn columns(store: &Store) -> anyhow::Result<Vec<Column>> {
    let variables = store.variable_names().await?;
    let fields = FIELDS.iter().map(|(_, column)| column.clone());
    let variables = variables.into_iter().map(|(name, kind)| match kind {
        Kind::Text => Column::Text(name),
        Kind::Json => Column::Json(name),
        Kind::Secret => Column::Secret(name),
    });
    Ok(fields.chain(variables).collect())
}

fn line(out: &mut impl Write, entry: &Entry, columns: &[Column]) -> anyhow::Result<()> {
    if columns.is_empty() {
        serde_json::to_writer(&mut *out, &entry.device.shown())?;
        return Ok(writeln!(out)?);
    }
    let cells: Vec<String> = columns.iter().map(|column| quoted(&column.cell(&entry.device))).collect();
    Ok(writeln!(out, "{}", cells.join(","))?)
}
