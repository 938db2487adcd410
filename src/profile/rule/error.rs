//! What is wrong with a rule, and under which character.

use std::fmt::Write as _;

use super::literal::LiteralError;
use super::url::UrlError;
use crate::profile::mask::is_secret_field;

/// How many characters are shown before the fault, and from it on.
const BEFORE: usize = 40;
const AFTER: usize = 38;

/// The options whose arguments are masked.
const SECRETS: [[char; 3]; 2] = [['k', 'e', 'y'], ['p', 'w', 'd']];

/// A rule that cannot be read. Printed it is three lines: what is wrong, the rule, and a caret under the character.
/// Keys, passwords and assigned values are masked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}, at character {}\n{excerpt}", .character + 1)]
pub struct RuleError {
    #[source]
    fault: RuleFault,
    at: usize,
    character: usize,
    excerpt: String,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// Longer than is looked at.
    #[error("the rule is longer than {0} bytes")]
    TooLong(usize),
    /// More alternatives than are looked at.
    #[error("the rule has more than {0} alternatives")]
    TooManyAlternatives(usize),
    /// `(…` without its end.
    #[error("this parenthesis is not closed")]
    OpenParenthesis,
    /// `[…` without its end.
    #[error("this bracket is not closed")]
    OpenBracket,
    /// `"…` without its end.
    #[error("this text is not closed: expected a `\"` after it")]
    OpenText,
    /// `( … )` and neither `?` nor `!`.
    #[error("expected `?` after a condition, or `!` after assignments")]
    Mark,
    /// A second condition, or a condition after assignments.
    #[error("an alternative has one condition, then assignments, then a URL")]
    Order,
    /// The parentheses of a trigger.
    #[error("a resync trigger is the bare expression, without `(` and `)?`")]
    Parenthesised,
    /// Text after a trigger's expression, or an alternative.
    #[error("a resync trigger is one expression: expected `and` or the end")]
    TriggerEnd,
    /// A comparison without an operand.
    #[error("expected a macro, a number, a version or a text in double quotes")]
    Operand,
    /// A comparison without an operator.
    #[error("expected an operator: = != < <= > >=, or eq ne lt le gt ge")]
    Operator,
    /// Something else than `and` between comparisons.
    #[error("expected `and` or the end of the condition")]
    And,
    /// `or`.
    #[error("there is no `or`: write a further alternative after `|`")]
    Or,
    /// A parenthesis within a condition.
    #[error("conditions do not nest: comparisons are joined by `and`")]
    Nested,
    /// `“` and the like.
    #[error("`{0}` is not a quote to a phone: write `\"`")]
    CurlyQuote(char),
    /// `&lt;` and the like.
    #[error("`&` is XML's: here write the character itself, or the operator as a word (lt, gt)")]
    Escaped,
    /// `"a" lt "b"`.
    #[error("texts are compared by eq and ne only")]
    TextOrdered,
    /// `"$A" eq 1`.
    #[error("a text in quotes cannot be compared with a number or version: quote both, or none")]
    TextAndNumber,
    /// An operand that is nothing to compare.
    #[error(transparent)]
    Literal(#[from] LiteralError),
    /// An assignment without a name.
    #[error("expected the name of a parameter, as in Line_Enable_1_ = \"No\";")]
    Name,
    /// An assignment without `=`.
    #[error("expected `=` after the parameter's name")]
    Equals,
    /// An assignment without a quoted value.
    #[error("expected the value in double quotes")]
    Value,
    /// An assignment without its end.
    #[error("expected `;` after the value")]
    Semicolon,
    /// `[key …]`, `[-key …]`, `[–key …]`.
    #[error("options begin with two hyphens: --key, --uid, --pwd, --post, --alias, --srv, --delta, --status")]
    Hyphens,
    /// `--xyz`.
    #[error("`--{0}` is no option: expected --key, --uid, --pwd, --post, --alias, --srv, --delta or --status")]
    UnknownOption(String),
    /// An option that is known, elsewhere.
    #[error("`--{option}` has no place in {dialect}")]
    OptionNotHere {
        /// The option.
        option: &'static str,
        /// The parameter.
        dialect: &'static str,
    },
    /// `--key` and nothing.
    #[error("`--{0}` needs an argument")]
    Argument(&'static str),
    /// `--post x`.
    #[error("`--{0}` takes a general purpose parameter by its letter, a to p")]
    Register(&'static str),
    /// The same option again.
    #[error("`--{0}` stands twice, or beside another kind of report")]
    Twice(&'static str),
    /// `[]`.
    #[error("there is no option in the brackets")]
    NoOption,
    /// Options of an upgrade rule.
    #[error("an upgrade rule takes no [options]")]
    OptionsOfUpgrade,
    /// Options and no URL.
    #[error("options belong to a URL, and none follows")]
    OptionsWithoutUrl,
    /// Text after the URL.
    #[error("a URL ends at a blank: expected `|` or the end of the rule")]
    AfterUrl,
    /// A third report.
    #[error("a report rule has two URLs at the most")]
    TooManyTargets,
    /// A URL that no phone fetches.
    #[error(transparent)]
    Url(#[from] UrlError),
}

impl RuleError {
    /// The fault at a byte of the rule's text.
    pub(super) fn new(text: &str, at: usize, fault: RuleFault) -> Self {
        let at = text.floor_char_boundary(at.min(text.len()));
        let character = text[..at].chars().count();
        let excerpt = excerpt(&masked(text), character);
        Self { fault, at, character, excerpt }
    }

    /// What is wrong, on one line.
    #[must_use]
    pub fn fault(&self) -> &RuleFault {
        &self.fault
    }

    /// The byte of the rule's text at which it is wrong.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The rule around the fault, and the caret below it: two lines.
    #[must_use]
    pub fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

/// The characters around the fault, and a caret.
fn excerpt(text: &[char], character: usize) -> String {
    let (from, to) = (character.saturating_sub(BEFORE), (character + AFTER).min(text.len()));
    let mut lines = String::from("  ");
    let mut caret = character - from;
    if from > 0 {
        lines.push('…');
        caret += 1;
    }
    lines.extend(&text[from..to]);
    if to < text.len() {
        lines.push('…');
    }
    // Writing to a string does not fail.
    let _ = write!(lines, "\n  {:>1$}", '^', caret + 1);
    lines
}

/// The text's characters, one for one, with what follows `--key`, `--pwd` and `NAME =` hidden and line breaks as blanks.
fn masked(text: &str) -> Vec<char> {
    let mut shown: Vec<char> =
        text.chars().map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c }).collect();
    let mut at = 0;
    while at < shown.len() {
        let hidden = secret_after(&shown, at);
        if let Some((start, end)) = hidden {
            shown[start..end].fill('•');
            at = end;
        }
        at += 1;
    }
    shown
}

/// The characters from the start to the end of a secret that is announced at `at`.
fn secret_after(text: &[char], at: usize) -> Option<(usize, usize)> {
    let blank = |from: usize| from + text[from..].iter().take_while(|c| **c == ' ').count();
    let announced = SECRETS.iter().any(|name| text[at..].starts_with(name));
    let ends = !text.get(at + 3).is_some_and(char::is_ascii_alphanumeric);
    if announced && ends && at > 0 && matches!(text[at - 1], '-' | '–' | '—' | '[') {
        let start = blank((at + 3).min(text.len()));
        let quoted = matches!(text.get(start), Some('"' | '“' | '”'));
        let (start, ends): (usize, &[char]) =
            if quoted { (start + 1, &['"', '“', '”', ']']) } else { (start, &[' ', ']']) };
        let end = text[start..].iter().position(|c| ends.contains(c)).map_or(text.len(), |length| start + length);
        return Some((start, end));
    }
    if text[at..].starts_with(&[':', '/', '/']) {
        return password_of_url(text, at + 3);
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if matches!(text[at], '?' | '&') {
        return field_of_query(text, at + 1);
    }
    if text[at] == '=' && at > 0 {
        let before = text[..at].iter().rposition(|c| *c != ' ')?;
        let name = text[..=before].iter().rposition(|c| !is_name(*c)).map_or(0, |end| end + 1);
        let macro_before = name > 0 && matches!(text[name - 1], '$' | '"' | ')' | ':');
        let start = blank(at + 1);
        if name <= before && !macro_before && text.get(start) == Some(&'"') {
            let end = text[start + 1..].iter().position(|c| *c == '"').map_or(text.len(), |end| start + 1 + end);
            return Some((start + 1, end));
        }
    }
    None
}

/// `?password=secret`: the value of the field whose name begins at `start`.
fn field_of_query(text: &[char], start: usize) -> Option<(usize, usize)> {
    let length = text[start..].iter().position(|c| !(c.is_ascii_alphanumeric() || "_-.".contains(*c)))?;
    let name: String = text[start..start + length].iter().collect();
    let value = start + length + 1;
    if text[value - 1] != '=' || !is_secret_field(&name) {
        return None;
    }
    let end = text[value..].iter().position(|c| " &|\"]<>".contains(*c)).map_or(text.len(), |length| value + length);
    Some((value, end))
}

/// `https://user:password@host`: the password of the URL whose server begins at `start`.
fn password_of_url(text: &[char], start: usize) -> Option<(usize, usize)> {
    let server = text[start..].iter().take_while(|c| !matches!(c, '/' | ' ' | '?' | '|' | '"' | ']')).count();
    let end = start + text[start..start + server].iter().rposition(|c| *c == '@')?;
    let colon = start + text[start..end].iter().position(|c| *c == ':')?;
    Some((colon + 1, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, at: usize) -> String {
        RuleError::new(text, at, RuleFault::Operand).to_string()
    }

    #[test]
    fn the_caret_stands_under_the_character() {
        let message = shown("(é lt)? x", 6);
        assert_eq!(
            message,
            "expected a macro, a number, a version or a text in double quotes, at character 6\n  (é lt)? x\n       ^"
        );
    }

    #[test]
    fn a_long_rule_is_shown_around_the_fault() {
        let text = "é".repeat(5000) + "X" + &"z".repeat(5000);
        let lines: Vec<String> = shown(&text, 10_000).lines().map(str::to_owned).collect();
        assert!(lines.iter().all(|line| line.chars().count() < 90), "{lines:?}");
        let caret = lines[2].chars().position(|c| c == '^').expect("a caret");
        assert_eq!(lines[1].chars().nth(caret), Some('X'));
    }

    #[test]
    fn secrets_are_masked() {
        let cases = [
            "[--key s3cret] htp://x",
            "[--key \"s3cret and more\" --post x] http://a/b",
            "[–key s3cret] http://a/b",
            "[key s3cret] http://a/b",
            "[--uid u --pwd s3cret",
            "[--key “s3cret”] x",
            "[--key\"s3cret\" x",
            "[--pwd\ns3cret",
            "(Admin_Password = \"s3cret\" x)! /y",
            "(Admin_Password=\"s3cret",
            "https://user:s3cret@host/x y",
            "[--uid u] http://u:a@s3cret:s3cret@h x",
            "http://h/a?user=u&password=s3cret x",
            "http://h/a?token=s3cret",
        ];
        for text in cases {
            let message = shown(text, text.len());
            assert!(!message.contains("s3cret"), "{message}");
        }
        assert!(shown("(\"$A\" = \"shown\")? x", 3).contains("shown"));
        assert!(shown("( $A = \"shown\")? x", 3).contains("shown"));
    }
}
