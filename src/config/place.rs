//! Where a key stands in the file, for a fault that is found once it has been read.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The place of the key that a message begins with, such as `limits.idle is …`; of its table, where the key is missing.
/// `None` for a table that there may be several of.
pub(super) fn of(text: &str, message: &str) -> Option<Range<usize>> {
    let is_of_key = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    let path = message.trim_start_matches('[');
    let path = &path[..path.find(|character| !is_of_key(character)).unwrap_or(path.len())];
    let file = DeTable::parse(text).ok()?;
    let (mut table, mut place) = (file.get_ref(), None);
    for name in path.split('.') {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == name) else { break };
        match value.get_ref() {
            DeValue::Array(values) if values.iter().any(|value| value.get_ref().is_table()) => return None,
            DeValue::Table(inner) => {
                place = Some(key.span());
                table = inner;
            }
            _ => return Some(key.span()),
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_however_its_table_is_written_and_its_table_where_it_is_missing() {
        let text = "profiles = \"p\"\n[limits]\nidle = \"1s\"\n[[rule]]\npath = \"/a\"\n[lab]\nnames = [1]\n";
        let line = |text: &str, message: &str| super::super::error::line(text, of(text, message));
        for (message, expected) in [
            ("limits.idle is 0s: expected more", Some(3)),
            ("limits.uploads: none", Some(2)),
            ("[limits] are none", Some(2)),
            ("lab.names: none", Some(7)),
            ("rule.path: which?", None),
            ("no [[listen]]", None),
            ("", None),
        ] {
            assert_eq!(line(text, message), expected, "{message}");
        }
        assert_eq!(line("a = 1\nlimits = { idle = 1 }\n", "limits.idle is"), Some(2));
        assert_eq!(line("a = 1\nlimits.idle = 1\n", "limits.idle is"), Some(2));
    }
}
