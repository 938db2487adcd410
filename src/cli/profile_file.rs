//! Reading a profile that somebody names on the command line.

use std::path::Path;

use anyhow::Context as _;

use super::bounded;
use crate::profile::flat::{FlatProfile, MAX_BYTES};

/// The name that means standard input.
pub(super) const STDIN: &str = "-";

/// A file's bytes; no more than tell that it is too large.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    // A byte more than a profile may have, so that the reader of profiles says what is wrong.
    match file == Path::new(STDIN) {
        true => bounded::standard_input_up_to(MAX_BYTES + 1),
        false => bounded::beginning(file, MAX_BYTES + 1),
    }
}

/// The profile in a file.
///
/// # Errors
/// As [`read`], and what is wrong with the profile, with file, line and column.
pub(super) fn profile(file: &Path) -> anyhow::Result<FlatProfile> {
    FlatProfile::read(&read(file)?).with_context(|| file.display().to_string())
}
