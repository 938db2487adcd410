//! A line of the support table: phones of one model and firmware that connect in one way.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::certificate::{SignatureHash, Signer};
use crate::config::TlsVersion;
use crate::device::{Agent, DeviceIdentity, Model};

/// What a TLS connection was made with.
#[derive(Debug, Clone)]
pub struct Secured {
    /// The version that was agreed on.
    pub version: TlsVersion,
    /// The suite, as IANA names it.
    pub suite: &'static str,
    /// Who signed the client's certificate, where it sent one.
    pub signer: Option<Arc<Signer>>,
}

/// A connection's first request, as far as it says what phone it is of.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// How it came.
    pub secured: &'a Secured,
    /// What the client says of itself.
    pub user_agent: Option<&'a str>,
    /// Whom its certificate proves.
    pub proven: Option<&'a DeviceIdentity>,
}

/// Phones of one model and firmware that connect in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// By `User-Agent`, else by the certificate; empty where neither says.
    pub model: String,
    /// By `User-Agent`; empty where it does not say.
    pub firmware: String,
    /// The version of TLS.
    pub tls: TlsVersion,
    /// The suite, as IANA names it.
    pub suite: String,
    /// Who signed their certificates; `None`: they sent none.
    pub issuer: Option<String>,
    /// With which hash.
    pub hash: Option<SignatureHash>,
    /// There is an RSA key of fewer than 2048 bits among their certificates.
    #[serde(default)]
    pub short_key: bool,
    /// There is one of X.509 version 1 or 2.
    #[serde(default)]
    pub before_version_3: bool,
    /// They proved to be devices. Who does not may say anything of itself.
    pub proven: bool,
    /// The first of these connections.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// How many.
    pub connections: u64,
}

/// What tells a row from another, borrowed from where it stands.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key<'a> {
    model: &'a str,
    firmware: &'a str,
    tls: TlsVersion,
    suite: &'a str,
    issuer: Option<&'a str>,
    hash: Option<SignatureHash>,
    is_short: bool,
    before_version_3: bool,
    pub(super) proven: bool,
}

impl<'a> Key<'a> {
    /// Where a connection belongs.
    pub(super) fn of(sighting: &Sighting<'a>) -> Self {
        let agent = sighting.user_agent.and_then(Agent::parse);
        let certified = sighting.proven.and_then(DeviceIdentity::model);
        let signer = sighting.secured.signer.as_deref();
        Self {
            model: agent.map(|agent| agent.model).or(certified.map(Model::as_str)).unwrap_or_default(),
            firmware: agent.map(|agent| agent.firmware).unwrap_or_default(),
            tls: sighting.secured.version,
            suite: sighting.secured.suite,
            issuer: signer.map(|signer| signer.issuer.as_str()),
            hash: signer.map(|signer| signer.hash),
            is_short: signer.is_some_and(|signer| signer.has_short_key),
            before_version_3: signer.is_some_and(|signer| signer.is_before_version_3),
            proven: sighting.proven.is_some(),
        }
    }

    /// Where a row belongs.
    pub(super) fn of_row(row: &'a Row) -> Self {
        Self {
            model: &row.model,
            firmware: &row.firmware,
            tls: row.tls,
            suite: &row.suite,
            issuer: row.issuer.as_deref(),
            hash: row.hash,
            is_short: row.short_key,
            before_version_3: row.before_version_3,
            proven: row.proven,
        }
    }

    /// A row that begins now.
    pub(super) fn begin(&self, now: Timestamp) -> Row {
        Row {
            model: self.model.to_owned(),
            firmware: self.firmware.to_owned(),
            tls: self.tls,
            suite: self.suite.to_owned(),
            issuer: self.issuer.map(str::to_owned),
            hash: self.hash,
            short_key: self.is_short,
            before_version_3: self.before_version_3,
            proven: self.proven,
            first: now,
            last: now,
            connections: 1,
        }
    }
}
