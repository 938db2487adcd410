//! `phoneprov report list`: which reports are kept. It takes no identity: nothing is opened.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::received::{Listing, REPORTS, row};
use crate::cli::store::with_store;
use crate::cli::table;

/// List the reports that are kept, the first first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    listing: Listing,
}

/// Prints them.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        let uploads = args.listing.of(store, &REPORTS).await?;
        let mut out = io::stdout().lock();
        if args.listing.json {
            crate::cli::json(&mut out, &uploads)?;
        } else {
            let rows: Vec<_> = uploads.iter().map(row).collect();
            table::print(&mut out, &["NUMBER", "TIME", "DEVICE", "KIND", "SIZE", "FROM"], &rows)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}
