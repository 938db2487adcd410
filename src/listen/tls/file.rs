//! Certificates and keys as they lie on the disk: PEM files, and folders of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;
use crate::certificate::{self, Misplaced};

/// The largest file, in bytes: the longest revocation lists of public authorities have a few MiB.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The server's certificate with those that issued it, in the order in which they are sent. An expired one is used all
/// the same, with a warning: phones whose clock is wrong are better served than none.
pub(super) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = certificates(path)?;
    let misplaced = certificate::misplaced(&chain).map_err(|link| damaged(path, link.number, link.error))?;
    if let Some(Misplaced { issued, issuer }) = misplaced {
        return Err(TlsError::Order { path: path.to_owned(), issued, issuer });
    }
    warn_of_dates(path, &chain);
    Ok(chain)
}

/// The key of the server's certificate.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    regular(path)?;
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound if is_locked(path) => TlsError::Locked { path: path.to_owned() },
        pem::Error::NoItemsFound => TlsError::Missing { path: path.to_owned(), what: "private key" },
        error => TlsError::unreadable(path, error),
    })
}

/// Whether the file has a PEM block that only a pass phrase opens.
fn is_locked(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
}

/// The certificates of authorities in these files and folders, each with the file that it stands in; at least one.
pub(super) fn authorities(paths: &[PathBuf]) -> Result<Vec<(PathBuf, CertificateDer<'static>)>, TlsError> {
    let mut authorities = Vec::new();
    for path in paths {
        for file in files_of(path, &["pem", "crt", "cer"])? {
            for certificate in certificates(&file)? {
                // Whoever has its key would be every phone.
                match certificate::details(&certificate).is_ok_and(|details| details.is_no_ca) {
                    true => {
                        tracing::warn!(file = %file.display(), "passed over: not an authority's certificate (CA:FALSE)");
                    }
                    false => authorities.push((file.clone(), certificate)),
                }
            }
        }
    }
    if authorities.is_empty() {
        let path = paths.first().cloned().unwrap_or_default();
        return Err(TlsError::Missing { path, what: "certificate of an authority" });
    }
    Ok(authorities)
}

/// The file itself, or the files of a folder with these endings, in order of name.
pub(super) fn files_of(path: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, TlsError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| TlsError::unreadable(path, error))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|error| TlsError::unreadable(path, error))?.path();
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        if endings.contains(&ending.as_str()) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    regular(path)?;
    let read = CertificateDer::pem_file_iter(path).map_err(|error| TlsError::unreadable(path, error))?;
    let numbered = read.enumerate();
    let chain: Vec<_> =
        numbered.map(|(at, read)| read.map_err(|error| damaged(path, at + 1, error))).collect::<Result<_, _>>()?;
    match chain.is_empty() {
        true => Err(TlsError::Missing { path: path.to_owned(), what: "certificate" }),
        false => Ok(chain),
    }
}

fn damaged(path: &Path, number: usize, error: impl std::fmt::Display) -> TlsError {
    TlsError::Damaged { path: path.to_owned(), number, error: error.to_string() }
}

/// A pipe would wait for ever, a device never end, and a file that is none of ours by mistake fill the memory.
pub(super) fn regular(path: &Path) -> Result<(), TlsError> {
    match fs::metadata(path) {
        Ok(file) if file.len() > LARGEST => {
            let most = LARGEST / 1024 / 1024;
            Err(TlsError::unreadable(path, format!("larger than {most} MiB, which no file of certificates is")))
        }
        Ok(file) if file.is_file() => Ok(()),
        Ok(_) => Err(TlsError::unreadable(path, "not a regular file")),
        Err(error) => Err(TlsError::unreadable(path, error)),
    }
}

/// A certificate outside of its dates is used all the same, and told of.
fn warn_of_dates(path: &Path, chain: &[CertificateDer<'_>]) {
    let Some(leaf) = chain.first().and_then(|leaf| certificate::details(leaf).ok()) else {
        return;
    };
    let (certificate, now) = (path.display(), SystemTime::now());
    let (begins, expires) = (leaf.not_before, leaf.not_after);
    if SystemTime::from(expires) < now {
        tracing::warn!(%certificate, %expires, "the server's certificate has expired: phones will refuse it");
    }
    if SystemTime::from(begins) > now {
        tracing::warn!(%certificate, %begins, "the server's certificate is not valid yet: phones will refuse it");
    }
}
