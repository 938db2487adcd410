//! From text to a rule, once from left to right.

use super::assignment::Assignment;
use super::condition::Condition;
use super::cursor::Cursor;
use super::error::{RuleError, RuleFault};
use super::options::Options;
use super::url::{Scheme, Url, UrlError};
use super::{Alternative, Dialect, Expansion, Rule, Target};

/// The longest rule in bytes. Phones take less: long URLs rebooted some (Cisco bug `CSCvi74170`).
const LONGEST: usize = 64 * 1024;

/// The most alternatives.
const MOST_ALTERNATIVES: usize = 1024;

/// Stands for the server of DHCP option 66 while a rule is checked without one.
const SOME_SERVER: &str = "dhcp";

/// What a group in parentheses is, by the mark after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Condition,
    Assignments,
}

impl Rule {
    /// Reads a rule. Blanks and line breaks may stand between its parts; an empty text is a rule that does nothing.
    ///
    /// # Errors
    /// The first thing that a phone would not understand, and where it is.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, RuleError> {
        let mut cursor = Cursor::new(text);
        if text.len() > LONGEST {
            return Err(cursor.fault_at(LONGEST, RuleFault::TooLong(LONGEST)));
        }
        cursor.skip_blanks();
        if cursor.peek().is_none() {
            return Ok(Self { dialect, alternatives: Vec::new() });
        }
        if dialect == Dialect::Trigger {
            return trigger(&mut cursor);
        }
        let mut alternatives = Vec::new();
        loop {
            if alternatives.len() == MOST_ALTERNATIVES {
                return Err(cursor.fault(RuleFault::TooManyAlternatives(MOST_ALTERNATIVES)));
            }
            alternatives.push(alternative(&mut cursor, dialect)?);
            if !cursor.eat("|") {
                return Ok(Self { dialect, alternatives });
            }
        }
    }
}

fn trigger(cursor: &mut Cursor<'_>) -> Result<Rule, RuleError> {
    if cursor.peek() == Some('(') {
        return Err(cursor.fault(RuleFault::Parenthesised));
    }
    let condition = Some(Condition::parse(cursor)?);
    match cursor.peek() {
        None => Ok(Rule {
            dialect: Dialect::Trigger,
            alternatives: vec![Alternative { condition, ..Alternative::default() }],
        }),
        Some(_) => Err(cursor.fault(RuleFault::TriggerEnd)),
    }
}

/// Reads an alternative up to `|` or the end, and leaves the cursor there.
fn alternative(cursor: &mut Cursor<'_>, dialect: Dialect) -> Result<Alternative, RuleError> {
    let mut alternative = Alternative::default();
    cursor.skip_blanks();
    while cursor.peek() == Some('(') {
        let opened = cursor.at();
        let group = group(cursor)?;
        let in_order =
            alternative.assignments.is_empty() && (group == Group::Assignments || alternative.condition.is_none());
        if !in_order {
            return Err(cursor.fault_at(opened, RuleFault::Order));
        }
        cursor.eat("(");
        match group {
            Group::Condition => alternative.condition = Some(Condition::parse(cursor)?),
            Group::Assignments => alternative.assignments = Assignment::parse_all(cursor)?,
        }
        cursor.eat(")");
        cursor.skip_blanks();
        let _ = cursor.eat("?") || cursor.eat("!");
        cursor.skip_blanks();
    }
    while !matches!(cursor.peek(), None | Some('|')) {
        let most = if dialect == Dialect::Report { 2 } else { 1 };
        if alternative.targets.len() == most {
            let fault = if most == 2 { RuleFault::TooManyTargets } else { RuleFault::AfterUrl };
            return Err(cursor.fault(fault));
        }
        alternative.targets.push(target(cursor, dialect)?);
        cursor.skip_blanks();
    }
    Ok(alternative)
}

/// Looks ahead over the group that begins here: its end, outside of quotes, and the mark after it. Public templates
/// write `( … ) ?` with a blank, too.
fn group(cursor: &Cursor<'_>) -> Result<Group, RuleError> {
    let (mut depth, mut in_text) = (0_usize, false);
    for (at, c) in cursor.rest().char_indices() {
        match c {
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let after = &cursor.rest()[at + 1..];
            return match after.trim_start().chars().next() {
                Some('?') => Ok(Group::Condition),
                Some('!') => Ok(Group::Assignments),
                _ => Err(cursor.fault_at(cursor.at() + at + 1, RuleFault::Mark)),
            };
        }
    }
    Err(cursor.fault(RuleFault::OpenParenthesis))
}

fn target(cursor: &mut Cursor<'_>, dialect: Dialect) -> Result<Target, RuleError> {
    let opened = cursor.at();
    let options = if cursor.peek() == Some('[') { Options::parse(cursor, dialect)? } else { Options::default() };
    cursor.skip_blanks();
    let at = cursor.at();
    let text = cursor.take_until(|c| c.is_whitespace() || c == '|');
    if text.is_empty() {
        return Err(cursor.fault_at(opened, RuleFault::OptionsWithoutUrl));
    }
    let url = Expansion::parse(text);
    match check(&url, dialect) {
        Ok(()) => Ok(Target { options, url }),
        Err(error) => Err(cursor.fault_at(at + error.place(url.head()), error)),
    }
}

/// Checks what can be known of a URL before its macros are expanded.
fn check(url: &Expansion, dialect: Dialect) -> Result<(), UrlError> {
    let head = url.head();
    let begins_with_path = head.split_once("://").map_or(head, |(_, rest)| rest).starts_with('/');
    if dialect == Dialect::Upgrade && begins_with_path {
        return Err(UrlError::ServerNeeded);
    }
    if url.is_literal() {
        return Url::parse(head, Some(SOME_SERVER)).map(|_| ());
    }
    match head.split_once("://") {
        Some((scheme, _)) if !scheme.contains('/') && !scheme.eq_ignore_ascii_case("gds") => {
            Scheme::parse(scheme).map(|_| ())
        }
        _ => Ok(()),
    }
}
