//! What TLS a listener speaks, and what we speak as a client: two roles, each with versions of its own.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum TlsVersion {
    /// RFC 2246.
    V10,
    /// RFC 4346.
    V11,
    /// RFC 5246.
    V12,
    /// RFC 8446.
    V13,
}

/// The text is no version of TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version of TLS: expected \"1.0\", \"1.1\", \"1.2\" or \"1.3\"")]
pub struct TlsVersionError(String);

/// Which phones a TLS listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsKind {
    /// Current ones: TLS 1.2 and 1.3, nothing weak.
    #[default]
    Modern,
    /// Old ones as well: from TLS 1.0, RSA key exchange, certificates with SHA-1, short keys and of X.509 version 1.
    Legacy,
}

/// The versions of TLS that are spoken: both ends and what is between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsVersions {
    /// The oldest.
    pub min: TlsVersion,
    /// The newest.
    pub max: TlsVersion,
}

/// `[client_tls]`: TLS of connections that the server and its tools open themselves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientTls {
    /// The oldest version that is spoken.
    pub min: TlsVersion,
    /// The newest.
    pub max: TlsVersion,
    /// Authorities that a peer's certificate has to lead to: PEM files, or folders of them.
    pub ca: Vec<PathBuf>,
}

impl TlsVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 4] = [Self::V10, Self::V11, Self::V12, Self::V13];

    /// As it is written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V10 => "1.0",
            Self::V11 => "1.1",
            Self::V12 => "1.2",
            Self::V13 => "1.3",
        }
    }
}

impl TryFrom<String> for TlsVersion {
    type Error = TlsVersionError;

    fn try_from(text: String) -> Result<Self, TlsVersionError> {
        let found = Self::ALL.into_iter().find(|version| version.as_str() == text);
        found.ok_or(TlsVersionError(text))
    }
}

impl From<TlsVersion> for &'static str {
    fn from(version: TlsVersion) -> Self {
        version.as_str()
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TlsKind {
    /// All that a listener of this kind can speak.
    #[must_use]
    pub fn versions(self) -> TlsVersions {
        match self {
            Self::Modern => TlsVersions { min: TlsVersion::V12, max: TlsVersion::V13 },
            Self::Legacy => TlsVersions { min: TlsVersion::V10, max: TlsVersion::V12 },
        }
    }

    /// As it is written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Modern => "modern",
            Self::Legacy => "legacy",
        }
    }
}

impl TlsVersions {
    /// What a listener of this kind speaks with these bounds.
    pub(super) fn bounded(kind: TlsKind, min: Option<TlsVersion>, max: Option<TlsVersion>) -> Result<Self, String> {
        let whole = kind.versions();
        let fits = |key: &str, version: TlsVersion| match (whole.min..=whole.max).contains(&version) {
            true => Ok(version),
            false => Err(format!(
                "listen.{key}: tls = \"{}\" speaks {} to {}, not {version}{}",
                kind.as_str(),
                whole.min,
                whole.max,
                if kind == TlsKind::Modern && version < whole.min { ": tls = \"legacy\" does" } else { "" }
            )),
        };
        let min = min.map_or(Ok(whole.min), |version| fits("tls_min", version))?;
        let max = max.map_or(Ok(whole.max), |version| fits("tls_max", version))?;
        match min <= max {
            true => Ok(Self { min, max }),
            false => Err(format!("listen.tls_min {min} is above listen.tls_max {max}: no version is left")),
        }
    }
}

impl ClientTls {
    /// The same with its paths relative to a folder.
    pub(super) fn check(self, folder: &Path) -> Result<Self, String> {
        if self.min > self.max {
            return Err(format!(
                "client_tls.min {} is above client_tls.max {}: no version is left",
                self.min, self.max
            ));
        }
        let ca = self.ca.iter().map(|path| folder.join(path)).collect();
        Ok(Self { ca, ..self })
    }
}

impl Default for ClientTls {
    /// What a careful client speaks today.
    fn default() -> Self {
        Self { min: TlsVersion::V12, max: TlsVersion::V13, ca: Vec::new() }
    }
}
