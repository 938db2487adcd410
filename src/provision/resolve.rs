//! Step 3: how the granted file goes out: whole or streamed, and in which coding.

use std::io;

use super::{Coding, Grant, Refusal, Request};
use crate::config::{Linting, Protocol};
use crate::profile::root::Stamp;
use crate::profile::tree::FileKind;

/// Literal files above this size are streamed (bytes).
const HELD: u64 = 1024 * 1024;

/// The same over TFTP, which sends no tag that would need all of the bytes, and reads a file block by block anyway.
const HELD_FOR_TFTP: u64 = 8 * 1024;

/// The largest file that is compressed or encrypted, which needs it whole (bytes).
const TRANSFORMED: u64 = 16 * 1024 * 1024;

/// Answers below this size do not gain by transport coding (bytes).
const WORTH_CODING: u64 = 512;

/// A granted file and what becomes of it.
#[derive(Debug)]
pub struct Profile {
    grant: Grant,
    delivery: Delivery,
    coding: Coding,
}

/// How a profile's bytes reach the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Made, kept, and sent from memory.
    Whole,
    /// Sent from the file as it is read.
    Streamed,
}

/// Decides for the granted file.
pub(super) fn resolve(request: &Request<'_>, grant: Grant) -> Result<Profile, Refusal> {
    let (found, treatment) = (grant.found(), grant.treatment());
    let size = found.stamp.size();
    let gzip_file = treatment.gzip || found.gz;
    let plain = !gzip_file && treatment.encryption.is_none();
    let literal = found.kind == FileKind::Literal;
    // What is looked at is needed whole.
    let by_blocks = request.transport == Protocol::Tftp && treatment.lint == Linting::Off;
    let held = if by_blocks { HELD_FOR_TFTP } else { HELD };
    if found.gz && !treatment.gzip && size > HELD {
        // Compressed on anybody's wish, a large file would cost more than any other request: a rule may allow it.
        return Err(Refusal::TooLargeToCompress(found.file.to_string()));
    }
    let delivery = if literal && plain && size > held { Delivery::Streamed } else { Delivery::Whole };
    if delivery == Delivery::Whole && size > TRANSFORMED {
        let error = io::Error::other(format!("larger than {TRANSFORMED} bytes, the most that is held in memory"));
        return Err(Refusal::File { file: found.file.to_string(), error });
    }
    let transport_coding = delivery == Delivery::Whole
        && plain
        && request.accepts_gzip
        && request.conditions.range.is_none()
        && request.transport != Protocol::Tftp
        && (!literal || size >= WORTH_CODING)
        && media_type(&found.file).is_coded();
    let coding = match (gzip_file, transport_coding) {
        (true, _) => Coding::GzipFile,
        (false, true) => Coding::GzipTransport,
        (false, false) => Coding::Identity,
    };
    Ok(Profile { grant, delivery, coding })
}

impl Profile {
    /// The leave to read it.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// How it goes out.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Whether and how it is compressed.
    #[must_use]
    pub fn coding(&self) -> Coding {
        self.coding
    }

    /// Whether making it may take longer than a task should hold a thread.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        let found = self.grant.found();
        let treatment = self.grant.treatment();
        let plain = self.coding == Coding::Identity && treatment.encryption.is_none();
        let as_it_is = plain && found.kind == FileKind::Literal && treatment.lint == Linting::Off;
        found.stamp.size() > HELD / 8 && !as_it_is
    }

    /// The file's stamp, as the look-up saw it.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.grant.found().stamp
    }
}

/// The media type of a file, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaType {
    /// A profile, or other XML.
    Xml,
    /// Plain text.
    Text,
    /// A certificate.
    Pem,
    /// Anything else.
    Binary,
}

/// What the file's name says of its content. The phones' profiles end in `.cfg` and `.xml`.
#[must_use]
pub(super) fn media_type(file: &str) -> MediaType {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is = |known: &[&str]| known.iter().any(|known| ending.eq_ignore_ascii_case(known));
    if is(&["cfg", "xml"]) {
        MediaType::Xml
    } else if is(&["txt"]) {
        MediaType::Text
    } else if is(&["pem", "crt"]) {
        MediaType::Pem
    } else {
        MediaType::Binary
    }
}

impl MediaType {
    /// As `Content-Type` has it.
    #[must_use]
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Xml => "text/xml; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Pem => "application/x-pem-file",
            Self::Binary => "application/octet-stream",
        }
    }

    /// Whether a transport coding is for it. That phones undo one where they fetch an authority (`Custom_CA_Rule`) is not
    /// documented, and a certificate hardly gets smaller.
    fn is_coded(self) -> bool {
        match self {
            Self::Xml | Self::Text => true,
            Self::Pem | Self::Binary => false,
        }
    }
}
