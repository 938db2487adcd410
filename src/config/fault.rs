//! What is wrong with a value, in words for people: the reader of TOML names neither the key nor what would be right.

use std::ops::Range;

/// How a message of the reader begins that does not say which key it is about.
const NAMELESS: [&str; 6] =
    ["invalid type", "invalid value", "invalid length", "unknown variant", "wanted ", "string values must"];

/// The reader's message of a fault in this text, with the key that it is in and an example of what would be right.
pub(super) fn words(text: &str, span: Option<Range<usize>>, message: &str) -> String {
    let address = "not an address with a port: expected one such as \"0.0.0.0:8080\" or \"[::]:8080\"";
    let message = message
        .replace("unknown field", "unknown key")
        .replace("missing field", "missing key")
        .replace("invalid socket address syntax", address);
    let Some(span) = span else { return message };
    if message == "duplicate key" {
        let name = text
            .get(span)
            .map(|name| name.trim_matches(['"', '\'', ' ', '\t']))
            .filter(|name| !name.is_empty() && !name.contains('\n'));
        return name.map_or_else(|| message.clone(), |name| format!("duplicate key `{name}`: it stands above already"));
    }
    let key = key_of(text, span.start).filter(|_| NAMELESS.iter().any(|begin| message.starts_with(begin)));
    match key {
        Some(key) => format!("`{key}`: {}", with_example(&message, key)),
        None => message,
    }
}

/// The key whose value a place is in: the innermost, on the place's line or one before.
fn key_of(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    for line in before.rsplit('\n') {
        // An equals sign within quotes belongs to a value.
        let mut quote = None;
        let mut equals = None;
        for (place, character) in line.char_indices() {
            match (character, quote) {
                ('"' | '\'', None) => quote = Some(character),
                (_, Some(open)) if character == open => quote = None,
                ('=', None) => equals = Some(place),
                ('#', None) => break,
                _ => {}
            }
        }
        let Some(equals) = equals else { continue };
        let is_of_key = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
        let key = line[..equals].trim_end().trim_end_matches(['"', '\'']);
        let start = key.rfind(|character| !is_of_key(character)).map_or(0, |end| end + 1);
        return key.get(start..).filter(|key| !key.is_empty());
    }
    None
}

/// The message with what would be right instead.
fn with_example(message: &str, key: &str) -> String {
    let examples = [
        ("expected path string", format!("expected a path in quotes, as in {key} = \"folder/file\"")),
        ("expected a string", format!("expected a string, as in {key} = \"…\"")),
        ("expected a boolean", format!("expected {key} = true or {key} = false")),
        ("expected a map", format!("expected a table, such as {key} = {{ name = \"value\" }}")),
        ("expected a sequence", sequence(key)),
    ];
    let example = examples.iter().find_map(|(expected, example)| Some((message.strip_suffix(expected)?, example)));
    example.map_or_else(|| message.to_owned(), |(begin, example)| format!("{begin}{example}"))
}

fn sequence(key: &str) -> String {
    match key {
        "listen" | "rule" | "intake" => format!("expected tables, each of which begins with [[{key}]]"),
        _ => format!("expected a list, such as {key} = [\"one\", \"other\"]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a text's first fault.
    fn said(text: &str) -> String {
        let error = toml::from_str::<super::super::written::Written>(text).expect_err("a fault");
        words(text, error.span(), error.message())
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_told_with_its_key_and_an_example() {
        let rule = "profiles = \"p\"\n[[rule]]\npath = \"/a\"\n";
        for (line, expected) in [
            (
                "headers = { header = 3 }",
                "`header`: invalid type: integer `3`, expected a string, as in header = \"…\"",
            ),
            (
                "headers = 3",
                "`headers`: invalid type: integer `3`, expected a table, such as headers = { name = \"value\" }",
            ),
            ("headers = { a = \"x=y\", b = 3 }", "`b`: invalid type: integer `3`, expected a string, as in b = \"…\""),
            ("gzip = 1", "`gzip`: invalid type: integer `1`, expected gzip = true or gzip = false"),
            ("proof = \"nothing\"", "`proof`: unknown variant `nothing`, expected one of `none`, "),
            ("listeners = [\n  \"http\",\n  4,\n]", "`listeners`: "),
        ] {
            let said = said(&format!("{rule}{line}\n"));
            assert!(said.starts_with(expected), "{line}: {said}");
        }
        assert_eq!(
            said("profiles = 3"),
            "`profiles`: invalid type: integer `3`, expected a path in quotes, as in profiles = \"folder/file\""
        );
        let tables = said("profiles = \"p\"\nlisten = 3");
        assert!(tables.ends_with("expected tables, each of which begins with [[listen]]"), "{tables}");
    }

    #[test]
    fn a_key_that_stands_twice_is_named() {
        let expected = "duplicate key `level`: it stands above already";
        assert_eq!(said("profiles = \"p\"\n[log]\nlevel = \"info\"\n\"level\" = \"warn\"\n"), expected);
        assert_eq!(said("profiles = \"p\"\n[log]\nlevel = \"info\"\nlevel = \"warn\"\n"), expected);
        assert_eq!(said("profiles = \"p\"\n[log]\n[log]\n"), "duplicate key `log`: it stands above already");
    }
}
