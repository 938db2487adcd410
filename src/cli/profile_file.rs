//! Reading a profile that somebody names on the command line.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;

use crate::profile::flat::{FlatProfile, MAX_BYTES};

/// The name that means standard input.
pub(super) const STDIN: &str = "-";

/// A file's bytes; no more than tell that it is too large.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_BYTES).context("a limit that fits")? + 1;
    let mut bytes = Vec::new();
    let outcome = if file == Path::new(STDIN) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|open| open.take(limit).read_to_end(&mut bytes))
    };
    outcome.with_context(|| format!("cannot read `{}`", file.display()))?;
    Ok(bytes)
}

/// The profile in a file.
///
/// # Errors
/// As [`read`], and what is wrong with the profile, with file, line and column.
pub(super) fn profile(file: &Path) -> anyhow::Result<FlatProfile> {
    FlatProfile::read(&read(file)?).with_context(|| file.display().to_string())
}
