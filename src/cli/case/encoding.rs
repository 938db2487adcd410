//! How a part of a message is written (Content-Transfer-Encoding; RFC 2045, section 6). It is decoded to all of it, or not at all.

use std::borrow::Cow;

use data_encoding::{BASE64, BASE64_MIME_PERMISSIVE};

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Its bytes are the file's: 7bit, 8bit, binary, or something that nobody here undoes.
    Plain,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
}

impl Encoding {
    /// As the header says it, which may have comments.
    pub(super) fn of(header: &str) -> Self {
        let text = without_comments(header);
        let token =
            text.split(|c: char| c.is_whitespace() || c == ';').find(|word| !word.is_empty()).unwrap_or_default();
        match token {
            token if token.eq_ignore_ascii_case("base64") => Self::Base64,
            token if token.eq_ignore_ascii_case("quoted-printable") => Self::QuotedPrintable,
            _ => Self::Plain,
        }
    }

    /// What the text stands for; `None`: it is not written like this, or not whole.
    pub(super) fn decode(self, text: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Plain => Some(Cow::Borrowed(text)),
            Self::Base64 => base64(text).map(Cow::Owned),
            Self::QuotedPrintable => quoted_printable(text).map(Cow::Owned),
        }
    }
}

/// What stands in no parentheses (RFC 5322, section 3.2.2).
fn without_comments(header: &str) -> String {
    let (mut depth, mut is_quoted) = (0_usize, false);
    let is_kept = |c: char| {
        let is_outside = depth == 0;
        match c {
            _ if std::mem::take(&mut is_quoted) => {}
            '\\' => is_quoted = true,
            '(' => {
                depth += 1;
                return None;
            }
            // A word ends where a comment does.
            ')' if depth > 0 => {
                depth -= 1;
                return Some(' ');
            }
            _ => {}
        }
        is_outside.then_some(c)
    };
    header.chars().filter_map(is_kept).collect()
}

/// Padding may be left out. What is cut then is told by its last bits, which nobody sets.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let here = text.len();
    if here.is_multiple_of(4) {
        return BASE64_MIME_PERMISSIVE.decode(&text).ok();
    }
    text.resize(here.next_multiple_of(4), b'=');
    BASE64.decode(&text).ok()
}

/// A line that goes on may be the last one: some clients end a file without a line's end so.
fn quoted_printable(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        // Blanks at the end of a line are none of its own.
        let written = line.trim_ascii_end();
        let end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
        let (written, end) = match written.strip_suffix(b"=") {
            Some(written) => (written, &[][..]),
            None => (written, line.get(end..)?),
        };
        let mut rest = written;
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            if *byte != b'=' {
                decoded.push(*byte);
                continue;
            }
            let (digits, behind) = rest.split_at_checked(2)?;
            decoded.extend(data_encoding::HEXUPPER_PERMISSIVE.decode(digits).ok()?);
            rest = behind;
        }
        decoded.extend_from_slice(end);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_known_with_comments_and_in_any_case() {
        for text in ["base64", " Base64 ", "base64 (c)", "(a (b) \\) c)base64", "base64(c)", "base64; x"] {
            assert_eq!(Encoding::of(text), Encoding::Base64, "{text}");
        }
        assert_eq!(Encoding::of("Quoted-Printable (c)"), Encoding::QuotedPrintable);
        for text in ["", "8bit", "(base64)", "(base64", "base65", "x-uuencode"] {
            assert_eq!(Encoding::of(text), Encoding::Plain, "{text}");
        }
    }

    #[test]
    fn base64_is_whole_or_nothing() {
        let decoded = |text: &str| Encoding::Base64.decode(text.as_bytes()).map(Cow::into_owned);
        let good = [
            ("", ""),
            ("YWJj", "abc"),
            ("YW Jj\r\nZA==\r\n", "abcd"),
            ("YWJjZA", "abcd"),
            ("YWJjZA=", "abcd"),
            ("YQ==\r\nYmNk", "abcd"),
        ];
        for (text, bytes) in good {
            assert_eq!(decoded(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        // The second and third are `YWJjZGVm`, cut.
        for text in
            ["YWJjZ", "YWJjZG", "YWJjZGV", "YWJj=", "YWJj====", "YW=Jj", "YWJj!", "YWJj\r\n--\r\nZGVm", "=", "===="]
        {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn quoted_printable_is_whole_or_nothing() {
        let decoded = |text: &[u8]| Encoding::QuotedPrintable.decode(text).map(Cow::into_owned);
        let good: [(&[u8], &[u8]); 8] = [
            (b"", b""),
            (b"abc=", b"abc"),
            (b"abc= \t\r\n", b"abc"),
            (b"a=\r\nb=\nc", b"abc"),
            (b"a \t\r\nb\n\r\n c =20", b"a\r\nb\n\r\n c  "),
            (b"=3d=3D=00=fF", b"==\x00\xff"),
            (b"gr\xc3\xbc\xdf", b"gr\xc3\xbc\xdf"),
            (b"a\rb", b"a\rb"),
        ];
        for (text, bytes) in good {
            assert_eq!(decoded(text).as_deref(), Some(bytes), "{}", String::from_utf8_lossy(text));
        }
        for text in [&b"abc=ZZdef"[..], b"a=4", b"a==", b"a=4\r\n1", b"a= b"] {
            assert_eq!(decoded(text), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
