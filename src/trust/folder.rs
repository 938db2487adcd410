//! A folder of trust anchors: a PEM file for each, named by its alias. It is what `client_ca` and `client_tls.ca` may name.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use jiff::Timestamp;

use super::import::{self, Found};
use super::{Alias, TrustError};

/// The folder below it with what was there before each change.
const BACKUP: &str = "backup";

/// A folder of trust anchors. It need not exist before the first one is added.
#[derive(Debug, Clone)]
pub struct TrustFolder {
    path: PathBuf,
}

/// A file of the folder, as a listener reads it too.
#[derive(Debug)]
pub struct Anchor {
    /// Its name without the ending, as it is written.
    pub alias: String,
    /// The file.
    pub path: PathBuf,
    /// Its certificates, DER: one where it was added by us. An error where it cannot be read, as a listener's would be.
    pub certificates: Result<Vec<Vec<u8>>, TrustError>,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Each certificate that was to be added, in its order; empty for a removal.
    pub added: Vec<Added>,
    /// Where a copy is of what was there before; `None`: there was nothing, or nothing changed.
    pub backup: Option<PathBuf>,
}

/// What became of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is trusted from now on.
    New(Alias),
    /// It took the place of another one.
    Replaced(Alias),
    /// It was there, under this alias.
    Known(String),
}

/// What to do where an alias is another certificate's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Nothing is changed.
    Refuse,
    /// The new certificate takes its place.
    Replace,
}

impl TrustFolder {
    /// The folder at this path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its anchors in order of name; none where there is no folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn anchors(&self) -> Result<Vec<Anchor>, TrustError> {
        let files = self.files()?;
        let anchor = |path: PathBuf| {
            let alias = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let wrong = |error| TrustError::Import { path: path.clone(), error };
            let read = import::read(&path).and_then(|file| import::pem_certificates(&file).map_err(wrong));
            let certificates = read.map(|import| import.found.into_iter().map(|found| found.der).collect());
            Anchor { alias, path, certificates }
        };
        Ok(files.into_iter().map(anchor).collect())
    }

    /// The anchor with this alias.
    ///
    /// # Errors
    /// There is none, or the folder cannot be read.
    pub fn anchor(&self, alias: &Alias) -> Result<Anchor, TrustError> {
        let mut anchors = self.anchors()?;
        match anchors.iter().position(|anchor| anchor.is(alias)) {
            Some(at) => Ok(anchors.swap_remove(at)),
            None => Err(self.unknown(alias, &anchors)),
        }
    }

    /// Adds certificates, each under its alias, all or none. One that is there already is left where it is.
    ///
    /// # Errors
    /// An alias is another certificate's, or a file cannot be written.
    pub fn add(&self, found: &[(Alias, &Found)], taken: Taken) -> Result<Change, TrustError> {
        let anchors = self.anchors()?;
        let holds = |anchor: &&Anchor, der: &[u8]| {
            anchor.certificates.as_ref().is_ok_and(|certificates| certificates.iter().any(|other| other == der))
        };
        let mut added = Vec::new();
        for (alias, found) in found {
            let known = anchors.iter().find(|anchor| holds(anchor, &found.der));
            added.push(match known {
                Some(anchor) => Added::Known(anchor.alias.clone()),
                None if !anchors.iter().any(|anchor| anchor.is(alias)) => Added::New(alias.clone()),
                None if taken == Taken::Replace => Added::Replaced(alias.clone()),
                None => return Err(TrustError::Taken(alias.clone())),
            });
        }
        if added.iter().all(|added| matches!(added, Added::Known(_))) {
            return Ok(Change { added, backup: None });
        }
        make(&self.path)?;
        let backup = self.backup()?;
        for ((alias, found), outcome) in found.iter().zip(&added) {
            let file = self.path.join(format!("{alias}.pem"));
            match outcome {
                Added::Known(_) => {}
                Added::New(_) => write(&file, &found.der)?,
                Added::Replaced(_) => {
                    write(&file, &found.der)?;
                    // A file with another ending, put there by hand, would go on being trusted.
                    for old in anchors.iter().filter(|anchor| anchor.is(alias) && anchor.path != file) {
                        delete(&old.path)?;
                    }
                }
            }
        }
        Ok(Change { added, backup })
    }

    /// Trusts an anchor no more.
    ///
    /// # Errors
    /// There is none of this alias, or its file cannot be deleted.
    pub fn remove(&self, alias: &Alias) -> Result<Change, TrustError> {
        let anchor = self.anchor(alias)?;
        let backup = self.backup()?;
        delete(&anchor.path)?;
        Ok(Change { added: Vec::new(), backup })
    }

    /// Copies every anchor's file to a folder of this moment's name below `backup`; `None`: there is none to copy.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn backup(&self) -> Result<Option<PathBuf>, TrustError> {
        let files = self.files()?;
        if files.is_empty() {
            return Ok(None);
        }
        let folder = self.path.join(BACKUP);
        make(&folder)?;
        let target = fresh(&folder, &Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string())?;
        for file in files {
            let copy = target.join(file.file_name().unwrap_or_default());
            let copied = fs::copy(&file, &copy).and_then(|_| fs::File::open(&copy)?.sync_all());
            copied.map_err(|error| TrustError::Write { path: copy, error })?;
        }
        Ok(Some(target))
    }

    /// The files that a listener would read, in order of name.
    fn files(&self) -> Result<Vec<PathBuf>, TrustError> {
        let system = |error| TrustError::Read { path: self.path.clone(), error };
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(system)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(system)?.path();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
            if ["pem", "crt", "cer"].contains(&ending.as_str()) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn unknown(&self, alias: &Alias, anchors: &[Anchor]) -> TrustError {
        let names: Vec<&str> = anchors.iter().take(10).map(|anchor| anchor.alias.as_str()).collect();
        let known = match anchors.len() - names.len() {
            _ if names.is_empty() => "is none at all".to_owned(),
            0 => format!("are {}", names.join(", ")),
            more => format!("are {} and {more} more", names.join(", ")),
        };
        TrustError::Unknown { alias: alias.clone(), folder: self.path.clone(), known }
    }
}

impl Anchor {
    /// Whether it goes by this alias.
    #[must_use]
    pub fn is(&self, alias: &Alias) -> bool {
        self.alias.eq_ignore_ascii_case(alias.as_str())
    }
}

/// A certificate as PEM text (RFC 7468).
#[must_use]
pub fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn make(path: &Path) -> Result<(), TrustError> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.map_err(|error| TrustError::Write { path: path.to_owned(), error })
}

/// A folder that was not there before: of this name, or with a number behind it.
fn fresh(parent: &Path, name: &str) -> Result<PathBuf, TrustError> {
    let mut path = parent.join(name);
    for number in 2.. {
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                path = parent.join(format!("{name}-{number}"));
            }
            made => return made.map(|()| path.clone()).map_err(|error| TrustError::Write { path, error }),
        }
    }
    Ok(path)
}

/// Puts a certificate into its file by way of another one, which no listener reads: a crash leaves the old one or the new.
fn write(path: &Path, der: &[u8]) -> Result<(), TrustError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let filled = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&beside);
    let filled = filled.and_then(|mut file| file.write_all(pem(der).as_bytes()).and_then(|()| file.sync_all()));
    filled.and_then(|()| fs::rename(&beside, path)).map_err(|error| {
        let _ = fs::remove_file(&beside);
        TrustError::Write { path: path.to_owned(), error }
    })
}

fn delete(path: &Path) -> Result<(), TrustError> {
    fs::remove_file(path).map_err(|error| TrustError::Write { path: path.to_owned(), error })
}
