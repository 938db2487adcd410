//! A request that has ended.

use std::net::IpAddr;

use jiff::Timestamp;

use super::Kind;
use crate::config::Accept;
use crate::device::DeviceName;
use crate::provision::{ContentHash, Named, Outcome, Trail};

/// A request, as it is told: whatever has to be made from it is made later.
#[derive(Debug)]
pub struct Requested {
    /// When it came in.
    pub at: Timestamp,
    /// From where.
    pub peer: IpAddr,
    /// For what.
    pub path: String,
    /// Who asked, as far as it is known.
    pub trail: Trail,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where it was not served.
    pub reason: Option<String>,
    /// The version of the profile that was given whole, or that the phone has already.
    pub version: Option<ContentHash>,
    /// `User-Agent`.
    pub agent: Option<Box<str>>,
}

impl Requested {
    /// The device that has proven who it is.
    #[must_use]
    pub fn proven(&self) -> Option<DeviceName> {
        let proven = self.trail.proven.as_deref();
        let by_certificate = proven.and_then(|identity| {
            identity.mac().map(DeviceName::Mac).or_else(|| identity.serial().cloned().map(DeviceName::Serial))
        });
        by_certificate.or_else(|| self.trail.account.as_deref()?.parse().ok())
    }

    /// What it is told as: a request, or what came with it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.trail.upload {
            None => Kind::Request,
            Some(Accept::Report(_)) => Kind::Report,
            Some(Accept::Problem) => Kind::Prt,
        }
    }

    /// What there is to say of it: why it was not served, or what came.
    #[must_use]
    pub fn text(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or_default();
        match self.trail.upload {
            None => reason.to_owned(),
            Some(accept) => {
                format!("{}, {} bytes  {reason}", accept.as_str(), self.trail.received).trim_end().to_owned()
            }
        }
    }

    /// The device that its path names, which anybody may ask for.
    #[must_use]
    pub fn claimed(&self) -> Option<DeviceName> {
        match &self.trail.claimed {
            Named::Device { mac: Some(mac), .. } => Some(DeviceName::Mac(*mac)),
            Named::Device { serial: Some(serial), .. } => Some(DeviceName::Serial(serial.clone())),
            Named::Device { .. } | Named::Nobody | Named::OneOf(_) | Named::Several => None,
        }
    }
}
