//! What a request may ask for: a path that cannot leave the tree, whatever the protocol let through.

use std::fmt;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

/// The longest path that is looked up, in bytes; longer than any that phones build (a rule holds 1 024 at the most).
const LONGEST: usize = 2048;

/// The most segments of a path: more folders than any tree of profiles has.
pub const DEEPEST: usize = 16;

/// What a request target's query says of the phone's key, as in `/secure/000e08abcdef.cfg?key=0123456789abcdef`.
#[must_use]
pub fn key_of(target: &str) -> Option<&str> {
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|part| part.strip_prefix("key="))
}

/// A path below the tree's root: one to sixteen segments, each non-empty, none of them `.` or `..`, none beginning with
/// `.` or `_`, with no separator, NUL or control character in it. It is decoded already: nothing below decodes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath {
    text: Arc<str>,
    depth: usize,
}

/// Why a path is not looked up. For the log only: the phone hears "not found".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Longer than the configuration allows, or than 2 048 bytes.
    #[error("the path is longer than limits.url_size, or than {LONGEST} bytes")]
    TooLong,
    /// More than 16 segments.
    #[error("the path has more than {DEEPEST} segments")]
    TooDeep,
    /// The bytes are not text.
    #[error("the path is not UTF-8 once decoded")]
    NotText,
    /// `//`, a trailing `/`, or nothing at all.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `..` or `.`, as it stands or percent-encoded.
    #[error("the path has a dot segment")]
    DotSegment,
    /// A name that begins with `.` or `_`.
    #[error("names that begin with `.` or `_` are never served")]
    Reserved,
    /// A back-slash, NUL or control character, or an encoded `/`.
    #[error("the path has a back-slash, an encoded slash, NUL or a control character in it")]
    BadCharacter,
}

impl RequestPath {
    /// Reads the path of an HTTP request target: with or without a leading slash, percent-encoded; a query is ignored,
    /// since phones may be told to send one (`/profile?Linksys`; Cisco MPP guide, URL syntax).
    pub fn from_http(target: &str) -> Result<Self, PathError> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let path = path.split_once('#').map_or(path, |(path, _)| path);
        if path.len() > LONGEST {
            return Err(PathError::TooLong);
        }
        let path = path.strip_prefix('/').unwrap_or(path);
        if !path.contains('%') {
            return Self::from_decoded(path);
        }
        if path.to_ascii_lowercase().contains("%2f") {
            return Err(PathError::BadCharacter);
        }
        let decoded = percent_decode_str(path).decode_utf8().map_err(|_| PathError::NotText)?;
        Self::from_decoded(&decoded)
    }

    /// Reads the file name of a TFTP request: with or without a leading slash (libcurl drops one), never encoded. A query
    /// with `key=` is none of its text, as over HTTP.
    pub fn from_tftp(name: &[u8]) -> Result<Self, PathError> {
        let name = std::str::from_utf8(name).map_err(|_| PathError::NotText)?;
        let name = key_of(name).and(name.split('?').next()).unwrap_or(name);
        Self::from_decoded(name.strip_prefix('/').unwrap_or(name))
    }

    fn from_decoded(path: &str) -> Result<Self, PathError> {
        if path.len() > LONGEST {
            return Err(PathError::TooLong);
        }
        // To count them all is faster than to look for the first one.
        if path.bytes().filter(|byte| *byte == b'\\' || *byte < b' ' || *byte == 0x7f).count() > 0 {
            return Err(PathError::BadCharacter);
        }
        let mut depth = 0;
        for segment in path.as_bytes().split(|byte| *byte == b'/') {
            depth += 1;
            match segment {
                _ if depth > DEEPEST => return Err(PathError::TooDeep),
                [] => return Err(PathError::EmptySegment),
                b"." | b".." => return Err(PathError::DotSegment),
                [b'.' | b'_', ..] => return Err(PathError::Reserved),
                _ => {}
            }
        }
        Ok(Self { text: path.into(), depth })
    }

    /// The path without a leading slash, to be shared.
    #[must_use]
    pub(super) fn shared(&self) -> Arc<str> {
        self.text.clone()
    }

    /// The path without a leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments, from the root down.
    #[must_use]
    pub fn segments(&self) -> std::str::Split<'_, char> {
        self.text.split('/')
    }

    /// How many segments there are.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Whether both are the same path; case makes no difference.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }

    /// `/x.cfg` for `/x.cfg.gz`.
    #[must_use]
    pub fn without_gz(&self) -> Option<Self> {
        let cut = self.text.len().checked_sub(3)?;
        let stem = self.text.get(..cut).filter(|_| self.text[cut..].eq_ignore_ascii_case(".gz"))?;
        Self::from_decoded(stem).ok()
    }
}

impl fmt::Display for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_leave_the_tree_is_refused_in_every_disguise() {
        let cases = [
            ("/../etc/passwd", PathError::DotSegment),
            ("/a/%2e%2e/b", PathError::DotSegment),
            ("/a/%2E./b", PathError::DotSegment),
            ("/a/./b", PathError::DotSegment),
            ("/a//b", PathError::EmptySegment),
            ("/a/", PathError::EmptySegment),
            ("/", PathError::EmptySegment),
            ("", PathError::EmptySegment),
            ("/a%00.cfg", PathError::BadCharacter),
            ("/a%2fb", PathError::BadCharacter),
            ("/a%5c..%5cb", PathError::BadCharacter),
            ("/a\\b", PathError::BadCharacter),
            ("/%ff.cfg", PathError::NotText),
            ("/_base.xml", PathError::Reserved),
            ("/a/%5Fbase.xml", PathError::Reserved),
            ("/.git/config", PathError::Reserved),
        ];
        for (target, error) in cases {
            assert_eq!(RequestPath::from_http(target), Err(error), "{target}");
        }
        assert_eq!(RequestPath::from_http(&"a/".repeat(20)), Err(PathError::TooDeep));
        assert_eq!(RequestPath::from_http(&"a".repeat(3000)), Err(PathError::TooLong));
    }

    #[test]
    fn http_and_tftp_read_the_same_path() {
        let http = RequestPath::from_http("/Cisco/CP-8841-3PCC/000e08abcdef.cfg?x=1").expect("a path");
        assert_eq!(http, RequestPath::from_tftp(b"Cisco/CP-8841-3PCC/000e08abcdef.cfg").expect("a path"));
        assert_eq!(http, RequestPath::from_tftp(b"/Cisco/CP-8841-3PCC/000e08abcdef.cfg").expect("a path"));
        assert_eq!(http, RequestPath::from_http("/Cisco/CP%2d8841-3PCC/000e08abcdef.cfg").expect("a path"));
    }

    #[test]
    fn a_name_is_decoded_once() {
        assert_eq!(RequestPath::from_http("/a%252e.cfg").expect("a path").as_str(), "a%2e.cfg");
    }

    proptest! {
        #[test]
        fn every_path_stays_in_the_tree(target in "\\PC{0,60}") {
            if let Ok(path) = RequestPath::from_http(&target) {
                prop_assert!(path.segments().count() <= DEEPEST);
                for segment in path.segments() {
                    let plain = !segment.is_empty() && !segment.starts_with(['.', '_']);
                    prop_assert!(plain && !segment.contains(['\\', '\0', '/']));
                }
                let joined = std::path::Path::new("/root").join(path.as_str());
                prop_assert!(joined.starts_with("/root"));
                let plain = joined.components().all(|part| !matches!(part, std::path::Component::ParentDir));
                prop_assert!(plain);
            }
        }

        #[test]
        fn bytes_of_a_tftp_request_never_leave_the_tree(name: Vec<u8>) {
            if let Ok(path) = RequestPath::from_tftp(&name) {
                prop_assert!(path.segments().all(|segment| segment != ".." && !segment.is_empty()));
            }
        }
    }
}
