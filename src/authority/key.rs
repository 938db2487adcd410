//! Private keys: RSA of 2048 bits, as those of real phones are, in PKCS #8 PEM.

use std::path::Path;

use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use super::AuthorityError;
use super::error::crypto;
use super::file::{self, Present, Readers, exists};

/// The key in this file, which is made where there is none.
pub(super) fn open_or_make(path: &Path) -> Result<KeyPair, AuthorityError> {
    if !exists(path)? {
        match make(path) {
            // Another process was faster.
            Err(AuthorityError::Exists(_)) => {}
            made => return made,
        }
    }
    open(path)
}

/// Makes the key in this file. An error where there is one.
pub(super) fn make(path: &Path) -> Result<KeyPair, AuthorityError> {
    let key = fresh()?;
    file::write(path, &key.serialize_pem(), Readers::Owner, Present::Refuse)?;
    Ok(key)
}

/// The key in this file.
pub(super) fn open(path: &Path) -> Result<KeyPair, AuthorityError> {
    let reason = |error: rcgen::Error| format!("expected an unencrypted private key in PEM form ({error})");
    KeyPair::from_pem(&file::read(path)?)
        .map_err(|error| AuthorityError::Content { path: path.into(), reason: reason(error) })
}

/// A key that is in no file.
pub(super) fn fresh() -> Result<KeyPair, AuthorityError> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(crypto)
}
