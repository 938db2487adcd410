//! `phoneprov case get`: files of a case, decrypted.

use std::fs::{self, File, OpenOptions};
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
/// What is written is named after the file's number and what its client called it, without anything that could be a path. One
/// that is in the folder already, byte for byte, is left as it is, so that the same command goes on where it was broken off. Of
/// all files, those that cannot be read are told of, and the others are written; then this exits with 2. What goes to standard
/// output is whole only where this exits with 0.
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
        if files.is_empty() {
            println!("case {} has no files", args.number);
        }
        write_each(&vault, &identities, (&files, &args.output))
    })
}

/// Writes each file that can be written, and tells of the others.
fn write_each(vault: &Vault, identities: &Identities, (files, folder): (&[Upload], &Path)) -> anyhow::Result<ExitCode> {
    let mut failed = Vec::new();
    for file in files {
        match write(vault, identities, file, folder) {
            Ok(Written::Now(path)) => println!("{}", OneLine(path.display())),
            Ok(Written::Before(path)) => eprintln!("{} is there already, the same", OneLine(path.display())),
            Err(error) if files.len() == 1 => return Err(error),
            Err(error) => {
                eprintln!("phoneprov: {}", OneLine(format_args!("{error:#}")));
                failed.push(file.id.to_string());
            }
        }
    }
    match failed.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => bail!("{} of {} files could not be written: {}", failed.len(), files.len(), failed.join(", ")),
    }
}

/// A file that is in the folder.
enum Written {
    /// It was written now.
    Now(PathBuf),
    /// It had been.
    Before(PathBuf),
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
fn write(vault: &Vault, identities: &Identities, file: &Upload, folder: &Path) -> anyhow::Result<Written> {
    let local = FileName::shortened(file.name.as_bytes()).map(|name| name.local()).unwrap_or_default();
    let end = match file.state {
        UploadState::Complete => "",
        UploadState::Partial => ".partial",
    };
    let path = folder.join(format!("{}-{local}{end}", file.id));
    if path.symlink_metadata().is_ok() {
        let other =
            || format!("{} is there already and is another file: move it, or name another folder", path.display());
        ensure!(is_same(&path, file).with_context(|| path.display().to_string())?, other());
        return Ok(Written::Before(path));
    }
    let hidden = folder.join(format!(".{}-{}.part", file.id, std::process::id()));
    let written = decrypt(vault, identities, &file.parts, &hidden)
        .and_then(|()| fs::rename(&hidden, &path).with_context(|| path.display().to_string()));
    if written.is_err() {
        let _ = fs::remove_file(&hidden);
    }
    written.with_context(|| format!("file {} {}", file.id, OneLine(&file.name)))?;
    Ok(Written::Now(path))
}

/// Whether what is there has the length and the parts that are listed.
fn is_same(path: &Path, file: &Upload) -> io::Result<bool> {
    let found = path.symlink_metadata()?;
    if !found.is_file() || found.len() != file.size {
        return Ok(false);
    }
    let mut there = File::open(path)?;
    for part in &file.parts {
        let hash = hash(&mut (&mut there).take(part.size), |_| Ok(()));
        if hash.map_err(|(Failed::Read(error) | Failed::Write(error))| error)? != part.sha256 {
            return Ok(false);
        }
    }
    Ok(true)
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
    let hash = hash(&mut reader, |piece| out.write_all(piece)).map_err(|failed| match failed {
        Failed::Read(error) => anyhow::Error::new(error).context(format!("{}: it is damaged", part.kept)),
        Failed::Write(error) => error.into(),
    })?;
    if hash != part.sha256 {
        bail!("{}: it is another file than the one that came: its SHA-256 is not the listed one", part.kept);
    }
    Ok(())
}

/// Which side of a copy failed.
enum Failed {
    Read(io::Error),
    Write(io::Error),
}

/// Reads to the end, passes on what it reads, and gives its SHA-256.
fn hash(from: &mut impl io::Read, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> Result<String, Failed> {
    let (mut digest, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match from.read(&mut piece).map_err(Failed::Read)? {
            0 => return Ok(HEXLOWER.encode(&digest.finalize())),
            read => {
                digest.update(&piece[..read]);
                to(&piece[..read]).map_err(Failed::Write)?;
            }
        }
    }
}
