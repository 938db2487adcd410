//! `--fix`: a file replaced by its mended self, whole or not at all: it may be served at this moment.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::profile::lint::{self, Context};
use crate::terminal::OneLine;

/// Rounds until nothing is left: mending a name may show a duplicate, and no more than so many findings are told at once.
const ROUNDS: usize = 32;

/// Mends what is safe to mend; how many findings are gone.
pub(super) fn mend(path: &Path, bytes: &[u8], context: &Context<'_>) -> anyhow::Result<usize> {
    let (mut mended, mut text) = (0, None::<String>);
    for _ in 0..ROUNDS {
        let now = text.as_ref().map_or(bytes, String::as_bytes);
        let findings = lint::lint(now, context);
        if !findings.iter().any(lint::Finding::is_mendable) {
            break;
        }
        let fixed = match lint::fix(now, &findings) {
            Ok(fixed) => fixed,
            Err(error) => {
                eprintln!("phoneprov: {}: {error}", OneLine(path.display()));
                break;
            }
        };
        mended += fixed.mended;
        text = Some(fixed.text);
    }
    if let Some(text) = text {
        replace(path, &text).with_context(|| path.display().to_string())?;
    }
    Ok(mended)
}

/// Writes beside the file, under a name that is never served, and moves it there.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::write(&beside, text)
        .and_then(|()| fs::set_permissions(&beside, fs::metadata(&path)?.permissions()))
        .and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
