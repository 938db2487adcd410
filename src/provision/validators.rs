//! What tells a client whether it has a profile already (RFC 9110 §8.8), written once for all its requests.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::header::HeaderValue;

/// `ETag` and `Last-Modified` of a profile's bytes.
#[derive(Debug, Clone)]
pub struct Validators {
    tag: HeaderValue,
    last_modified: HeaderValue,
    /// What a client's date is compared with; `None`: its date proves nothing.
    modified: Option<SystemTime>,
}

impl Validators {
    /// A strong tag, without its quotes: letters, digits, `-` and `.`; and when the content was last written, of which
    /// headers have whole seconds.
    pub(super) fn new(tag: &str, modified: SystemTime) -> Self {
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
        Self {
            tag: header(format!("\"{tag}\"")),
            last_modified: header(httpdate::fmt_http_date(modified)),
            modified: Some(modified),
        }
    }

    /// The same, with a copy of the bytes that they are of. All lie in one piece of memory, so that an answer from the
    /// cache touches one place.
    pub(super) fn beside(tag: &str, modified: SystemTime, bytes: &[u8]) -> (Bytes, Self) {
        let apart = Self::new(tag, modified);
        let (tag, date) = (apart.tag.as_bytes(), apart.last_modified.as_bytes());
        let whole = Bytes::from([tag, date, bytes].concat());
        let (date_at, bytes_at) = (tag.len(), tag.len() + date.len());
        let slice = |range| HeaderValue::from_maybe_shared(whole.slice(range));
        match (slice(0..date_at), slice(date_at..bytes_at)) {
            (Ok(tag), Ok(last_modified)) => {
                (whole.slice(bytes_at..), Self { tag, last_modified, modified: apart.modified })
            }
            (Err(_), _) | (_, Err(_)) => (whole.slice(bytes_at..), apart),
        }
    }

    /// The same of bytes that may be others while their date is the same.
    pub(super) fn by_tag_alone(self) -> Self {
        Self { modified: None, ..self }
    }

    /// `ETag` and `Last-Modified`.
    #[must_use]
    pub fn into_headers(self) -> (HeaderValue, HeaderValue) {
        (self.tag, self.last_modified)
    }

    /// Whether an `If-None-Match` names these bytes; weak tags count (§13.1.2).
    pub(super) fn is_among(&self, tags: &str) -> bool {
        tags.split(',')
            .map(str::trim)
            .any(|other| other == "*" || self.is_tag(other.strip_prefix("W/").unwrap_or(other)))
    }

    /// Whether this is the date that we told (§13.1.3). A later one proves nothing: a restored file is older than the one
    /// that it replaces.
    pub(super) fn is_unchanged_since(&self, date: SystemTime) -> bool {
        self.modified == Some(date)
    }

    /// Whether an `If-Range` names these bytes. Weak tags do not count (§13.1.5), and a date is one: a second has room for two
    /// edits (§8.8.2.2), and half of each is no profile.
    pub(super) fn is_range_of(&self, validator: &str) -> bool {
        self.is_tag(validator)
    }

    fn is_tag(&self, other: &str) -> bool {
        self.tag.as_bytes() == other.as_bytes()
    }
}

/// Both texts are ASCII, so this does not fail; an empty header would, if it did.
fn header(text: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validators() -> Validators {
        Validators::new("ab", SystemTime::UNIX_EPOCH + Duration::from_millis(1500))
    }

    #[test]
    fn tags_compare_weakly_where_nothing_is_changed() {
        for tags in ["\"ab\"", "W/\"ab\"", "\"x\", \"ab\"", "*"] {
            assert!(validators().is_among(tags), "{tags}");
        }
        assert!(!validators().is_among("\"b\"") && !validators().is_among(""));
    }

    #[test]
    fn a_range_needs_the_very_same_bytes() {
        assert!(validators().is_range_of("\"ab\"") && !validators().is_range_of("\"b\""));
        assert!(!validators().is_range_of("W/\"ab\"") && !validators().is_range_of("Thu, 01 Jan 1970 00:00:01 GMT"));
    }

    #[test]
    fn a_date_that_proves_nothing_is_no_validator() {
        let (validators, date) = (validators().by_tag_alone(), SystemTime::UNIX_EPOCH + Duration::from_secs(1));
        assert!(!validators.is_unchanged_since(date));
        assert!(validators.is_range_of("\"ab\"") && validators.is_among("\"ab\""));
        assert_eq!(validators.into_headers().1, "Thu, 01 Jan 1970 00:00:01 GMT", "it is told all the same");
    }

    #[test]
    fn fractions_of_a_second_do_not_count() {
        assert!(validators().is_unchanged_since(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
        assert!(!validators().is_unchanged_since(SystemTime::UNIX_EPOCH));
        assert!(
            !validators().is_unchanged_since(SystemTime::UNIX_EPOCH + Duration::from_secs(2)),
            "another file's date"
        );
    }
}
