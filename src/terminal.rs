//! Text from outside on its way to a terminal: values of a profile, names of files, what a server answers.
//!
//! A control character would move the cursor, forge a line or change colours, and a mark of writing direction would turn a
//! line's words around (Unicode Technical Report 36, section 2.2). Here each is written as an escape, and everything else as
//! it is. What a program reads from a pipe (profiles, decrypted files) does not come by here.

use std::fmt::{self, Display, Write};

/// A text on one line: line breaks are escapes too.
pub struct OneLine<T>(pub T);

/// A text of several lines, whose breaks are kept: only what this program has put together itself.
pub struct Lines<T>(pub T);

/// JSON, whose strings have the escapes of JSON.
pub struct Json<T>(pub T);

/// How what a terminal must not get is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    OneLine,
    Lines,
    Json,
}

/// Writes through to another, escaped.
struct Guard<'a, W> {
    to: &'a mut W,
    form: Form,
}

impl<W: Write> Write for Guard<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut plain = 0;
        for (at, character) in text.char_indices().filter(|(_, character)| self.form.escapes(*character)) {
            self.to.write_str(&text[plain..at])?;
            plain = at + character.len_utf8();
            match (self.form, character) {
                // All that is escaped lies below U+10000, where JSON has one escape for a character (RFC 8259, section 7).
                (Form::Json, _) => write!(self.to, "\\u{:04x}", u32::from(character)),
                (_, '\n') => self.to.write_str("\\n"),
                (_, '\r') => self.to.write_str("\\r"),
                (_, '\t') => self.to.write_str("\\t"),
                (_, other) => write!(self.to, "{}", other.escape_unicode()),
            }?;
        }
        self.to.write_str(&text[plain..])
    }
}

impl Form {
    fn escapes(self, character: char) -> bool {
        match character {
            '\n' => self == Self::OneLine,
            // Separators of lines and paragraphs, and marks of direction.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
            other => other.is_control(),
        }
    }
}

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Guard { to: f, form: Form::OneLine }, "{}", self.0)
    }
}

impl<T: Display> Display for Lines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Guard { to: f, form: Form::Lines }, "{}", self.0)
    }
}

impl<T: Display> Display for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Guard { to: f, form: Form::Json }, "{:#}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_text_from_outside_cannot_forge_a_line_or_move_the_cursor() {
        let text = "é\u{1b}[2J\nend\tclass A\r\u{9b}2K\u{7f}\u{202e}gpj\u{2028}";
        let shown = r"é\u{1b}[2J\nend\tclass A\r\u{9b}2K\u{7f}\u{202e}gpj\u{2028}";
        assert_eq!(OneLine(text).to_string(), shown);
        assert_eq!(Lines("a\nb\u{1b}c").to_string(), "a\nb\\u{1b}c");
    }

    proptest! {
        #[test]
        fn json_reads_the_same_and_has_nothing_of_it(text in "\\PC{0,8}[\u{7f}-\u{9f}\n\u{1b}\"\\\\\u{202e}]{0,4}\\PC{0,8}") {
            let printed = Json(json!({ "value": text })).to_string();
            prop_assert!(!printed.contains(|c: char| c.is_control() && c != '\n'), "{}", printed);
            let read: Value = serde_json::from_str(&printed).expect("JSON");
            prop_assert_eq!(read["value"].as_str(), Some(text.as_str()));
        }

        #[test]
        fn what_is_harmless_stays_as_it_is(text in "[ -~éЖ漢•…]{0,40}") {
            prop_assert_eq!(OneLine(&text).to_string(), text);
        }
    }
}
