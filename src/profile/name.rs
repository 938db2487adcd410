//! One segment of a path with macros in it: `$MA.cfg`, `spa$PSN.cfg`, `$(PN)-$(MA).xml`; in rules also `*`.

use std::cmp::Reverse;
use std::fmt;

use super::macros::{Macro, Macros};

/// A name that stands for every name its macros can expand to. Letters compare without case, as phones of one family
/// ask for `spa504G.cfg` and `spa504g.cfg` (Wazo's plug-ins; domain, first names asked for).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Macro(Macro),
    Star,
}

/// Whether `*` stands for any text (rules) or for itself (file names).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Star {
    /// Any text within the segment.
    Any,
    /// The character.
    Literal,
}

/// Two macros of a file name cannot be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}`: `{first}` and `{second}` cannot be told apart: \
     put a character between them that one of the two never holds, or leave one out"
)]
pub struct NameError {
    name: String,
    first: Macro,
    second: Macro,
}

impl Name {
    /// Reads a name. `$NAME` reaches as far as letters and digits do, `$(NAME)` to its parenthesis; a name that is no
    /// macro stays as it is written, as phones keep it (Cisco MPP guide, macro expansion).
    #[must_use]
    pub fn parse(text: &str, star: Star) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let part = match first {
                '$' => leading_macro(rest).map(|(name, length)| (Part::Macro(name), length)),
                '*' if star == Star::Any => Some((Part::Star, 1)),
                _ => None,
            };
            let Some((part, length)) = part else {
                literal.push(first.to_ascii_lowercase());
                rest = &rest[first.len_utf8()..];
                continue;
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part);
            rest = &rest[length..];
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Self { text: text.to_owned(), parts }
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the name holds no macro and no star.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self.parts.as_slice(), [] | [Part::Literal(_)])
    }

    /// The macros, from left to right.
    pub fn macros(&self) -> impl Iterator<Item = Macro> {
        self.parts.iter().filter_map(|part| match part {
            Part::Macro(name) => Some(*name),
            Part::Literal(_) | Part::Star => None,
        })
    }

    /// Checks that every text matches in one way only: at most two macros of open length, and between two of them a
    /// character that one of the two never holds.
    pub fn check(&self) -> Result<(), NameError> {
        let mut open: Vec<(Macro, String)> = Vec::new();
        for part in &self.parts {
            match part {
                Part::Macro(name) if name.is_open() => {
                    if let Some((first, between)) = open.last() {
                        let parted = between.bytes().any(|byte| !(first.may_hold(byte) && name.may_hold(byte)));
                        if !parted || open.len() > 1 {
                            return Err(NameError { name: self.text.clone(), first: *first, second: *name });
                        }
                    }
                    open.push((*name, String::new()));
                }
                Part::Literal(literal) => {
                    if let Some((_, between)) = open.last_mut() {
                        between.push_str(literal);
                    }
                }
                Part::Macro(_) | Part::Star => {}
            }
        }
        Ok(())
    }

    /// Binds the macros to what they stand for in `text`; `None` when the text is not of this name.
    #[must_use]
    pub fn matches(&self, text: &str, macros: &Macros) -> Option<Macros> {
        let mut spans = Vec::with_capacity(self.parts.len());
        let mut dead = vec![false; (self.parts.len() + 1) * (text.len() + 1)];
        if !spans_of(&self.parts, text.as_bytes(), 0, &mut spans, &mut dead) {
            return None;
        }
        let mut bound = macros.clone();
        let mut start = 0;
        // The innermost call returns first, so the ends stand from right to left.
        for (part, end) in self.parts.iter().zip(spans.into_iter().rev()) {
            if let Part::Macro(name) = part
                && !bound.bind(*name, text.get(start..end)?)
            {
                return None;
            }
            start = end;
        }
        Some(bound)
    }

    /// The name that a phone with these values asks for; `None` when one of them is not known, or for a star.
    #[must_use]
    pub fn expand(&self, macros: &Macros) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(literal) => Some(literal.clone()),
                Part::Macro(name) => macros.value(*name),
                Part::Star => None,
            })
            .collect()
    }

    /// The order in which names of one folder are tried: more literal characters first, then the narrower macro, then
    /// fewer macros, then the text. It is total: two files of a folder never have the same text.
    #[must_use]
    pub fn rank(&self) -> impl Ord + use<'_> {
        let literal: usize =
            self.parts.iter().map(|part| if let Part::Literal(literal) = part { literal.len() } else { 0 }).sum();
        let widest = self.macros().map(width).max();
        (Reverse(literal), widest, self.macros().count(), self.text.as_str())
    }

    /// Whether some text could be of both names; yes, where both stand for more than one. What a product's macro stands for
    /// has a digit in it: `firmware` is none that a phone would ask with.
    #[must_use]
    pub fn may_meet(&self, other: &Self) -> bool {
        let means = |name: &Self, text: &str| {
            let bound = name.matches(text, &Macros::default());
            let mut products = name.macros().filter(|name| matches!(name, Macro::Pn | Macro::Psn));
            let has_digit = |value: String| value.bytes().any(|byte| byte.is_ascii_digit());
            bound.is_some_and(|bound| products.all(|name| bound.value(name).is_some_and(has_digit)))
        };
        match (self.is_literal(), other.is_literal()) {
            (true, true) => self.text.eq_ignore_ascii_case(&other.text),
            (true, false) => means(other, &self.text),
            (false, true) => means(self, &other.text),
            (false, false) => true,
        }
    }

    /// Whether some text could be of both names and nothing but their texts decides which one is tried first.
    #[must_use]
    pub fn rivals(&self, other: &Self) -> bool {
        let shape = |name: &Self| -> Vec<Option<String>> {
            name.parts
                .iter()
                .map(|part| if let Part::Literal(literal) = part { Some(literal.clone()) } else { None })
                .collect()
        };
        shape(self) == shape(other) && self.macros().map(texts).eq(other.macros().map(texts))
    }
}

/// How many texts a macro stands for, as a rank: a name that fits `$MA` is a MAC address before it is a serial number.
fn width(name: Macro) -> u8 {
    match name {
        Macro::Mac => 0,
        Macro::Ma | Macro::Mau => 1,
        Macro::Sn => 2,
        Macro::Psn => 3,
        Macro::Pn => 4,
        Macro::Register(_) => 5,
    }
}

/// Which texts a macro stands for: two macros of one kind match the same.
fn texts(name: Macro) -> u8 {
    match name {
        Macro::Pn => width(Macro::Psn),
        other => width(other),
    }
}

fn leading_macro(text: &str) -> Option<(Macro, usize)> {
    let after = text.strip_prefix('$')?;
    if let Some(braced) = after.strip_prefix('(') {
        let end = braced.find(')')?;
        return Some((Macro::named(&braced[..end])?, end + 3));
    }
    let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
    Some((Macro::named(&after[..end])?, end + 1))
}

/// Whether `parts` cover `text` from `at` to its end; the end of each part is pushed, the last part's first. `dead`
/// remembers (part, place) pairs that failed, which keeps the work within parts × length × length.
fn spans_of(parts: &[Part], text: &[u8], at: usize, ends: &mut Vec<usize>, dead: &mut [bool]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return at == text.len();
    };
    let mark = parts.len() * (text.len() + 1) + at;
    if dead[mark] {
        return false;
    }
    let (longest, shortest) = part_lengths(part, &text[at..]);
    for length in (shortest..=longest).rev() {
        // Not within a character of several bytes.
        let whole = text.get(at + length).is_none_or(|byte| byte & 0xC0 != 0x80);
        if whole && spans_of(rest, text, at + length, ends, dead) {
            ends.push(at + length);
            return true;
        }
    }
    dead[mark] = true;
    false
}

/// The longest and the shortest length that `part` may take at the start of `text`; longest < shortest: none.
fn part_lengths(part: &Part, text: &[u8]) -> (usize, usize) {
    const NONE: (usize, usize) = (0, 1);
    match part {
        Part::Literal(literal) => match text.get(..literal.len()) {
            Some(head) if head.eq_ignore_ascii_case(literal.as_bytes()) => (literal.len(), literal.len()),
            _ => NONE,
        },
        Part::Star => (text.len(), 0),
        Part::Macro(name) => {
            let reach = text.iter().take_while(|byte| name.may_hold(**byte)).count();
            let (longest, shortest) = name.lengths();
            (reach.min(longest), shortest)
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
