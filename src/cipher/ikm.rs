//! The keying material of RFC 8188, as text.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

/// How the text in `IKM_HTTP_Encrypt_Content` becomes octets.
///
/// No Cisco document says how the phone reads it, hence a setting; the text itself is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IkmEncoding {
    /// The octets of the text as it stands.
    #[default]
    Text,
    /// RFC 4648 section 5, with or without `=` at the end.
    Base64url,
    /// Pairs of hexadecimal digits of any case.
    Hex,
}

/// Why a text gives no keying material; the text itself is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IkmError {
    /// Nothing there.
    #[error("the keying material is empty")]
    Empty,
    /// Not in the encoding that the setting says.
    #[error("the keying material is not {encoding}: {cause}; is `{encoding}` the right encoding?")]
    Encoding {
        /// What was expected.
        encoding: IkmEncoding,
        /// Where it fails, as a position.
        cause: data_encoding::DecodeError,
    },
}

/// The text names no encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an encoding of keying material: expected `text`, `base64url` or `hex`")]
pub struct IkmEncodingError(String);

impl IkmEncoding {
    /// `text`, `base64url` or `hex`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64url => "base64url",
            Self::Hex => "hex",
        }
    }

    /// The octets that the text stands for, never none.
    ///
    /// # Errors
    /// The text is empty or not in this encoding.
    pub fn decode(self, text: &str) -> Result<Vec<u8>, IkmError> {
        let decoded = match self {
            Self::Text => Ok(text.as_bytes().to_vec()),
            Self::Base64url => BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()),
            Self::Hex => HEXLOWER_PERMISSIVE.decode(text.as_bytes()),
        };
        let octets = decoded.map_err(|cause| IkmError::Encoding { encoding: self, cause })?;
        if octets.is_empty() { Err(IkmError::Empty) } else { Ok(octets) }
    }
}

impl FromStr for IkmEncoding {
    type Err = IkmEncodingError;

    fn from_str(text: &str) -> Result<Self, IkmEncodingError> {
        [Self::Text, Self::Base64url, Self::Hex]
            .into_iter()
            .find(|encoding| encoding.as_str() == text)
            .ok_or_else(|| IkmEncodingError(text.into()))
    }
}

impl fmt::Display for IkmEncoding {
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
        fn octets_come_back_from_both_encodings(octets in prop::collection::vec(any::<u8>(), 1..40)) {
            let hex = HEXLOWER_PERMISSIVE.encode(&octets);
            prop_assert_eq!(&IkmEncoding::Hex.decode(&hex), &Ok(octets.clone()));
            prop_assert_eq!(&IkmEncoding::Hex.decode(&hex.to_ascii_uppercase()), &Ok(octets.clone()));
            let base64 = data_encoding::BASE64URL.encode(&octets);
            prop_assert_eq!(&IkmEncoding::Base64url.decode(&base64), &Ok(octets.clone()));
            prop_assert_eq!(&IkmEncoding::Base64url.decode(base64.trim_end_matches('=')), &Ok(octets));
        }
    }

    #[test]
    fn text_is_taken_as_it_stands() {
        assert_eq!(IkmEncoding::default().decode("a0ä "), Ok("a0ä ".as_bytes().to_vec()));
    }

    #[test]
    fn an_error_says_where_and_does_not_show_the_key() {
        let error = IkmEncoding::Hex.decode("0123SECRET").expect_err("not hexadecimal").to_string();
        assert_eq!(error, "the keying material is not hex: invalid symbol at 4; is `hex` the right encoding?");
    }

    #[test]
    fn nothing_is_no_key() {
        for encoding in [IkmEncoding::Text, IkmEncoding::Base64url, IkmEncoding::Hex] {
            assert_eq!(encoding.decode(""), Err(IkmError::Empty));
        }
    }

    #[test]
    fn an_encoding_has_one_name_in_every_place() {
        for encoding in [IkmEncoding::Text, IkmEncoding::Base64url, IkmEncoding::Hex] {
            let configured: StrDeserializer<Error> = encoding.as_str().into_deserializer();
            assert_eq!(IkmEncoding::deserialize(configured), Ok(encoding));
            assert_eq!(encoding.to_string().parse(), Ok(encoding));
        }
        assert!("base64".parse::<IkmEncoding>().is_err());
    }
}
