//! What a template's text may hold before it is compiled: the compiler calls itself for every operator of an expression
//! and for every `elif`, and its stack has an end.

use super::Plain;

/// Operators of one expression: more than any person writes.
const OPERATORS: usize = 1000;

/// Branches of all `if`s of a template.
const BRANCHES: usize = 1000;

/// Refuses what would be compiled too deep.
pub(super) fn look(name: &str, text: &str) -> Result<(), Plain> {
    let mut branches = 0;
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let tag = &rest[at..];
        let before = text.len() - tag.len();
        rest = match tag.as_bytes().get(1) {
            Some(b'#') => tag.split_once("#}").map_or("", |(_, rest)| rest),
            Some(kind @ (b'{' | b'%')) => {
                let tag = Tag::read(&tag[2..], *kind == b'%');
                branches += usize::from(tag.first == "elif");
                if tag.operators > OPERATORS || branches > BRANCHES {
                    let line = 1 + text[..before].matches('\n').count();
                    let what = if tag.operators > OPERATORS { "operators" } else { "branches" };
                    let most = OPERATORS.max(BRANCHES);
                    return Err(Plain(format!("`{name}`, line {line}: more than {most} {what}: make it shorter")));
                }
                match tag.first {
                    "raw" if *kind == b'%' => tag.rest.split_once("{% end").map_or(tag.rest, |(_, rest)| rest),
                    _ => tag.rest,
                }
            }
            _ => &tag[1..],
        };
    }
    Ok(())
}

/// An expression or a statement, as far as its length goes.
pub(super) struct Tag<'a> {
    /// Its first word.
    pub(super) first: &'a str,
    operators: usize,
    /// What follows, from the tag's closing brackets on.
    pub(super) rest: &'a str,
}

impl<'a> Tag<'a> {
    /// Reads up to the end of the tag, or of the text where it has none.
    pub(super) fn read(text: &'a str, is_statement: bool) -> Self {
        let word = |text: &'a str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
        let first = word(text.trim_start_matches(['-', '+']).trim_start());
        let bytes = text.as_bytes();
        let mut operators = 0;
        // Within brackets nothing ends, as the compiler reads it.
        let mut open = 0_usize;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'%' if is_statement && open == 0 && bytes.get(at + 1) == Some(&b'}') => break,
                b'}' if !is_statement && open == 0 && bytes.get(at + 1) == Some(&b'}') => break,
                b'"' | b'\'' => at += string(&bytes[at..]),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    let name = word(&text[at..]);
                    operators += usize::from(matches!(name, "not" | "and" | "or" | "if" | "else" | "is" | "in"));
                    at += name.len();
                }
                b'+' | b'-' | b'*' | b'/' | b'%' | b'~' | b'|' | b'.' | b'<' | b'>' | b'=' | b'!' | b'[' | b'(' => {
                    operators += 1;
                    at += 1;
                }
                _ => at += 1,
            }
            match byte {
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
        }
        Self { first, operators, rest: text.get(at..).unwrap_or("") }
    }
}

/// The length of a text in quotes, both included.
fn string(bytes: &[u8]) -> usize {
    let quote = bytes[0];
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'\\' => 2,
            byte if *byte == quote => return at + 1,
            _ => 1,
        };
    }
    bytes.len()
}

#[cfg(test)]
mod tests;
