//! What became of a request, for the log and the metrics.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Grant, Named, Refusal, Response, Status, UploadFault};
use crate::config::Accept;
use crate::device::DeviceIdentity;

/// Who asked for what, as far as the line came.
#[derive(Debug, Default)]
pub struct Trail {
    /// The device that the path names.
    pub claimed: Named,
    /// The device that the certificate names.
    pub proven: Option<Arc<DeviceIdentity>>,
    /// When the certificate ended, where a rule forgives that.
    pub expired: Option<Timestamp>,
    /// The account whose password was right.
    pub account: Option<Arc<str>>,
    /// The file that the path means.
    pub file: Option<Arc<str>>,
    /// The rule that the path has.
    pub rule: Option<Arc<str>>,
    /// What is taken in, once the client may send it.
    pub upload: Option<Accept>,
    /// How much of that came (bytes).
    pub received: u64,
}

impl Trail {
    /// What the grant says: the file may be another than the path's, and the proof one that has expired.
    pub(super) fn granted(&mut self, grant: &Grant) {
        let file = &grant.found().file;
        if !self.file.as_ref().is_some_and(|known| Arc::ptr_eq(known, file)) {
            self.file = Some(file.clone());
        }
        if let Some(certified) = grant.expired() {
            self.proven = Some(certified.identity.clone());
            self.expired = Some(certified.credential.expires);
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The profile, or the part of it that was asked for.
    Served,
    /// The client has it already.
    Unchanged,
    /// What it sent is kept.
    Kept,
    /// There is no such file.
    Unknown,
    /// There is, but not for this request.
    Refused,
    /// There is, and the server could not give it.
    Failed,
    /// The client went away, or was too slow.
    Broken,
}

impl Outcome {
    /// Every outcome, for the metrics.
    pub const ALL: [Self; 7] =
        [Self::Served, Self::Unchanged, Self::Kept, Self::Unknown, Self::Refused, Self::Failed, Self::Broken];

    /// What a result comes down to.
    #[must_use]
    pub fn of(result: &Result<Response, Refusal>) -> Self {
        match result {
            Ok(response) => match response.status {
                Status::Ok | Status::Partial(_) | Status::BadRange(_) => Self::Served,
                Status::NotModified => Self::Unchanged,
            },
            Err(refusal) => Self::of_refusal(refusal),
        }
    }

    /// What a refusal comes down to.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NoSuchFile | Refusal::TakesOnly(_) | Refusal::Path(_) => Self::Unknown,
            Refusal::Upload(UploadFault::Broken | UploadFault::Slow(_)) => Self::Broken,
            refusal if refusal.is_fault() => Self::Failed,
            _ => Self::Refused,
        }
    }

    /// As logs and metrics have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Unchanged => "unchanged",
            Self::Kept => "kept",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Broken => "broken",
        }
    }
}
