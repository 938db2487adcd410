//! Text with macro variables in it, as phones expand it: `https://prov.example.com/$PN/$(MAU:6).cfg`.

use std::fmt;

use super::variable::{Lookup, Variable};

/// The longest text that an expansion makes, in bytes; what follows is cut off. No guide gives a bound.
const LONGEST: usize = 64 * 1024;

/// The longest text between `$(` and `)` that is looked at.
const LONGEST_NAME: usize = 32;

/// Text with variables in it. `$NAME` reaches as far as letters and digits do, `$(NAME)` to its parenthesis;
/// `$(NAME:p)` and `$(NAME:p:q)` are the value from character p on, and q characters of it; `$$` is `$`. A name that
/// is no variable stays as it is written, and what came out of an expansion is not expanded again (Cisco MPP guide,
/// "Macro Expansion"; SPA Provisioning Guide).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expansion {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    /// `$$`.
    Dollar,
    Variable {
        variable: Variable,
        braced: bool,
        slice: Option<Slice>,
    },
}

/// The `:p` or `:p:q` of a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Slice {
    from: usize,
    length: Option<usize>,
}

/// Where a text stands: `$SA` … `$SD` are expanded in arguments of options, and stay as they are elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Anywhere else.
    Text,
    /// The argument of `--key`, `--uid` or `--pwd`.
    Argument,
}

impl Expansion {
    /// Reads a text. Every text is one: what is no variable stands for itself.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let (mut literal, mut rest) = (String::new(), text);
        while let Some(dollar) = rest.find('$') {
            literal.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            let Some((part, length)) = leading_part(rest) else {
                literal.push('$');
                rest = &rest[1..];
                continue;
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(part);
            rest = &rest[length..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { parts }
    }

    /// The text with the values in place of the variables.
    #[must_use]
    pub fn expand(&self, lookup: &dyn Lookup, scope: Scope) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Dollar => text.push('$'),
                Part::Variable { variable: Variable::Special(_), .. } if scope == Scope::Text => {
                    text.push_str(&part.to_string());
                }
                Part::Variable { variable, slice, .. } => {
                    let value = lookup.value(*variable).unwrap_or_default();
                    text.push_str(slice.map_or(&*value, |slice| slice.of(&value)));
                }
            }
            if text.len() > LONGEST {
                text.truncate(text.floor_char_boundary(LONGEST));
                break;
            }
        }
        text
    }

    /// The variables, from left to right.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { variable, .. } => Some(*variable),
            Part::Text(_) | Part::Dollar => None,
        })
    }

    /// What looks like a variable and is none, such as `$STRANGE` or `$(MA:x)`.
    pub fn strangers(&self) -> impl Iterator<Item = &str> {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Variable { .. } | Part::Dollar => None,
        });
        texts.flat_map(|text| text.match_indices('$').map(|(at, _)| stranger(&text[at..])))
    }

    /// The text before the first variable; all of it where there is none.
    #[must_use]
    pub fn head(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            Some(Part::Variable { .. } | Part::Dollar) | None => "",
        }
    }

    /// Whether the text expands to itself.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self.parts.as_slice(), [] | [Part::Text(_)])
    }
}

impl Slice {
    /// From `:p` or `:p:q`, without the first colon.
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
        match text.split_once(':') {
            None => Some(Self { from: number(text)?, length: None }),
            Some((from, length)) => Some(Self { from: number(from)?, length: Some(number(length)?) }),
        }
    }

    /// The part of a value; nothing where the value is shorter than that.
    fn of(self, value: &str) -> &str {
        let after = |text: &str, count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
        let tail = &value[after(value, self.from)..];
        self.length.map_or(tail, |length| &tail[..after(tail, length)])
    }
}

/// The variable or `$$` at the start of `text`, and how many bytes it takes.
fn leading_part(text: &str) -> Option<(Part, usize)> {
    let after = text.strip_prefix('$')?;
    if after.starts_with('$') {
        return Some((Part::Dollar, 2));
    }
    if let Some(inner) = after.strip_prefix('(') {
        let end = inner.bytes().take(LONGEST_NAME).position(|byte| byte == b')')?;
        let (name, slice) = match inner[..end].split_once(':') {
            None => (&inner[..end], None),
            Some((name, slice)) => (name, Some(Slice::parse(slice)?)),
        };
        return Some((Part::Variable { variable: Variable::named(name)?, braced: true, slice }, end + 3));
    }
    let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
    let variable = Variable::named(&after[..end])?;
    Some((Part::Variable { variable, braced: false, slice: None }, end + 1))
}

/// `$STRANGE` at the start of a text that begins with it.
fn stranger(text: &str) -> &str {
    if text[1..].starts_with('(') {
        let end = text.bytes().take(LONGEST_NAME).position(|byte| byte == b')').map_or(2, |end| end + 1);
        return &text[..end];
    }
    let end = text[1..].find(|c: char| !c.is_ascii_alphanumeric()).map_or(text.len(), |end| end + 1);
    &text[..end]
}

impl fmt::Display for Expansion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| part.fmt(f))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Dollar => f.write_str("$$"),
            Self::Variable { variable, braced: false, .. } => write!(f, "{variable}"),
            Self::Variable { variable, slice: None, .. } => write!(f, "$({})", variable.name()),
            Self::Variable { variable, slice: Some(Slice { from, length: None }), .. } => {
                write!(f, "$({}:{from})", variable.name())
            }
            Self::Variable { variable, slice: Some(Slice { from, length: Some(length) }), .. } => {
                write!(f, "$({}:{from}:{length})", variable.name())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::profile::macros::{Macro, Macros};

    /// A phone of the guides' examples.
    struct Phone;

    impl Lookup for Phone {
        fn value(&self, variable: Variable) -> Option<Cow<'_, str>> {
            let mut macros = Macros::default();
            macros.bind(Macro::Ma, "000E08012345");
            match variable {
                Variable::Macro(Macro::Register(register)) if register.letter() == 'A' => Some("ABCDEF".into()),
                Variable::Macro(Macro::Register(register)) if register.letter() == 'B' => Some("$MAU".into()),
                Variable::Macro(name) => macros.value(name).map(Cow::Owned),
                Variable::Special(_) => Some("secret".into()),
                _ => None,
            }
        }
    }

    fn expanded(text: &str) -> String {
        Expansion::parse(text).expand(&Phone, Scope::Text)
    }

    #[test]
    fn the_examples_of_the_guides_expand_as_they_say() {
        let examples = [
            ("spa$(MAU)config.cfg", "spa000E08012345config.cfg"),
            ("$(MAU)config.cfg", "000E08012345config.cfg"),
            ("$STRANGE$MAU.cfg", "$STRANGE000E08012345.cfg"),
            ("spa$STRANGE$MAU.cfg", "spa$STRANGE000E08012345.cfg"),
            ("$$MAU", "$MAU"),
            ("$(MAU:4)", "08012345"),
            ("$(MAU:8:2)", "23"),
            ("$(A:2)", "CDEF"),
            ("$(A:2:3)", "CDE"),
        ];
        for (text, expected) in examples {
            assert_eq!(expanded(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_variable_stays() {
        for text in ["$MAconfig.cfg", "$", "100$", "$(MA", "$(MA:x)", "$(MA:)", "$(STRANGE:1)", "$ma", "$(", "$()"] {
            assert_eq!(expanded(text), text);
        }
        assert_eq!(expanded("$(MA:99)|$(MA:2:0)|$(MA:10:99)"), "||45");
        assert_eq!(expanded("$IP-$B"), "-$MAU", "no value is nothing, and a value is not expanded again");
    }

    #[test]
    fn special_parameters_expand_in_arguments_only() {
        let text = Expansion::parse("$SA-$(SB:0:3)");
        assert_eq!(text.expand(&Phone, Scope::Text), "$SA-$(SB:0:3)");
        assert_eq!(text.expand(&Phone, Scope::Argument), "secret-sec");
    }

    #[test]
    fn strangers_are_named() {
        let text = Expansion::parse("/$STRANGE$MAU/$(QQ)/$(MA/$/$$x");
        assert_eq!(text.strangers().collect::<Vec<_>>(), ["$STRANGE", "$(QQ)", "$(", "$"]);
        assert_eq!(text.variables().collect::<Vec<_>>(), [Variable::Macro(Macro::Mau)]);
    }

    #[test]
    fn what_it_makes_is_bounded() {
        assert_eq!(expanded(&"$(A)".repeat(20_000)).len(), LONGEST);
        assert_eq!(expanded(&"é$(".repeat(40_000)).len(), LONGEST);
    }

    proptest! {
        #[test]
        fn a_printed_text_reads_as_the_same(text in "(\\$|\\$\\(|MA|MAU|SA|UID1|:|4|\\)|/|é|x){0,24}") {
            let read = Expansion::parse(&text);
            prop_assert_eq!(&Expansion::parse(&read.to_string()), &read);
        }

        #[test]
        fn any_text_expands(text in "\\PC{0,80}") {
            let read = Expansion::parse(&text);
            prop_assert_eq!(read.to_string(), text.clone());
            if !text.contains('$') {
                prop_assert_eq!(read.expand(&Phone, Scope::Text), text);
            }
        }
    }
}
