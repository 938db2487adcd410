//! Values on their way into XML: markup characters as entities, everything outside ASCII as a numeric reference, because
//! Cisco's guides contradict each other on whether the firmware reads UTF-8 (domain, values and attributes).

use std::fmt::{self, Write};

/// The text as a value in XML.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // A string takes everything.
    let _ = write_escaped(&mut escaped, text);
    escaped
}

/// Writes the text as a value in XML.
pub(super) fn write_escaped(out: &mut impl Write, text: &str) -> fmt::Result {
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let entity = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&apos;",
            _ if character.is_ascii() => continue,
            _ => "",
        };
        out.write_str(&text[plain..at])?;
        out.write_str(entity)?;
        if entity.is_empty() {
            write!(out, "&#{};", u32::from(character))?;
        }
        plain = at + character.len_utf8();
    }
    out.write_str(&text[plain..])
}
