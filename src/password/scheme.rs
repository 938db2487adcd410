//! The ways of asking for a password.

use serde::Deserialize;

/// A challenge of RFC 7617 or RFC 7616. There is no NTLM: phones that are offered it answer it, and wrongly
/// (Cisco bugs `CSCwt49911`, `CSCwu09104`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// The password itself; the server keeps an Argon2 hash.
    Basic,
    /// A hash that only the password makes; the server keeps what is as good as the password.
    DigestMd5,
    /// The same with SHA-256.
    DigestSha256,
}

impl Scheme {
    /// As it is written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::DigestMd5 => "digest-md5",
            Self::DigestSha256 => "digest-sha256",
        }
    }
}
