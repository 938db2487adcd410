//! A request, whatever protocol brought it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::Examined;
use crate::certificate::Credential;
use crate::config::Protocol;
use crate::device::{DeviceIdentity, DeviceName, Model};
use crate::inventory::Known;
use crate::profile::path::{PathError, RequestPath};

/// What a phone asks for, and what the connection says about it.
#[derive(Debug)]
pub struct Request<'a> {
    /// What it came over.
    pub transport: Transport,
    /// Whom the answer goes to.
    pub peer: SocketAddr,
    /// What is to be done.
    pub verb: Verb,
    /// What for, parsed; the error is the refusal's reason.
    pub path: Result<RequestPath, PathError>,
    /// What the phone says of the key that it has: the value of `key` in the query.
    pub key: Option<&'a str>,
    /// The client certificate of the connection.
    pub presented: &'a Presented,
    /// The only models that the listener serves; `None`: all.
    pub models: Option<&'a [Model]>,
    /// What its password came to, where its path needs one.
    pub password: Examined,
    /// The client decodes `Content-Encoding: gzip`.
    pub accepts_gzip: bool,
    /// What the client has already.
    pub conditions: Conditions<'a>,
    /// What was read from the store for this request, since it was not in memory.
    pub read: Vec<(DeviceName, Option<Arc<Known>>)>,
}

/// The protocol that brought a request: what a listener speaks.
pub type Transport = Protocol;

/// What a request wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The profile (HTTP GET, TFTP read request).
    Get,
    /// Its headers.
    Head,
    /// To take something in (HTTP POST).
    Post,
    /// The same (HTTP PUT).
    Put,
    /// Anything else: no profile answers to it.
    Other,
}

/// The client certificate of a connection, looked at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// None was sent, or the protocol has none.
    Nothing,
    /// One was sent that does not verify, or cannot be read; the reason is for the log.
    Unproven(String),
    /// One that verifies and names no device.
    Nobody {
        /// What it says.
        credential: Arc<Credential>,
        /// Why it names none, for the log.
        reason: String,
    },
    /// One that verified until it expired, and names a device. What that is worth is a rule's matter: by itself, nothing.
    Expired(Certified),
    /// One that verifies and names a device.
    Device(Certified),
}

/// A device, and the certificate that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Whom it names.
    pub identity: Arc<DeviceIdentity>,
    /// What else it says.
    pub credential: Arc<Credential>,
}

impl Certified {
    /// The device, taken as given: for a person who looks at what would be served.
    #[must_use]
    pub fn as_given(identity: DeviceIdentity) -> Self {
        let credential = Arc::new(Credential::sample(&identity));
        Self { identity: Arc::new(identity), credential }
    }
}

impl Presented {
    /// The device that is proven.
    #[must_use]
    pub fn identity(&self) -> Option<&Arc<DeviceIdentity>> {
        match self {
            Self::Device(certified) => Some(&certified.identity),
            Self::Nothing | Self::Unproven(_) | Self::Nobody { .. } | Self::Expired(_) => None,
        }
    }

    /// The device that is proven, or was until its certificate expired: who it is that is refused, never a proof.
    #[must_use]
    pub fn certified(&self) -> Option<&Certified> {
        match self {
            Self::Device(certified) | Self::Expired(certified) => Some(certified),
            Self::Nothing | Self::Unproven(_) | Self::Nobody { .. } => None,
        }
    }

    /// The certificate that verifies, whomever it names.
    #[must_use]
    pub fn credential(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Device(Certified { credential, .. }) | Self::Nobody { credential, .. } => Some(credential),
            Self::Nothing | Self::Unproven(_) | Self::Expired(_) => None,
        }
    }
}

/// The conditional headers of an HTTP request (RFC 9110 §13, §14).
#[derive(Debug, Default, Clone)]
pub struct Conditions<'a> {
    /// `If-None-Match`, as it stands.
    pub if_none_match: Option<&'a str>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<SystemTime>,
    /// `Range`, as it stands.
    pub range: Option<&'a str>,
    /// `If-Range`, as it stands.
    pub if_range: Option<&'a str>,
}
