//! The lab authority: a folder with `ca.pem`, the server's certificate and those of sample phones, for a desk or a lab;
//! and requests for a certificate that another authority signs.
//!
//! The lab authority is not for production: the authority's key lies beside what it signs, unencrypted. Every key is RSA-2048, as those of
//! real phones are. A key is written before its certificate, so whatever a crash leaves is completed the next time.

mod batch;
mod email;
mod error;
mod file;
mod host;
mod issue;
mod key;
mod lab;
mod phone;
mod recipient;
mod request;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rcgen::{Issuer, KeyPair};

use crate::certificate::{self, Block, Details};
pub use batch::Batch;
pub use email::{EmailError, EmailTail};
pub use error::AuthorityError;
pub use host::{HostError, HostName};
pub use lab::{Prepared, prepare};
pub use phone::{LabPhone, PhoneError};
pub use request::{Requested, Wanted, WantedError, request};

use error::crypto;
use file::{Present, Readers, exists};

/// An authority that is ready to sign, and the folder in which it keeps everything.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    not_after: Timestamp,
}

/// A certificate and its key, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PKCS #8 PEM, mode 0600.
    pub key: PathBuf,
    /// What was done.
    pub outcome: Outcome,
}

/// What became of a certificate that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was none; it was made.
    Made,
    /// There was one; it was made anew for the same key.
    Renewed,
    /// There was one, and it was left alone.
    Kept,
}

/// What to do about a certificate that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone.
    Keep,
    /// Make it anew for the same key.
    Renew,
}

impl Authority {
    /// The authority in `folder`, which is made with it where there is none.
    pub fn open_or_create(folder: &Path) -> Result<Self, AuthorityError> {
        if exists(&folder.join("ca.pem"))? {
            return Self::open(folder);
        }
        match Self::create(folder) {
            // Another process was faster.
            Err(AuthorityError::Exists(_)) => Self::open(folder),
            created => created,
        }
    }

    /// Makes the authority `ca.pem` and `ca.key` in `folder`, valid for ten years. An error where there is one.
    pub fn create(folder: &Path) -> Result<Self, AuthorityError> {
        file::folder(folder)?;
        let path = folder.join("ca.pem");
        if exists(&path)? {
            return Err(AuthorityError::Exists(path));
        }
        let certificate = issue::authority(&key::open_or_make(&folder.join("ca.key"))?)?;
        file::write(&path, &certificate, Readers::Everyone, Present::Refuse)?;
        Self::open(folder)
    }

    /// The authority whose `ca.pem` and `ca.key` are in `folder`.
    pub fn open(folder: &Path) -> Result<Self, AuthorityError> {
        let (path, key_path) = (folder.join("ca.pem"), folder.join("ca.key"));
        let pem = file::read(&path)?;
        if !exists(&key_path)? {
            return Err(AuthorityError::KeyMissing { certificate: path, key: key_path });
        }
        let content = |reason: String| AuthorityError::Content { path: path.clone(), reason };
        let details = details(&path)?;
        if !details.is_ca {
            return Err(content("it is not the certificate of an authority".into()));
        }
        let key = key::open_or_make(&key_path)?;
        if !issue::belongs(&pem, &key) {
            return Err(content(format!("`{}` is the key of another certificate", key_path.display())));
        }
        let issuer = Issuer::from_ca_cert_pem(&pem, key).map_err(|error| content(error.to_string()))?;
        Ok(Self { folder: folder.into(), issuer, not_after: details.not_after })
    }

    /// The authority's own certificate, for `client_ca` and for the phones' `Custom_CA_Rule`.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The server's certificate `server.pem` and `server.key`, valid for 825 days, for localhost, 127.0.0.1, `::1` and
    /// `names`. A renewed one keeps the names that it had.
    pub fn server(&self, names: &[HostName], existing: Existing) -> Result<Issued, AuthorityError> {
        self.issue("server", existing, |key, previous| {
            let previous = previous.map_or(&[][..], |details| &details.alternative_names);
            issue::server(&self.issuer, self.not_after, key, names, previous)
        })
    }

    /// A phone's certificate `phone-000e08abcdef.pem` and `.key`, valid for ten years, with the subject of a real one:
    /// `OU=CP-8841-3PCC, L=<serial number>, ST=000e08abcdef` (domain: Cisco 8800 Provisioning Guide). A renewed one keeps
    /// the model and the serial number that it had, where no others are said.
    pub fn phone(&self, phone: &LabPhone, existing: Existing) -> Result<Issued, AuthorityError> {
        let name = format!("phone-{}", phone.mac);
        self.issue(&name, existing, |key, previous| {
            let phone = previous.map_or_else(|| phone.clone(), |previous| phone.or_as_in(previous));
            issue::phone(&self.issuer, self.not_after, key, &phone)
        })
    }

    fn issue(
        &self,
        name: &str,
        existing: Existing,
        sign: impl FnOnce(&KeyPair, Option<&Details>) -> Result<String, AuthorityError>,
    ) -> Result<Issued, AuthorityError> {
        let certificate = self.folder.join(format!("{name}.pem"));
        let key_path = self.folder.join(format!("{name}.key"));
        let issued = |outcome| Issued { certificate: certificate.clone(), key: key_path.clone(), outcome };
        if !exists(&certificate)? {
            let text = sign(&key::open_or_make(&key_path)?, None)?;
            file::write(&certificate, &text, Readers::Everyone, Present::Refuse)?;
            return Ok(issued(Outcome::Made));
        }
        if !exists(&key_path)? {
            return Err(AuthorityError::KeyMissing { certificate, key: key_path });
        }
        match existing {
            Existing::Keep => Ok(issued(Outcome::Kept)),
            Existing::Renew => {
                let text = sign(&key::open_or_make(&key_path)?, Some(&details(&certificate)?))?;
                file::write(&certificate, &text, Readers::Everyone, Present::Replace)?;
                Ok(issued(Outcome::Renewed))
            }
        }
    }
}

/// The first certificate of a file, in words.
fn details(path: &Path) -> Result<Details, AuthorityError> {
    let content = |reason| AuthorityError::Content { path: path.into(), reason };
    let blocks = certificate::blocks(file::read(path)?.as_bytes()).map_err(|error| content(error.to_string()))?;
    let der = blocks.into_iter().find_map(|block| match block {
        Block::Certificate(der) => Some(der),
        Block::PrivateKey(_) | Block::Other(_) => None,
    });
    let der = der.ok_or_else(|| content("no certificate in it".into()))?;
    certificate::details(&der).map_err(|error| content(error.to_string()))
}

fn random<const N: usize>() -> Result<[u8; N], AuthorityError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(crypto)?;
    Ok(bytes)
}
