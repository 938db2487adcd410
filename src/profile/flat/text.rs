//! Bytes to characters, and characters to values: what XML 1.0 and the phones' own rules say of text.
//!
//! Leading and trailing white space of a value is trimmed, and a line break inside becomes a space (Cisco MPP
//! administration guide, Provisioning Formats). White space that is written as a reference is kept as it is: the guide
//! does not say, and XML treats references so in attributes.

use std::fmt::Write as _;
use std::ops::Range;

use super::error::Wrong;

/// The largest file that is looked at. Phones reboot over much smaller ones.
pub const MAX_BYTES: usize = 4 << 20;

/// What is wrong, and at which byte.
pub(super) type At = (usize, Wrong);

/// White space of XML.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The text of a file without its byte order mark, and whether it had one.
pub(super) fn decode_file(bytes: &[u8]) -> Result<(&str, bool), (&str, At)> {
    if bytes.len() > MAX_BYTES {
        return Err(("", (0, Wrong::TooLarge { limit: MAX_BYTES })));
    }
    for (mark, wrong) in [(&b"Salted__"[..], Wrong::Encrypted), (&[0x1f, 0x8b], Wrong::Gzip)] {
        if bytes.starts_with(mark) {
            return Err(("", (0, wrong)));
        }
    }
    let rest = bytes.strip_prefix("\u{feff}".as_bytes());
    let bytes_of_text = rest.unwrap_or(bytes);
    // A second one is a character like any other, and none that may stand before the root; the tokenizer would swallow it.
    if rest.is_some_and(|rest| rest.starts_with("\u{feff}".as_bytes())) {
        return Err(("", (0, Wrong::Character { character: '\u{feff}' })));
    }
    let wide = [&[0xfe, 0xff][..], &[0xff, 0xfe], &[0, b'<'], &[b'<', 0], &[0, 0, 0, b'<']];
    if wide.iter().any(|mark| bytes_of_text.starts_with(mark)) {
        return Err(("", (0, Wrong::Utf16)));
    }
    match str::from_utf8(bytes_of_text) {
        Ok(text) => Ok((text, rest.is_some())),
        Err(error) => {
            let (valid, invalid) = bytes_of_text.split_at(error.valid_up_to());
            let byte = invalid.first().copied().unwrap_or_default();
            Err((str::from_utf8(valid).unwrap_or_default(), (valid.len(), Wrong::NotUtf8 { byte })))
        }
    }
}

/// The first character that XML 1.0 does not have.
pub(super) fn refuse_control(text: &str) -> Result<(), At> {
    match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        Some((at, character)) => Err((at, Wrong::Character { character })),
        None => Ok(()),
    }
}

/// Whether a character may stand in XML 1.0 (production 2, Char).
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether this is a name of XML 1.0 without colons (productions 4 and 5); a colon is let pass inside.
pub(super) fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(begins_name) && characters.all(continues_name)
}

fn begins_name(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn continues_name(c: char) -> bool {
    begins_name(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// The range without the white space at its beginning.
pub(super) fn trim_start(text: &str, range: Range<usize>) -> Range<usize> {
    let trimmed = text[range.clone()].trim_start_matches(SPACE);
    range.end - trimmed.len()..range.end
}

/// The range without the white space at its end.
pub(super) fn trim_end(text: &str, range: Range<usize>) -> Range<usize> {
    let trimmed = text[range.clone()].trim_end_matches(SPACE);
    range.start..range.start + trimmed.len()
}

/// Appends what text with references means; a line break becomes a space.
pub(super) fn decode(raw: &str, value: &mut String) -> Result<(), At> {
    if let Some(at) = raw.find("]]>") {
        return Err((at, Wrong::SectionEnd));
    }
    let mut rest = raw;
    while let Some(ampersand) = rest.find('&') {
        unfold(&rest[..ampersand], value);
        let at = raw.len() - rest.len() + ampersand;
        let (character, length) = reference(&rest[ampersand..]).map_err(|wrong| (at, wrong))?;
        value.push(character);
        rest = &rest[ampersand + length..];
    }
    unfold(rest, value);
    Ok(())
}

/// Appends text that has no references; a line break, of one character or two, becomes a space.
pub(super) fn unfold(raw: &str, value: &mut String) {
    let mut characters = raw.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' => {
                characters.next_if_eq(&'\n');
                value.push(' ');
            }
            '\n' => value.push(' '),
            other => value.push(other),
        }
    }
}

/// The character that a reference at the beginning stands for, and the reference's length.
fn reference(text: &str) -> Result<(char, usize), Wrong> {
    // The longest is `&#x0010FFFF;`, give or take zeros.
    let window = text.as_bytes().iter().take(16).position(|byte| *byte == b';').ok_or(Wrong::Reference)?;
    let name = &text[1..window];
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "apos" => '\'',
        "quot" => '"',
        _ => numeric(name.strip_prefix('#').ok_or(Wrong::Reference)?)?,
    };
    Ok((character, window + 1))
}

fn numeric(digits: &str) -> Result<char, Wrong> {
    let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Wrong::Reference);
    }
    let number = u32::from_str_radix(digits, radix).map_err(|_| Wrong::ReferenceCharacter)?;
    char::from_u32(number).filter(|c| is_allowed(*c)).ok_or(Wrong::ReferenceCharacter)
}

/// Appends a value as it is written in an element: ASCII only, and what reading would trim or change as references.
pub(super) fn encode(value: &str, out: &mut String) {
    let begin = value.len() - value.trim_start_matches(SPACE).len();
    let end = value.trim_end_matches(SPACE).len();
    for (at, c) in value.char_indices() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            ' ' | '\t' if (begin..end).contains(&at) => out.push(c),
            '!'..='~' => out.push(c),
            other => encode_number(other, out),
        }
    }
}

/// Appends an attribute's value, without the quotes around it.
pub(super) fn encode_attribute(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            ' '..='~' => out.push(c),
            other => encode_number(other, out),
        }
    }
}

fn encode_number(c: char, out: &mut String) {
    write!(out, "&#{};", u32::from(c)).expect("a string takes text");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(raw: &str) -> Result<String, At> {
        let mut value = String::new();
        decode(raw, &mut value).map(|()| value)
    }

    #[test]
    fn references_and_line_breaks_are_read_as_phones_do() {
        assert_eq!(decoded("a&amp;b&lt;&gt;&apos;&quot;"), Ok("a&b<>'\"".to_owned()));
        assert_eq!(decoded("&#233;&#xe9;&#xE9;"), Ok("ééé".to_owned()));
        assert_eq!(decoded("a\r\nb\nc\rd\te"), Ok("a b c d\te".to_owned()));
        assert_eq!(decoded("a&#10;b"), Ok("a\nb".to_owned()));
    }

    #[test]
    fn what_begins_like_a_reference_and_is_none_is_refused_where_it_stands() {
        for raw in ["ab&", "ab& c;", "ab&nbsp;", "ab&#;", "ab&#x;", "ab&#+1;", "ab&#X41;", "ab&aaaaaaaaaaaaaaaaaaaa;"] {
            assert_eq!(decoded(raw), Err((2, Wrong::Reference)), "{raw}");
        }
        for raw in ["&#0;", "&#xD800;", "&#x110000;", "&#99999999999;", "&#xFFFE;"] {
            assert_eq!(decoded(raw), Err((0, Wrong::ReferenceCharacter)), "{raw}");
        }
        assert_eq!(decoded("a]]>"), Err((1, Wrong::SectionEnd)));
    }

    #[test]
    fn utf_16_and_latin_1_are_told_apart() {
        let utf16: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode_file(&utf16), Err(("", (0, Wrong::Utf16))));
        assert_eq!(decode_file(&[&[0xff, 0xfe], &utf16[..]].concat()), Err(("", (0, Wrong::Utf16))));
        assert_eq!(decode_file(b"Salted__\xe9"), Err(("", (0, Wrong::Encrypted))));
        assert_eq!(decode_file(b"\x1f\x8b\x08"), Err(("", (0, Wrong::Gzip))));
        assert_eq!(decode_file(b"ab\xe9"), Err(("ab", (2, Wrong::NotUtf8 { byte: 0xe9 }))));
        assert_eq!(decode_file("\u{feff}é".as_bytes()), Ok(("é", true)));
        let twice = Err(("", (0, Wrong::Character { character: '\u{feff}' })));
        assert_eq!(decode_file("\u{feff}\u{feff}&".as_bytes()), twice);
    }

    proptest! {
        #[test]
        fn a_value_that_is_written_reads_the_same(value in any::<String>()) {
            prop_assume!(value.chars().all(is_allowed));
            let mut raw = String::new();
            encode(&value, &mut raw);
            prop_assert!(raw.is_ascii());
            prop_assert_eq!(raw.trim_matches(SPACE), &raw);
            prop_assert_eq!(decoded(&raw), Ok(value));
        }

        #[test]
        fn an_attribute_that_is_written_reads_the_same(value in any::<String>()) {
            prop_assume!(value.chars().all(is_allowed));
            let mut raw = String::new();
            encode_attribute(&value, &mut raw);
            prop_assert!(raw.is_ascii() && !raw.contains(['"', '<']));
            prop_assert_eq!(decoded(&raw), Ok(value));
        }
    }
}
