//! `phoneprov prt list`: which problem reports are kept. It takes no identity: nothing is opened.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::received::{Listing, row};
use crate::cli::store::with_store;
use crate::cli::table;
use crate::store::UploadKind;
use crate::terminal::OneLine;

/// List the problem reports that are kept, the first first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    listing: Listing,
}

/// Prints them.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        let uploads = args.listing.of(store, &[UploadKind::Prt]).await?;
        let mut out = io::stdout().lock();
        if args.listing.json {
            crate::cli::json(&mut out, &uploads)?;
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<_> = uploads
            .iter()
            .map(|upload| {
                let words = [upload.name.as_str(), &upload.description].join("  ");
                [row(upload), vec![OneLine(words.trim_end()).to_string()]].concat()
            })
            .collect();
        table::print(&mut out, &["NUMBER", "TIME", "DEVICE", "KIND", "SIZE", "FROM", "NAME"], &rows)?;
        Ok(ExitCode::SUCCESS)
    })
}
