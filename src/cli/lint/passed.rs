//! Files of a folder that are not looked at, and why: nobody shall believe that a broken profile was found to be right.

use std::fmt;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use crate::profile::lint::{Other, is_profile, other_than_profile};

/// The beginning of a file that `openssl enc` wrote with a password.
const SALTED: &[u8] = b"Salted__";

/// Bytes that are unpacked of a file, to see what it is.
const PEEK: u64 = 64 * 1024;

/// Why a file is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passed {
    /// XML of another root.
    Root(String),
    /// Text before the first tag.
    Late,
    /// A profile, compressed.
    Gzip,
    /// Encrypted, with whatever in it.
    Encrypted,
    /// What nobody takes for a profile.
    Other,
}

impl Passed {
    /// Of a file that is not meant to be a profile; none for one that is.
    pub(super) fn of(file: &[u8]) -> Option<Self> {
        Some(match other_than_profile(file)? {
            _ if file.starts_with(SALTED) => Self::Encrypted,
            _ if is_packed(file) => Self::Gzip,
            Other::Root(root) => Self::Root(root),
            Other::Late => Self::Late,
            Other::Document | Other::File => Self::Other,
        })
    }

    /// Whether somebody may have meant the file to be looked at.
    pub(super) fn is_doubtful(&self) -> bool {
        *self != Self::Other
    }
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(root) => write!(
                f,
                "its root <{root}> is no profile's, and no parameter that phones know is in it; to have it looked at, name \
                 the file"
            ),
            Self::Late => f.write_str("text stands before its first tag, so that phones read no profile in it"),
            Self::Gzip => f.write_str("a profile compressed by gzip: give `phoneprov lint -` what gunzip makes of it"),
            Self::Encrypted => f.write_str("encrypted: give `phoneprov lint -` what `phoneprov decrypt` makes of it"),
            Self::Other => f.write_str("no XML, or a document of another kind"),
        }
    }
}

/// Whether this is gzip with a profile in it. Firmware and pictures may be gzip too.
fn is_packed(file: &[u8]) -> bool {
    let mut head = Vec::new();
    let unpacked = MultiGzDecoder::new(file).take(PEEK).read_to_end(&mut head);
    // A file that is cut off gives what came before.
    file.starts_with(&[0x1f, 0x8b]) && (unpacked.is_ok() || !head.is_empty()) && is_profile(&head)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(text).expect("memory");
        packer.finish().expect("memory")
    }

    #[test]
    fn a_profile_in_wrapping_is_told_of_and_firmware_is_not() {
        assert_eq!(Passed::of(&packed(b"<flat-profile/>")), Some(Passed::Gzip));
        assert_eq!(Passed::of(&packed(b"\x7fELF firmware")), Some(Passed::Other));
        assert_eq!(Passed::of(b"Salted__12345678"), Some(Passed::Encrypted));
        assert_eq!(Passed::of(b"\x89PNG\r\n\x1a\n"), Some(Passed::Other));
        assert_eq!(Passed::of(b"a <flat-profile>"), Some(Passed::Late));
        assert_eq!(Passed::of(b"<book/>"), Some(Passed::Root("book".to_owned())));
        assert_eq!(Passed::of(b"<flat-profile/>"), None);
    }
}
