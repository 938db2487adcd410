//! `phoneprov fmt`: a profile in the canonical form.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::cipher_args::write_output;
use super::profile_file::{self, STDIN};
use crate::profile::flat::{Document, Order, format};
use crate::terminal::OneLine;

/// Write a profile in the canonical form: one element a line, non-ASCII characters as numeric references.
///
/// Values, attributes, comments and order stay. A file that this would have to lose something of is refused: text between
/// elements, a template's expressions.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Profiles; `-`, and no file at all, is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing: exit with 1 and name each file that is not in the canonical form.
    #[arg(long)]
    check: bool,
    /// Put the canonical form in the file's place. A file that is in it already is not touched.
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Sort parameters by name, each with the comments before it.
    #[arg(long)]
    sort: bool,
}

/// Formats all files, or says which are not formatted.
///
/// # Errors
/// A file cannot be read, is no profile, or cannot be written.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stdin = [PathBuf::from(STDIN)];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files };
    if files.len() > 1 && !args.check && !args.write {
        bail!("several files: give --check to look at them or --write to replace them");
    }
    let order = if args.sort { Order::ByName } else { Order::Kept };
    let mut is_canonical = true;
    for file in files {
        let bytes = profile_file::read(file)?;
        let text = canonical(&bytes, order).with_context(|| file.display().to_string())?;
        if args.check {
            is_canonical &= report(file, &bytes, &text);
        } else if args.write && file != Path::new(STDIN) {
            if bytes != text.as_bytes() {
                replace(file, &text)?;
            }
        } else {
            write_output(text.as_bytes())?;
        }
    }
    Ok(if is_canonical { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn canonical(bytes: &[u8], order: Order) -> anyhow::Result<String> {
    Ok(format(&Document::read(bytes)?, order)?)
}

/// Whether the file is in the canonical form; where not, the first line that differs is named.
fn report(file: &Path, bytes: &[u8], text: &str) -> bool {
    if bytes == text.as_bytes() {
        return true;
    }
    let (old, new) = (bytes.split(|byte| *byte == b'\n'), text.as_bytes().split(|byte| *byte == b'\n'));
    let same = old.zip(new).take_while(|(old, new)| old == new).count();
    println!("{}:{}: not in the canonical form", OneLine(file.display()), same + 1);
    false
}

/// Replaces the file at once: a phone that asks meanwhile gets the old or the new one, whole.
fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write `{}`", file.display());
    let target = file.canonicalize().with_context(cannot)?;
    let mut name = std::ffi::OsString::from("_");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    // A name that begins with `_` is never served.
    let beside = target.with_file_name(name);
    let permissions = std::fs::metadata(&target).with_context(cannot)?.permissions();
    let written = std::fs::write(&beside, text)
        .and_then(|()| std::fs::set_permissions(&beside, permissions))
        .and_then(|()| std::fs::rename(&beside, &target));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(cannot)
}
