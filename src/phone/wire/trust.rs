//! What a phone trusts and what it shows: authorities, its own certificate, its key.

use std::sync::Arc;

use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslContext, SslMethod, SslSessionCacheMode, SslVerifyMode};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;

use super::server_name::{common_names, subject};
use super::tls::told;

/// Whom a phone believes: the authorities in its firmware, and its operator's own. Cheap to clone.
#[derive(Clone)]
pub struct Trust {
    pub(super) context: SslContext,
    authorities: Arc<[X509]>,
}

/// What a phone shows of itself when a server asks: its certificate, what leads from it to its authority, and its key.
#[derive(Clone)]
pub struct Identity {
    pub(super) certificate: X509,
    pub(super) chain: Vec<X509>,
    pub(super) key: PKey<Private>,
}

/// A file of certificates or keys that is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// No certificate in it.
    #[error("no PEM certificate in it")]
    Empty,
    /// Not as PEM should be.
    #[error("not valid PEM: {0}")]
    Broken(String),
    /// Certificate and key are of two pairs.
    #[error("certificate and key do not belong together")]
    Mismatch,
}

impl Trust {
    /// Trusts these authorities, in PEM; an empty text trusts nobody.
    ///
    /// # Errors
    /// The text is not PEM.
    pub fn of_pem(pem: &[u8]) -> Result<Self, PemError> {
        Self::of(certificates(pem)?).map_err(|error| PemError::Broken(told(&error)))
    }

    /// Trusts these as well, in PEM.
    ///
    /// # Errors
    /// The text is not PEM.
    pub fn with(&self, pem: &[u8]) -> Result<Self, PemError> {
        let all = self.authorities.iter().cloned().chain(certificates(pem)?).collect();
        Self::of(all).map_err(|error| PemError::Broken(told(&error)))
    }

    fn of(certificates: Vec<X509>) -> Result<Self, openssl::error::ErrorStack> {
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        context.set_verify(SslVerifyMode::PEER);
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
        // Phones take SHA-1 chains, RSA keys of 1024 bits and TLS before 1.2, all of which newer OpenSSL puts at level 0.
        context.set_security_level(0);
        let mut store = X509StoreBuilder::new()?;
        for certificate in &certificates {
            store.add_cert(certificate.clone())?;
        }
        context.set_cert_store(store.build());
        Ok(Self { context: context.build(), authorities: certificates.into() })
    }

    /// How many authorities these are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.authorities.len()
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.authorities.is_empty()
    }
}

impl Identity {
    /// Reads a certificate (with its chain after it) and its key, both PEM.
    ///
    /// # Errors
    /// One of them is not PEM, or they do not belong together.
    pub fn of_pem(certificates: &[u8], key: &[u8]) -> Result<Self, PemError> {
        let mut certificates = self::certificates(certificates)?.into_iter();
        let certificate = certificates.next().ok_or(PemError::Empty)?;
        // A key under a password is not asked for one.
        let key =
            PKey::private_key_from_pem_callback(key, |_| Ok(0)).map_err(|error| PemError::Broken(told(&error)))?;
        Self { certificate, chain: certificates.collect(), key }.checked()
    }

    /// The same key with another certificate, so that a fleet's phones share one key.
    ///
    /// # Errors
    /// As [`Identity::of_pem`].
    pub fn with(&self, certificates: &[u8]) -> Result<Self, PemError> {
        let mut certificates = self::certificates(certificates)?.into_iter();
        let certificate = certificates.next().ok_or(PemError::Empty)?;
        Self { certificate, chain: certificates.collect(), key: self.key.clone() }.checked()
    }

    fn checked(self) -> Result<Self, PemError> {
        let matches = self.certificate.public_key().is_ok_and(|public| public.public_eq(&self.key));
        if matches { Ok(self) } else { Err(PemError::Mismatch) }
    }

    /// The certificate's subject, for people.
    #[must_use]
    pub fn subject(&self) -> String {
        subject(&self.certificate)
    }
}

/// The common name of the first certificate in a PEM file, as the phone's page of its own authority shows it.
///
/// # Errors
/// There is no certificate in it, or it is not PEM.
pub fn first_name(pem: &[u8]) -> Result<String, PemError> {
    let certificates = certificates(pem)?;
    let first = certificates.first().ok_or(PemError::Empty)?;
    Ok(common_names(first).into_iter().next().unwrap_or_else(|| subject(first)))
}

fn certificates(pem: &[u8]) -> Result<Vec<X509>, PemError> {
    X509::stack_from_pem(pem).map_err(|error| PemError::Broken(told(&error)))
}

#[cfg(test)]
mod tests {
    use super::super::server_name::tests::{certificate, key};
    use super::*;

    #[test]
    fn a_key_of_another_pair_is_refused() {
        let (one, other) = (key(), key());
        let pem = certificate(&one, "x", None).to_pem().expect("PEM");
        let key_of = |key: &PKey<Private>| key.private_key_to_pem_pkcs8().expect("PEM");
        assert!(Identity::of_pem(&pem, &key_of(&one)).is_ok());
        assert_eq!(Identity::of_pem(&pem, &key_of(&other)).err(), Some(PemError::Mismatch));
        assert_eq!(Identity::of_pem(b"", &key_of(&one)).err(), Some(PemError::Empty));
        assert!(matches!(Identity::of_pem(&pem, b"x"), Err(PemError::Broken(_))));
    }
}
