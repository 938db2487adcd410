//! `Content-Range` of a request (RFC 9110 §14.5): which bytes of the whole come, or what is asked of it.

/// What a client says of the bytes that it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentRange {
    /// `bytes FIRST-LAST/TOTAL`: these come.
    Bytes {
        /// The first of them.
        first: u64,
        /// How many.
        length: u64,
        /// How long the whole is.
        total: u64,
    },
    /// `bytes */TOTAL`: none come; how much is there?
    Asks {
        /// How long the whole is.
        total: u64,
    },
}

/// The header is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Content-Range is not understood: expected `bytes FIRST-LAST/TOTAL`, or `bytes */TOTAL` to ask what is there")]
pub(super) struct RangeError;

impl ContentRange {
    /// Reads the header's value.
    pub(super) fn parse(value: &[u8]) -> Result<Self, RangeError> {
        Self::read(value).ok_or(RangeError)
    }

    fn read(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim();
        let (unit, rest) = text.split_at_checked(5)?;
        let (range, total) = rest.strip_prefix([' ', '='])?.split_once('/')?;
        let total = number(total)?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        if range.trim() == "*" {
            return Some(Self::Asks { total });
        }
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        (first <= last && last < total).then(|| Self::Bytes { first, length: last - first + 1, total })
    }
}

/// Digits alone; no disk has more than 63 bits of bytes.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let fits = (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_questions_are_read() {
        let bytes = |first, length, total| Ok(ContentRange::Bytes { first, length, total });
        assert_eq!(ContentRange::parse(b"bytes 0-9/100"), bytes(0, 10, 100));
        assert_eq!(ContentRange::parse(b"Bytes 99-99/100"), bytes(99, 1, 100));
        assert_eq!(ContentRange::parse(b"bytes */100"), Ok(ContentRange::Asks { total: 100 }));
        for text in [
            "",
            "bytes",
            "bytes ",
            "bytes 0-9",
            "bytes 0-9/*",
            "bytes 9-0/100",
            "bytes 0-100/100",
            "bytes -1/100",
            "items 0-9/100",
            "bytes +0-9/100",
            "bytes 0-9/1000000000000000000000",
            "bytes */*",
            "bytes 0-9/100, bytes 10-19/100",
            "bÿtes 0-1/2",
        ] {
            assert_eq!(ContentRange::parse(text.as_bytes()), Err(RangeError), "{text}");
        }
    }
}
