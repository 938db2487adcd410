//! The name of a format, and the whole way through it.

use std::fmt;
use std::str::FromStr;

use super::{aes128gcm, openssl};

/// One of the two formats, under the name that config.toml and the command line use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
pub enum Scheme {
    /// What `openssl enc -aes-256-cbc -md md5` writes; the phone decrypts it with the `--key` of its profile rule.
    #[serde(rename = "aes-256-cbc")]
    Aes256Cbc,
    /// RFC 8188; the phone decrypts it with `IKM_HTTP_Encrypt_Content` (MPP 11.2(3) and later).
    #[serde(rename = "aes128gcm")]
    Aes128Gcm,
}

/// The text names no scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an encryption scheme: expected `aes-256-cbc` or `aes128gcm`")]
pub struct SchemeError(String);

/// Why a file could not be decrypted; each message says what to check and shows neither key nor content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// From `aes-256-cbc`.
    #[error(transparent)]
    Openssl(#[from] openssl::DecryptError),
    /// From `aes128gcm`.
    #[error(transparent)]
    Aes128Gcm(#[from] aes128gcm::DecryptError),
}

impl Scheme {
    /// `aes-256-cbc` or `aes128gcm`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aes256Cbc => "aes-256-cbc",
            Self::Aes128Gcm => "aes128gcm",
        }
    }

    /// Encrypts with the salt derived from key and content, so that the same input always gives the same bytes.
    ///
    /// The key is the pass phrase of `aes-256-cbc`, or the keying material of `aes128gcm` (see
    /// [`IkmEncoding`](super::IkmEncoding)).
    #[must_use]
    pub fn encrypt(self, key: &[u8], plain: &[u8]) -> Vec<u8> {
        match self {
            Self::Aes256Cbc => openssl::encrypt(key, openssl::salt_for(key, plain), plain),
            Self::Aes128Gcm => {
                let record_size = aes128gcm::record_size_for(plain.len());
                aes128gcm::encrypt(key, aes128gcm::salt_for(key, record_size, plain), record_size, plain)
            }
        }
    }

    /// Decrypts a whole file, of any salt and record size.
    ///
    /// # Errors
    /// The file is not of this scheme, is damaged, or was made with another key.
    pub fn decrypt(self, key: &[u8], file: &[u8]) -> Result<Vec<u8>, DecryptError> {
        match self {
            Self::Aes256Cbc => Ok(openssl::decrypt(key, file)?),
            Self::Aes128Gcm => Ok(aes128gcm::decrypt(key, file)?),
        }
    }
}

impl FromStr for Scheme {
    type Err = SchemeError;

    fn from_str(text: &str) -> Result<Self, SchemeError> {
        [Self::Aes256Cbc, Self::Aes128Gcm]
            .into_iter()
            .find(|scheme| scheme.as_str() == text)
            .ok_or_else(|| SchemeError(text.into()))
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    proptest! {
        #[test]
        fn the_same_input_gives_the_same_file_and_another_input_another_salt(
            key: Vec<u8>,
            plain: Vec<u8>,
            other: Vec<u8>,
        ) {
            prop_assume!(plain != other);
            for scheme in [Scheme::Aes256Cbc, Scheme::Aes128Gcm] {
                let file = scheme.encrypt(&key, &plain);
                prop_assert_eq!(&scheme.encrypt(&key, &plain), &file);
                prop_assert_ne!(&scheme.encrypt(&key, &other)[..16], &file[..16]);
                prop_assert_eq!(&scheme.decrypt(&key, &file), &Ok(plain.clone()));
            }
        }
    }

    #[test]
    fn a_scheme_has_one_name_in_every_place() {
        for scheme in [Scheme::Aes256Cbc, Scheme::Aes128Gcm] {
            let configured: StrDeserializer<Error> = scheme.as_str().into_deserializer();
            assert_eq!(Scheme::deserialize(configured), Ok(scheme));
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
        }
    }

    #[test]
    fn an_unknown_scheme_is_told_the_known_ones() {
        let error = "aes-256-gcm".parse::<Scheme>().expect_err("not a scheme");
        assert_eq!(
            error.to_string(),
            "`aes-256-gcm` is not an encryption scheme: expected `aes-256-cbc` or `aes128gcm`"
        );
    }
}
