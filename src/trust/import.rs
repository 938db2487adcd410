//! Certificates out of a file of another program's: PEM, DER, PKCS #12, JKS, JCEKS.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::provider::Provider;
use openssl::x509::X509Ref;

use super::TrustError;
use super::jks::{self, JksError};
use crate::certificate::{self, Block, FileError};
use crate::device::Secret;

/// The largest file, in bytes: Java's own store with all public authorities has a twentieth of it.
const LARGEST: u64 = 4 * 1024 * 1024;

/// How long an archive may take to open: those of every program take a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name in the store that it comes from, if it had one.
    pub name: Option<String>,
    /// The certificate, DER.
    pub der: Vec<u8>,
}

/// A file's certificates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// Those that are meant, in their order; at least one.
    pub found: Vec<Found>,
    /// How many stand there as the chain of a private key only.
    pub left_out: usize,
}

/// Why a file gives no certificate.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A pipe would wait for ever, a device never end.
    #[error("not a regular file")]
    Irregular,
    /// It is too large.
    #[error("larger than {} MiB, which no file of certificates is", LARGEST / 1024 / 1024)]
    Large,
    /// None of the forms.
    #[error("not a file of certificates: expected PEM (-----BEGIN CERTIFICATE-----), DER, PKCS #12 or JKS")]
    Form,
    /// A form that is taken as an import and nowhere else.
    #[error("not PEM, which is all that a server reads: `phoneprov certs trust add` makes PEM of it")]
    NotPem,
    /// PEM or DER with something wrong in it.
    #[error(transparent)]
    File(#[from] FileError),
    /// Bytes that are no certificate.
    #[error("certificate {number} of the file is none: {reason}")]
    Content {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing in it.
    #[error("no certificate in it")]
    Nothing,
    /// A key store, and no password.
    #[error(
        "a {0} key store, which has a password: give a file of it by --password-file (Java's own default is `changeit`)"
    )]
    Password(&'static str),
    /// A Java key store that cannot be read.
    #[error(transparent)]
    Jks(#[from] JksError),
    /// A PKCS #12 file that does not open.
    #[error("the password of the PKCS #12 file is wrong, or the file is damaged")]
    Locked,
    /// A PKCS #12 file that would take for ever.
    #[error("the PKCS #12 file takes longer than {} seconds to open: its count of iterations is far too high", PATIENCE.as_secs())]
    Slow,
    /// A PKCS #12 file that needs what this OpenSSL has not.
    #[error(
        "the PKCS #12 file is encrypted in a way that is switched off here ({0}): write it anew by \
         `openssl pkcs12 -legacy -in OLD -nodes | openssl pkcs12 -export -out NEW`"
    )]
    Obsolete(String),
}

/// Reads a file of certificates, whatever its form.
///
/// # Errors
/// It cannot be read, is of no form that we know, needs another password, or holds no certificate.
pub fn import(path: &Path, password: Option<&Secret>) -> Result<Import, TrustError> {
    let file = read(path)?;
    let import = certificates(&file, password).map_err(|error| TrustError::Import { path: path.to_owned(), error })?;
    Ok(import)
}

/// The bytes of a file that can be one of certificates.
///
/// # Errors
/// It cannot be read, is no regular file, or larger than any such file.
pub fn read(path: &Path) -> Result<Vec<u8>, TrustError> {
    let system = |error| TrustError::Read { path: path.to_owned(), error };
    let wrong = |error| TrustError::Import { path: path.to_owned(), error };
    if !fs::metadata(path).map_err(system)?.is_file() {
        return Err(wrong(ImportError::Irregular));
    }
    let mut file = Vec::new();
    File::open(path).and_then(|opened| opened.take(LARGEST + 1).read_to_end(&mut file)).map_err(system)?;
    if file.len() as u64 > LARGEST { Err(wrong(ImportError::Large)) } else { Ok(file) }
}

/// The certificates of a file's bytes.
pub(super) fn certificates(file: &[u8], password: Option<&Secret>) -> Result<Import, ImportError> {
    let import = if jks::is_jks(file) {
        let entries = jks::certificates(file, password.ok_or(ImportError::Password("Java"))?)?;
        let found = entries.into_iter().map(|entry| Found { name: Some(entry.alias), der: entry.der });
        Import { found: found.collect(), left_out: 0 }
    } else if let Some(archive) = pkcs12(file) {
        opened(archive, password.ok_or(ImportError::Password("PKCS #12"))?, PATIENCE)?
    } else {
        let blocks = certificate::blocks(file).map_err(|error| match error {
            FileError::NeitherForm => ImportError::Form,
            damaged @ FileError::Damaged { .. } => damaged.into(),
        })?;
        let found = blocks.into_iter().filter_map(|block| match block {
            Block::Certificate(der) => Some(Found { name: None, der }),
            Block::PrivateKey(_) | Block::Other(_) => None,
        });
        Import { found: found.collect(), left_out: 0 }
    };
    for (at, found) in import.found.iter().enumerate() {
        let wrong =
            |error: certificate::NotACertificate| ImportError::Content { number: at + 1, reason: error.to_string() };
        certificate::details(&found.der).map_err(wrong)?;
    }
    if import.found.is_empty() { Err(ImportError::Nothing) } else { Ok(import) }
}

/// The certificates of a file that a listener is to read, which takes PEM and nothing else.
pub(super) fn pem_certificates(file: &[u8]) -> Result<Import, ImportError> {
    let is_pem = String::from_utf8_lossy(file).contains("-----BEGIN ");
    if is_pem || file.is_empty() { certificates(file, None) } else { Err(ImportError::NotPem) }
}

/// The archive, where the bytes are one: a certificate is not, though both are a sequence.
fn pkcs12(file: &[u8]) -> Option<Pkcs12> {
    Pkcs12::from_der(file).ok()
}

/// What an archive holds, unless that takes too long: how often a key is hashed is the file's own word, and may be for
/// hours. The process ends before a thread that still counts.
pub(super) fn opened(archive: Pkcs12, password: &Secret, patience: Duration) -> Result<Import, ImportError> {
    let (answer, import) = mpsc::channel();
    let password = password.clone();
    thread::spawn(move || {
        // Who asked may have gone.
        let _ = answer.send(content(&archive, &password));
    });
    import.recv_timeout(patience).unwrap_or(Err(ImportError::Slow))
}

/// The certificates of an archive. Of one with a private key it is that key's own: to trust its whole chain would be to
/// trust all that its authority ever signed.
fn content(archive: &Pkcs12, password: &Secret) -> Result<Import, ImportError> {
    // RC2 of 40 bits, which OpenSSL wrote before 3.0, is in a module of its own, where there is one.
    let _old = Provider::try_load(None, "legacy", true);
    let content = archive.parse2(password.expose()).map_err(|error| refusal(&error))?;
    let chain: Vec<_> = content.ca.iter().flatten().collect();
    let mut import = Import::default();
    let taken = |certificate: &X509Ref| -> Result<Found, ImportError> {
        let name = certificate.alias().map(|name| String::from_utf8_lossy(name).into_owned());
        let der = certificate.to_der().map_err(|error| refusal(&error))?;
        Ok(Found { name, der })
    };
    match &content.cert {
        Some(own) => {
            import.found.push(taken(own)?);
            import.left_out = chain.len();
        }
        None => import.found = chain.into_iter().map(taken).collect::<Result<_, _>>()?,
    }
    Ok(import)
}

/// OpenSSL's reasons are a stack; the first that says something is told.
fn refusal(error: &ErrorStack) -> ImportError {
    let reasons: Vec<&str> = error.errors().iter().filter_map(openssl::error::Error::reason).collect();
    let unsupported = reasons.iter().find(|reason| ["unsupported", "unknown"].iter().any(|word| reason.contains(word)));
    match unsupported {
        Some(reason) if !reasons.contains(&"mac verify failure") => ImportError::Obsolete((*reason).to_owned()),
        _ => ImportError::Locked,
    }
}
