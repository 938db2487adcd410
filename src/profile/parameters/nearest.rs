//! The known name that a misspelt one was meant to be.

use super::{Parameter, numbered};

/// The longest name that is compared (bytes): the longest known one has 47.
const LONGEST: usize = 64;

/// The known name with the least edits, where they are few for its length; on a tie the first of the table.
pub(super) fn nearest(name: &str, parameters: &[Parameter]) -> Option<String> {
    if name.len() > LONGEST {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    // All numbers open first: what is misspelt is a word, not a line's number.
    let mut written: Vec<_> = numbered::patterns(&lower).collect();
    written.reverse();
    let mut best: Option<(usize, String)> = None;
    for (pattern, numbers) in written {
        let mut bound = best.as_ref().map_or((pattern.len() / 6).clamp(1, 3), |(edits, _)| edits - 1);
        for parameter in parameters {
            let known = parameter.pattern();
            if known.matches("<n>").count() == numbers.len()
                && let Some(edits) = edits(pattern.as_bytes(), known.as_bytes(), bound)
            {
                best = Some((edits, numbered::fill(known, &numbers)));
                if edits == 0 {
                    return best.map(|(_, name)| name);
                }
                bound = edits - 1;
            }
        }
        if best.as_ref().is_some_and(|(edits, _)| *edits <= 1) {
            break;
        }
    }
    best.map(|(_, name)| name)
}

/// The least insertions, deletions and replacements between two names, without regard to case; `None` above `bound`.
#[must_use]
pub fn edits(a: &[u8], b: &[u8], bound: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > bound {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (place, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = place + 1;
        let mut least = row[0];
        for (column, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(!left.eq_ignore_ascii_case(right));
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
            least = least.min(row[column + 1]);
        }
        if least > bound {
            return None;
        }
    }
    row.last().copied().filter(|edits| *edits <= bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_up_to_the_bound() {
        assert_eq!(edits(b"Proxy", b"proxy", 2), Some(0));
        assert_eq!(edits(b"Proxi", b"Proxy", 2), Some(1));
        assert_eq!(edits(b"Poxi", b"Proxy", 2), Some(2));
        assert_eq!(edits(b"Poxi", b"Proxy", 1), None);
        assert_eq!(edits(b"", b"Proxy", 3), None);
    }
}
