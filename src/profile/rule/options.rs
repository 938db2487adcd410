//! Options: what a phone does beside asking for the URL.

use std::fmt;

use super::Dialect;
use super::cursor::Cursor;
use super::error::{RuleError, RuleFault};
use crate::device::Secret;
use crate::profile::expansion::{Expansion, Scope};
use crate::profile::macros::Register;
use crate::profile::variable::Lookup;

/// What is between `[` and `]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    key: Option<Argument>,
    uid: Option<Argument>,
    pwd: Option<Argument>,
    post: Option<Register>,
    alias: Option<Register>,
    srv: bool,
    report: Report,
}

/// The options with their macros expanded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// `--key`: the pass phrase of the file, as `openssl enc -k` takes it.
    pub key: Option<Secret>,
    /// `--uid`: the user of a Basic or Digest challenge.
    pub uid: Option<Secret>,
    /// `--pwd`: the password.
    pub pwd: Option<Secret>,
    /// `--post`: ask by POST; the body is what this register holds, expanded.
    pub post: Option<Register>,
    /// `--alias`: rename the elements of the answer by the map in this register.
    pub alias: Option<Register>,
    /// `--srv`: look the server up by SRV first.
    pub srv: bool,
    /// What is sent, in a report rule.
    pub report: Report,
}

/// What a report holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Report {
    /// Every parameter.
    #[default]
    Full,
    /// `--delta`: what changed since the last report.
    Delta,
    /// `--status`: the status data.
    Status,
}

/// An argument that may be a secret: its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
struct Argument(Expansion);

/// The name of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Name {
    Key,
    Uid,
    Pwd,
    Post,
    Alias,
    Srv,
    Delta,
    Status,
}

const NAMES: [(Name, &str); 8] = [
    (Name::Key, "key"),
    (Name::Uid, "uid"),
    (Name::Pwd, "pwd"),
    (Name::Post, "post"),
    (Name::Alias, "alias"),
    (Name::Srv, "srv"),
    (Name::Delta, "delta"),
    (Name::Status, "status"),
];

impl Options {
    /// Reads options from `[`, which stands here, past `]`.
    pub(super) fn parse(cursor: &mut Cursor<'_>, dialect: Dialect) -> Result<Self, RuleError> {
        let opened = cursor.at();
        if dialect == Dialect::Upgrade {
            return Err(cursor.fault(RuleFault::OptionsOfUpgrade));
        }
        cursor.eat("[");
        let mut options = Self::default();
        loop {
            cursor.skip_blanks();
            if cursor.eat("]") {
                let none = options == Self::default();
                return if none { Err(cursor.fault_at(opened, RuleFault::NoOption)) } else { Ok(options) };
            }
            if cursor.peek().is_none() {
                return Err(cursor.fault_at(opened, RuleFault::OpenBracket));
            }
            options.take(cursor, dialect)?;
        }
    }

    /// Reads one option with its argument.
    fn take(&mut self, cursor: &mut Cursor<'_>, dialect: Dialect) -> Result<(), RuleError> {
        let at = cursor.at();
        if !cursor.eat("--") {
            return Err(cursor.fault(RuleFault::Hyphens));
        }
        let word = cursor.take_until(|c| c.is_whitespace() || matches!(c, ']' | '"' | '“'));
        let named = NAMES.iter().find(|(_, text)| *text == word);
        let (name, text) = *named.ok_or_else(|| cursor.fault_at(at, RuleFault::UnknownOption(shown(word))))?;
        if !name.belongs_to(dialect) {
            let fault = RuleFault::OptionNotHere { option: text, dialect: dialect.parameter() };
            return Err(cursor.fault_at(at, fault));
        }
        let fresh = match name {
            Name::Key => put(&mut self.key, Argument::parse(cursor, text)?),
            Name::Uid => put(&mut self.uid, Argument::parse(cursor, text)?),
            Name::Pwd => put(&mut self.pwd, Argument::parse(cursor, text)?),
            Name::Post => put(&mut self.post, register(cursor, text)?),
            Name::Alias => put(&mut self.alias, register(cursor, text)?),
            Name::Srv => !std::mem::replace(&mut self.srv, true),
            Name::Delta => std::mem::replace(&mut self.report, Report::Delta) == Report::Full,
            Name::Status => std::mem::replace(&mut self.report, Report::Status) == Report::Full,
        };
        if fresh { Ok(()) } else { Err(cursor.fault_at(at, RuleFault::Twice(text))) }
    }

    /// The options with the values in place of macros.
    #[must_use]
    pub fn expand(&self, lookup: &dyn Lookup) -> Access {
        let expand = |argument: &Option<Argument>| {
            argument.as_ref().map(|Argument(text)| Secret::new(text.expand(lookup, Scope::Argument)))
        };
        Access {
            key: expand(&self.key),
            uid: expand(&self.uid),
            pwd: expand(&self.pwd),
            post: self.post,
            alias: self.alias,
            srv: self.srv,
            report: self.report,
        }
    }

    /// The arguments with macros in them.
    pub fn expansions(&self) -> impl Iterator<Item = &Expansion> {
        [&self.key, &self.uid, &self.pwd].into_iter().flatten().map(|Argument(text)| text)
    }

    /// Whether a key or a password stands in the rule in clear text.
    #[must_use]
    pub fn has_literal_secret(&self) -> bool {
        [&self.key, &self.pwd].into_iter().flatten().any(|Argument(text)| text.is_literal())
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Name {
    /// Where the guides have the option: `--delta` and `--status` in report rules, the others of those in `Report_Rule`
    /// are key, uid and pwd (Cisco MPP guide, "Report"; SPA Provisioning Guide); `PRT_Upload_Rule` has uid and pwd.
    fn belongs_to(self, dialect: Dialect) -> bool {
        match dialect {
            Dialect::Profile => !matches!(self, Self::Delta | Self::Status),
            Dialect::Report => !matches!(self, Self::Post | Self::Alias | Self::Srv),
            Dialect::Upload => matches!(self, Self::Uid | Self::Pwd),
            Dialect::Upgrade | Dialect::Trigger => false,
        }
    }
}

impl Argument {
    /// Reads an argument: in double quotes, or up to a blank or `]`.
    fn parse(cursor: &mut Cursor<'_>, option: &'static str) -> Result<Self, RuleError> {
        cursor.skip_blanks();
        let text = match cursor.peek() {
            Some('"') => cursor.quoted()?,
            Some(quote @ ('“' | '”' | '„')) => return Err(cursor.fault(RuleFault::CurlyQuote(quote))),
            _ if cursor.rest().starts_with("--") => "",
            _ => cursor.take_until(|c| c.is_whitespace() || c == ']'),
        };
        if text.is_empty() {
            return Err(cursor.fault(RuleFault::Argument(option)));
        }
        Ok(Self(Expansion::parse(text)))
    }
}

/// A name that is none, as it may be shown: a secret may stick to it.
fn shown(word: &str) -> String {
    let name = word.split("--").next().unwrap_or_default();
    let name = &name[..name.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(name.len())];
    let name = ["key", "pwd"].into_iter().find(|secret| name.starts_with(secret)).unwrap_or(name);
    if name == word { name.to_owned() } else { format!("{name}…") }
}

fn register(cursor: &mut Cursor<'_>, option: &'static str) -> Result<Register, RuleError> {
    cursor.skip_blanks();
    let at = cursor.at();
    let text = cursor.take_until(|c| c.is_whitespace() || c == ']');
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter @ 'a'..='p'), None) => Register::lettered(letter),
        _ => None,
    }
    .ok_or_else(|| cursor.fault_at(at, RuleFault::Register(option)))
}

/// Puts a value into an empty place; `false` when it was taken.
fn put<T>(place: &mut Option<T>, value: T) -> bool {
    place.replace(value).is_none()
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argument(••••)")
    }
}

impl fmt::Display for Argument {
    /// In quotes where it needs them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let bare = !text.starts_with("--") && !text.contains(|c: char| c.is_whitespace() || c == ']');
        if bare { f.write_str(&text) } else { write!(f, "\"{text}\"") }
    }
}

impl fmt::Display for Options {
    /// In a fixed order, keys and passwords as they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        let letter = |register: &Register| register.letter().to_ascii_lowercase();
        let mut words = Vec::new();
        let arguments = [("--key", &self.key), ("--uid", &self.uid), ("--pwd", &self.pwd)];
        words.extend(arguments.iter().filter_map(|(name, text)| Some(format!("{name} {}", text.as_ref()?))));
        let registers = [("--post", &self.post), ("--alias", &self.alias)];
        words.extend(
            registers.iter().filter_map(|(name, register)| Some(format!("{name} {}", letter(register.as_ref()?)))),
        );
        words.extend(self.srv.then(|| "--srv".to_owned()));
        match self.report {
            Report::Full => {}
            Report::Delta => words.push("--delta".to_owned()),
            Report::Status => words.push("--status".to_owned()),
        }
        write!(f, "[{}]", words.join(" "))
    }
}
