//! Attributes that a line of a template uses: minijinja says that one is missing, not which.

use super::trace;

/// More than this many would be no help.
const MOST: usize = 4;

/// What is said of a missing attribute on this line.
pub(super) fn missing(line: Option<&str>) -> String {
    let named = line.map(attributes).unwrap_or_default();
    let quoted: Vec<String> = named.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "an attribute that the line uses is not defined".to_owned(),
        [one] if one.starts_with("`certificate.") => {
            format!("{one} is not defined: the phone's certificate has no such field, give it a default")
        }
        [one] => format!("{one} is not defined: set it where its table is made, or give it a default"),
        several if several.len() <= MOST => format!(
            "one of {} is not defined: set it where its table is made, or give it a default",
            several.join(", ")
        ),
        _ => "an attribute that the line uses is not defined".to_owned(),
    }
}

/// Every `name.attribute` in the tags of a line, as it is first written.
pub(super) fn attributes(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for attribute in trace::tags(line).filter(|tag| !tag.starts_with("{#")).flat_map(of_tag) {
        // What `loop` has is always there.
        if !attribute.starts_with("loop.") && !found.contains(&attribute) {
            found.push(attribute);
        }
    }
    found
}

/// Those of one tag.
fn of_tag(tag: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ if starts_name(first) => {
                let (path, length) = path(rest);
                let is_of_other = tag[..tag.len() - rest.len()].trim_end().ends_with(['.', '|']);
                found.extend(path.filter(|_| !is_of_other));
                length
            }
            _ if first.is_ascii_digit() => word(rest),
            _ => first.len_utf8(),
        };
        rest = &rest[length..];
    }
    found
}

/// The name at the beginning of a text with its attributes, if it has any, and how long that is. A method is none.
fn path(text: &str) -> (Option<String>, usize) {
    let mut at = word(text);
    let mut parts = vec![&text[..at]];
    loop {
        let rest = &text[at..];
        let next = rest.strip_prefix('.').filter(|after| after.starts_with(starts_name)).map(|after| {
            let length = word(after);
            (&after[..length], 1 + length)
        });
        let Some((part, length)) = next.or_else(|| subscript(rest)) else { break };
        if text[at + length..].starts_with('(') {
            break;
        }
        parts.push(part);
        at += length;
    }
    ((parts.len() > 1).then(|| parts.join(".")), at)
}

/// `["name"]` at the beginning of a text.
fn subscript(text: &str) -> Option<(&str, usize)> {
    let quoted = text.strip_prefix('[')?;
    let quote = quoted.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (name, rest) = quoted[1..].split_once(quote)?;
    rest.starts_with(']').then_some((name, name.len() + 4))
}

fn starts_name(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

/// The length of the letters, digits and `_` that a text begins with.
fn word(text: &str) -> usize {
    text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_in_tags_alone() {
        for (line, expected) in [
            ("<a>{{ device.name }}</a> sip.example.com", &["device.name"][..]),
            ("{{ a.b.c }}{{ a[\"b\"].d }}{{ a.b.c }}", &["a.b.c", "a.b.d"]),
            ("{{ text.upper() }}{{ table.items().x }}", &[]),
            (
                "{% for x in device.lines %}{{ loop.index }}{{ x.number | default(x.other) }}",
                &["device.lines", "x.number", "x.other"],
            ),
            ("{{ 'a.b' }}{{ 1.5 }}{{ MA }}{{ x | f.g }}{# a.b #}", &[]),
            ("{{ ä.b }}{{ \"", &[]),
        ] {
            assert_eq!(attributes(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_missing_is_named_where_that_helps() {
        assert!(missing(Some("{{ a.b }}")).starts_with("`a.b` is not defined: "));
        assert!(missing(Some("{{ a.b ~ a.c }}")).starts_with("one of `a.b`, `a.c` is not defined: "));
        assert_eq!(missing(None), "an attribute that the line uses is not defined");
        assert_eq!(missing(Some("{{ a.b ~ a.c ~ a.d ~ a.e ~ a.f }}")), missing(None));
    }
}
