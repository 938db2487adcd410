//! Where something stands in a text.

use std::fmt;

/// A place in a profile's text. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// In bytes from the text's beginning, a byte order mark not counted.
    pub offset: usize,
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Place {
    /// The first character.
    pub const START: Self = Self { offset: 0, line: 1, column: 1 };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// No more than this many bytes are counted to find a column, however long the line.
const STRIDE: usize = 1024;

/// Places of known offsets, so that any other is found by counting a few characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places(Vec<Place>);

impl Places {
    /// Goes over the text once.
    pub(super) fn of(text: &str) -> Self {
        let mut known = vec![Place::START];
        let (mut here, mut last) = (Place::START, 0);
        for c in text.chars() {
            here = after(here, c);
            if c == '\n' || here.offset - last >= STRIDE {
                known.push(here);
                last = here.offset;
            }
        }
        Self(known)
    }

    /// The place of the character that begins at or before `offset`.
    pub(super) fn at(&self, text: &str, offset: usize) -> Place {
        let next = self.0.partition_point(|place| place.offset <= offset);
        let mut here = self.0.get(next.saturating_sub(1)).copied().unwrap_or(Place::START);
        for c in text.get(here.offset..).unwrap_or_default().chars() {
            let next = after(here, c);
            if next.offset > offset {
                break;
            }
            here = next;
        }
        here
    }
}

fn after(place: Place, c: char) -> Place {
    let offset = place.offset + c.len_utf8();
    match c {
        '\n' => Place { offset, line: place.line + 1, column: 1 },
        _ => Place { offset, line: place.line, column: place.column + 1 },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_are_characters() {
        let text = "é\nab";
        let places = Places::of(text);
        assert_eq!(places.at(text, 0), Place::START);
        assert_eq!(places.at(text, 2), Place { offset: 2, line: 1, column: 2 });
        assert_eq!(places.at(text, 4), Place { offset: 4, line: 2, column: 2 });
        assert_eq!(places.at(text, 5).to_string(), "line 2, column 3");
    }

    #[test]
    fn a_column_of_a_long_line_is_exact() {
        let text = format!("x\n{}", "é".repeat(5000));
        let places = Places::of(&text);
        assert_eq!(places.at(&text, 2 + 2 * 4321), Place { offset: 2 + 2 * 4321, line: 2, column: 4322 });
    }

    proptest! {
        #[test]
        fn counting_from_the_start_gives_the_same(text in "[a\n é]{0,80}") {
            let places = Places::of(&text);
            for (offset, _) in text.char_indices() {
                let before = &text[..offset];
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                let line = before.matches('\n').count() + 1;
                prop_assert_eq!(places.at(&text, offset), Place { offset, line, column });
            }
        }
    }
}
