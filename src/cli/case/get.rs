//! `phoneprov case get`: files of a case, decrypted.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::choose;
use crate::case::{CaseNumber, FileName};
use crate::cli::store::with_shared_store;
use crate::store::{Part, Upload, UploadState};
use crate::terminal::OneLine;
use crate::vault::{Identities, Vault};

/// Decrypt files of a case into a folder, which takes an identity that they were encrypted for.
///
/// What is written is named after the file's number and what its client called it, without anything that could be a path. What
/// goes to standard output is whole only where this exits with 0.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The case.
    number: CaseNumber,
    /// The file: its number, or its name where that is one file's.
    #[arg(required_unless_present = "all")]
    file: Option<String>,
    /// All files.
    #[arg(long, conflicts_with = "file")]
    all: bool,
    /// A file of identities, as age-keygen writes it; otherwise `identity` of [uploads].
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The folder that they are written to; `-`: one file, to standard output.
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
}

/// Bytes that are decrypted at once.
const PIECE: usize = 64 * 1024;

/// Writes them.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    let is_piped = args.output == Path::new("-");
    ensure!(!(is_piped && args.all), "`-o -` is standard output, which is one file's: name the file, or a folder");
    with_shared_store(config, async |config, store| {
        let uploads = config.uploads.context("there is no [uploads]: where the files lie is not known")?;
        let identity = args.identity.as_ref().or(uploads.identity.as_ref());
        let identity = identity.context(
            "only the holder of an identity that the files were encrypted for can read them: --identity names its file",
        )?;
        let identities = Identities::read(identity)?;
        let vault = Vault::open(&uploads)?;
        let files = choose::files(&store, &args.number).await?;
        let files = match &args.file {
            Some(wanted) => vec![choose::one(files, wanted)?],
            None => files,
        };
        if let ([file], true) = (files.as_slice(), is_piped) {
            return pipe(&vault, &identities, file);
        }
        fs::create_dir_all(&args.output).with_context(|| args.output.display().to_string())?;
        for file in &files {
            let path = write(&vault, &identities, file, &args.output)?;
            println!("{}", OneLine(path.display()));
        }
        if files.is_empty() {
            println!("case {} has no files", args.number);
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Writes a file to standard output, and says on standard error where it is a beginning.
fn pipe(vault: &Vault, identities: &Identities, file: &Upload) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    for part in &file.parts {
        let done = one(vault, identities, part, &mut out);
        done.with_context(|| format!("file {} {}", file.id, OneLine(&file.name)))?;
    }
    out.flush()?;
    if file.state == UploadState::Partial {
        eprintln!("phoneprov: file {} {} is a beginning: not all of it has come", file.id, OneLine(&file.name));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file whole, or nothing under its name.
fn write(vault: &Vault, identities: &Identities, file: &Upload, folder: &Path) -> anyhow::Result<PathBuf> {
    let local = FileName::shortened(file.name.as_bytes()).map(|name| name.local()).unwrap_or_default();
    let end = match file.state {
        UploadState::Complete => "",
        UploadState::Partial => ".partial",
    };
    let path = folder.join(format!("{}-{local}{end}", file.id));
    ensure!(!path.exists(), "{} is there already", path.display());
    let hidden = folder.join(format!(".{}-{}.part", file.id, std::process::id()));
    let written = decrypt(vault, identities, &file.parts, &hidden)
        .and_then(|()| fs::rename(&hidden, &path).with_context(|| path.display().to_string()));
    if written.is_err() {
        let _ = fs::remove_file(&hidden);
    }
    written.with_context(|| format!("file {} {}", file.id, OneLine(&file.name)))?;
    Ok(path)
}

fn decrypt(vault: &Vault, identities: &Identities, parts: &[Part], path: &Path) -> anyhow::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut out = BufWriter::new(made.with_context(|| path.display().to_string())?);
    for part in parts {
        one(vault, identities, part, &mut out)?;
    }
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(())
}

/// Decrypts a part, and holds it against its hash.
fn one(vault: &Vault, identities: &Identities, part: &Part, out: &mut impl io::Write) -> anyhow::Result<()> {
    let mut reader = vault.read(&part.kept, identities)?;
    let (mut digest, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        let read = reader.read(&mut piece).with_context(|| format!("{}: it is damaged", part.kept))?;
        if read == 0 {
            break;
        }
        digest.update(&piece[..read]);
        out.write_all(&piece[..read])?;
    }
    if HEXLOWER.encode(&digest.finalize()) != part.sha256 {
        bail!("{}: it is another file than the one that came: its SHA-256 is not the listed one", part.kept);
    }
    Ok(())
}
