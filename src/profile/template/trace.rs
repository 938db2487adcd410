//! Where a parameter of a rendered profile was written: for people who ask.
//!
//! Traced templates are the same templates, but every element that they write has an attribute which says where: elements
//! of their text get it when they are read, those that `param`, `lines` and `merge` make when they are made. So it comes
//! through parts, blocks, macros and layers with its element. No phone is given what these make.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use minijinja::{Environment, Value};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::code::Tag;
use crate::profile::flat::Parameter;

/// The attribute: an offset in bytes and a file's name.
const ATTRIBUTE: &str = "phoneprov-at";

/// The function that says where the next elements are made.
const HERE: &str = "phoneprov_at";

/// What makes elements.
const MAKERS: [&str; 3] = ["param", "lines", "merge"];

/// Words of templates that name nothing.
const WORDS: [&str; 26] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "for",
    "set",
    "with",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "filter",
    "import",
    "from",
    "include",
    "block",
    "call",
    "macro",
    "do",
    "recursive",
];

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Nothing is written yet.
pub(super) fn begin() {
    PLACE.take();
}

/// Makes traced templates able to say where they are.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_function(HERE, |place: &str| {
        PLACE.set(Some(place.to_owned()));
        Value::from_safe_string(String::new())
    });
}

/// An element that is made now, with the place where, if that is traced.
pub(super) fn mark(parameter: Parameter) -> Parameter {
    PLACE.with_borrow(|place| match place {
        Some(place) => parameter.with_attribute(ATTRIBUTE, place),
        None => parameter,
    })
}

/// The file in which a parameter of a traced profile is written, and where in its text (bytes).
#[must_use]
pub fn place_of(parameter: &Parameter) -> Option<(String, usize)> {
    let (offset, file) = parameter.attribute(ATTRIBUTE)?.split_once('@')?;
    Some((percent_decode_str(file).decode_utf8().ok()?.into_owned(), offset.parse().ok()?))
}

/// A template that says where it writes its elements.
pub(super) fn traced(name: &str, text: &str) -> String {
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
    let mut traced = String::with_capacity(text.len() * 2);
    let (mut at, mut element) = (0, None);
    let mut filters = Vec::new();
    while let Some(next) = text[at..].find(['{', '<', '>']).map(|next| at + next) {
        traced.push_str(&text[at..next]);
        let rest = &text[next..];
        at = next + piece(rest);
        let piece = &text[next..at];
        if piece.starts_with("{{") || piece.starts_with("{%") {
            let (word, makes) = (statement(piece), MAKERS.iter().any(|maker| piece.contains(maker)));
            let place = match word {
                "filter" => {
                    filters.push(makes.then_some(next));
                    None
                }
                "endfilter" => filters.pop().flatten(),
                _ => makes.then_some(next),
            };
            if let Some(place) = place {
                let _ = write!(traced, "{{{{ {HERE}(\"{place}@{name}\") }}}}");
            }
        } else if piece == "<" {
            let begins = |c: char| c.is_alphabetic() || c == '_' || c == '{';
            element = rest[1..].starts_with(begins).then_some(next);
        } else if piece == ">"
            && let Some(place) = element.take()
        {
            let closes_itself = traced.ends_with('/');
            traced.truncate(traced.len() - usize::from(closes_itself));
            let slash = if closes_itself { "/" } else { "" };
            let _ = write!(traced, " {ATTRIBUTE}=\"{place}@{name}\"{slash}");
        }
        traced.push_str(piece);
    }
    traced + &text[at..]
}

/// The length of what stands at the beginning of a text and is one thing: a tag, a comment, a character.
fn piece(text: &str) -> usize {
    let up_to = |end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    match text.as_bytes() {
        [b'{', b'#', ..] => up_to("#}"),
        [b'<', b'!', b'-', b'-', ..] => up_to("-->"),
        [b'{', kind @ (b'{' | b'%'), ..] => {
            let tag = Tag::read(&text[2..], *kind == b'%');
            let end = text.len() - tag.rest.len().saturating_sub(2);
            // What is raw is text to its end.
            if *kind == b'%' && tag.first == "raw" { text.find("endraw").unwrap_or(end) } else { end }
        }
        _ => 1,
    }
}

/// The first word of a statement.
fn statement(tag: &str) -> &str {
    let inner = tag.strip_prefix("{%").unwrap_or_default().trim_start_matches(['-', '+']).trim_start();
    inner.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The names that the element, or the statement, at this place of a template is made with: those that `is_known` knows. What the
/// file itself sets is followed to what that is made with.
#[must_use]
pub fn names_at(text: &str, offset: usize, is_known: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let Some(rest) = text.get(offset..) else { return BTreeSet::new() };
    let region = match rest.starts_with('<') {
        true => &rest[..rest.find("</").unwrap_or(rest.len())],
        false => &rest[..piece(rest)],
    };
    let mut open: Vec<String> = tags(region).flat_map(words).collect();
    let (mut seen, mut known) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if is_known(&name) {
            known.insert(name);
        } else {
            open.extend(setting(text, &name));
        }
    }
    known
}

/// The tags of a text.
pub(super) fn tags(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(next) = text.get(at..)?.find('{').map(|next| at + next) {
            at = next + piece(&text[next..]);
            if text[next..at].len() > 1 {
                return Some(&text[next..at]);
            }
        }
        None
    })
}

/// What is named where a name is given its value.
fn setting(text: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_inside = false;
    for tag in tags(text) {
        let word = statement(tag);
        let words: Vec<String> = words(tag).collect();
        let head = tag.split_once(" in ").or_else(|| tag.split_once('=')).map_or(tag, |(head, _)| head);
        let gives = matches!(word, "set" | "for" | "with" | "from") && words_of(head).any(|word| word == name);
        if gives || is_inside {
            found.extend(words.into_iter().filter(|word| word != name));
        }
        match word {
            // `{% set site %}…{% endset %}`
            "set" if gives && !tag.contains('=') => is_inside = true,
            "endset" => is_inside = false,
            _ => {}
        }
    }
    found
}

/// The names in a tag: no text, no attribute of something else, no filter, no argument's name.
fn words(tag: &str) -> impl Iterator<Item = String> {
    words_of(tag).map(str::to_owned)
}

pub(super) fn words_of(tag: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    std::iter::from_fn(move || {
        let bytes = tag.as_bytes();
        loop {
            let byte = bytes.get(at)?;
            if matches!(byte, b'"' | b'\'') {
                let end = bytes[at + 1..].iter().position(|other| other == byte);
                at += end.map_or(bytes.len(), |end| end + 2);
                continue;
            }
            if !is_of_name(byte) {
                at += 1;
                continue;
            }
            let start = at;
            at += bytes[start..].iter().take_while(|byte| is_of_name(byte)).count();
            let before = tag[..start].trim_end().chars().next_back();
            let after = tag[at..].trim_start();
            let is_argument = after.starts_with('=') && !after.starts_with("==") && tag[..start].contains('(');
            let name = &tag[start..at];
            let is_name = !byte.is_ascii_digit() && !matches!(before, Some('.' | '|')) && !is_argument;
            if is_name && !WORDS.contains(&name) {
                return Some(name);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str, offset: usize) -> Vec<String> {
        let is_known = |name: &str| ["proxy", "user", "accounts", "MA"].contains(&name);
        names_at(text, offset, is_known).into_iter().collect()
    }

    #[test]
    fn every_element_says_where_it_is_written() {
        let text = "<flat-profile>\n<A>1</A><B ua=\"na\"/>{# <C> #}<!-- <D> -->\n{% raw %}<E>{{{% endraw %}</E></flat-profile>";
        let expected = "<flat-profile phoneprov-at=\"0@x\">\n<A phoneprov-at=\"15@x\">1</A><B ua=\"na\" phoneprov-at=\"23@x\"/>\
            {# <C> #}<!-- <D> -->\n{% raw %}<E>{{{% endraw %}</E></flat-profile>";
        assert_eq!(traced("x", text), expected);
        let text = "{% filter merge(own) %}<A>{{ x | merge(y) }}</A>{% endfilter %}{{ param('B', 1) }}";
        let expected = "{% filter merge(own) %}<A phoneprov-at=\"23@a%2Fb\">{{ phoneprov_at(\"26@a%2Fb\") }}{{ x | merge(y) }}</A>\
            {{ phoneprov_at(\"0@a%2Fb\") }}{% endfilter %}{{ phoneprov_at(\"63@a%2Fb\") }}{{ param('B', 1) }}";
        assert_eq!(traced("a/b", text), expected);
    }

    #[test]
    fn what_is_no_template_and_what_is_broken_stays_what_it_is() {
        for text in ["", "text", "a < b > c", "{", "{{", "{% raw %}", "{#", "<!--", "{{ 'a", "</x>", "<?xml?>"] {
            assert_eq!(traced("x", text), text);
        }
    }

    #[test]
    fn an_element_is_made_with_the_names_in_it_and_with_what_those_are_made_with() {
        let text = "{% set own = {\"A\": user} %}{% set site %}{{ proxy }}{% endset %}{% for line in accounts %}\
            <P>{{ proxy | default(\"user\") }}:{{ line.user }}</P><U>{{ own.A ~ MA }}</U>{% endfor %}{{ param(\"X\", site, ua=user) }}";
        assert_eq!(known(text, text.find("<P>").expect("P")), ["accounts", "proxy"]);
        assert_eq!(known(text, text.find("<U>").expect("U")), ["MA", "user"]);
        assert_eq!(known(text, text.find("{{ param").expect("param")), ["proxy", "user"]);
        assert_eq!(known(text, 10_000), [""; 0]);
    }
}
