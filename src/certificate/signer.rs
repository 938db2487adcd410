//! Who signed a certificate, and with which hash: what decides whether it is still taken.

use serde::{Deserialize, Serialize};

use super::{Details, NotACertificate, details};

/// The longest issuer that is kept, in characters.
const LONGEST: usize = 200;

/// Who signed a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The issuer, as `O=Cisco, CN=Cisco Manufacturing CA`, cut where it is very long.
    pub issuer: String,
    /// The hash that was signed.
    pub hash: SignatureHash,
    /// An RSA key of fewer than 2048 bits, which current libraries refuse.
    pub has_short_key: bool,
    /// X.509 version 1 or 2, which they refuse too.
    pub is_before_version_3: bool,
}

/// The shortest RSA key that current libraries take (bits).
const SHORTEST_RSA: usize = 2048;

/// The hash of a certificate's signature, as far as it matters how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SignatureHash {
    /// MD5 and older: forged since 2008 (RFC 6151).
    #[serde(rename = "MD5")]
    Md5,
    /// SHA-1: what the first Cisco Manufacturing CA signs with.
    #[serde(rename = "SHA-1")]
    Sha1,
    /// SHA-2 in any length.
    #[serde(rename = "SHA-2")]
    Sha2,
    /// Anything else.
    #[serde(rename = "other")]
    Other,
}

impl SignatureHash {
    /// As people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha2 => "SHA-2",
            Self::Other => "other",
        }
    }

    /// By the name of a signature algorithm: `sha256WithRSAEncryption`, `ecdsa-with-SHA256`.
    fn of(algorithm: &str) -> Self {
        let name = algorithm.to_ascii_lowercase();
        let has = |hashes: &[&str]| hashes.iter().any(|hash| name.contains(hash));
        if has(&["md2", "md4", "md5"]) {
            Self::Md5
        } else if has(&["sha1"]) {
            Self::Sha1
        } else if has(&["sha224", "sha256", "sha384", "sha512"]) {
            Self::Sha2
        } else {
            Self::Other
        }
    }
}

/// Who signed the certificate, which is in DER form.
pub fn signer(der: &[u8]) -> Result<Signer, NotACertificate> {
    Ok(Signer::of(&details(der)?))
}

impl Signer {
    /// The same, with what is oldest in the chain that came with the certificate: that is what a library refuses it for. A
    /// root's signature on itself is looked at by none.
    #[must_use]
    pub fn by_way_of<'a>(self, intermediates: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let of_intermediate = |der: &'a [u8]| {
            let is_root = super::names(der).is_ok_and(|names| names.subject == names.issuer);
            signer(der).ok().filter(|_| !is_root)
        };
        intermediates.into_iter().filter_map(of_intermediate).fold(self, |oldest, other| Self {
            hash: oldest.hash.min(other.hash),
            has_short_key: oldest.has_short_key || other.has_short_key,
            is_before_version_3: oldest.is_before_version_3 || other.is_before_version_3,
            issuer: oldest.issuer,
        })
    }

    /// Who signed the certificate with these details.
    #[must_use]
    pub fn of(details: &Details) -> Self {
        let issuer = details.issuer.chars().take(LONGEST).collect();
        let key = &details.key;
        Self {
            issuer,
            hash: SignatureHash::of(&details.signature),
            has_short_key: key.kind == "RSA" && key.bits < SHORTEST_RSA,
            is_before_version_3: details.is_before_version_3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_read_from_the_algorithms_name() {
        let cases = [
            ("md5WithRSAEncryption", SignatureHash::Md5),
            ("sha1WithRSAEncryption", SignatureHash::Sha1),
            ("ecdsa-with-SHA1", SignatureHash::Sha1),
            ("sha256WithRSAEncryption", SignatureHash::Sha2),
            ("ecdsa-with-SHA384", SignatureHash::Sha2),
            ("1.2.3.4", SignatureHash::Other),
        ];
        for (name, hash) in cases {
            assert_eq!(SignatureHash::of(name), hash, "{name}");
        }
    }
}
