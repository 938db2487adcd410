//! The phones' rules: `Profile_Rule`, `Upgrade_Rule`, `Report_Rule`, `PRT_Upload_Rule`, `Resync_Trigger_*`.
//!
//! ```text
//! rule         alternative | alternative | …
//! alternative  [condition] [assignments] [[options] URL]
//! condition    ( $SWVER lt 2.0.6 and "$CCERT" eq "Installed" )?
//! assignments  ( Line_Enable_1_ = "No"; c = "$MA"; )!
//! options      [ --key "$SB" --uid u --pwd p --post a --alias b --srv --delta --status ]
//! URL          [scheme://][server[:port]]/path
//! ```
//!
//! [`Rule::parse`] reads a rule or says under which character it is wrong, in time that grows with its length only.
//! [`Rule::evaluate`] decides as a phone does and keeps the reasons. Grammar: Cisco MPP administration guide, "Provisioning
//! Formats"; SPA Provisioning Guide for what is marked legacy. This is what phones read; the server's own `[[rule]]` is
//! another thing.

mod assignment;
mod condition;
mod cursor;
mod decision;
mod doubt;
mod error;
mod literal;
mod options;
mod parse;
#[cfg(test)]
mod tests;
mod url;
mod version;

use std::fmt;

pub use assignment::Assignment;
pub use condition::{Comparison, Condition, Judgement, Operand, Operator, Outcome};
pub use decision::{Decision, Fetch, Taken, Verdict};
pub use doubt::Doubt;
pub use error::{RuleError, RuleFault};
pub use literal::{Literal, LiteralError};
pub use options::{Access, Options, Report};
pub use url::{Location, Scheme, Url, UrlError};
pub use version::{Family, Version};

use super::expansion::Expansion;

/// A rule as it was read. Two rules are equal when phones read the same in them; printed, a rule reads as the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    dialect: Dialect,
    alternatives: Vec<Alternative>,
}

/// Which parameter a rule stands in; the grammar differs a little.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `Profile_Rule`, `_B`, `_C`, `_D`.
    Profile,
    /// `Upgrade_Rule`: no options, and the server must be named.
    Upgrade,
    /// `Report_Rule`: up to two URLs with a blank between, each with its options.
    Report,
    /// `PRT_Upload_Rule`.
    Upload,
    /// `Resync_Trigger_1` and `_2`: a condition and nothing else, without parentheses.
    Trigger,
}

/// What is between two `|`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Alternative {
    /// When it is taken; `None`: always.
    pub condition: Option<Condition>,
    /// What is set first.
    pub assignments: Vec<Assignment>,
    /// What is fetched then: one URL or none, and up to two in a report rule.
    pub targets: Vec<Target>,
}

/// A URL with its options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// How it is asked for.
    pub options: Options,
    /// The URL, with macros in it.
    pub url: Expansion,
}

impl Dialect {
    /// The parameter as phones name it.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Profile => "Profile_Rule",
            Self::Upgrade => "Upgrade_Rule",
            Self::Report => "Report_Rule",
            Self::Upload => "PRT_Upload_Rule",
            Self::Trigger => "Resync_Trigger",
        }
    }

    /// What a phone does where such a rule is empty, or none of its alternatives is taken.
    #[must_use]
    pub const fn when_empty(self) -> &'static str {
        match self {
            Self::Profile => "the phone goes on with the next rule",
            Self::Upgrade => "the phone keeps its firmware",
            Self::Report | Self::Upload => "nothing is sent",
            Self::Trigger => "the trigger is off",
        }
    }

    /// The dialect of a parameter's value; `None` for parameters that hold no rule.
    #[must_use]
    pub fn of_parameter(name: &str) -> Option<Self> {
        Some(match name {
            "Profile_Rule" | "Profile_Rule_B" | "Profile_Rule_C" | "Profile_Rule_D" => Self::Profile,
            "Upgrade_Rule" => Self::Upgrade,
            "Report_Rule" => Self::Report,
            "PRT_Upload_Rule" => Self::Upload,
            "Resync_Trigger_1" | "Resync_Trigger_2" => Self::Trigger,
            _ => return None,
        })
    }
}

impl Rule {
    /// Which parameter the rule stands in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The alternatives, from left to right; none in an empty rule.
    #[must_use]
    pub fn alternatives(&self) -> &[Alternative] {
        &self.alternatives
    }
}

impl fmt::Display for Rule {
    /// Keys and passwords are printed as they are: this is the rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, alternative) in self.alternatives.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " | " })?;
            match (&alternative.condition, self.dialect) {
                (Some(condition), Dialect::Trigger) => condition.fmt(f)?,
                _ => alternative.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = self.condition.iter().map(|condition| format!("({condition})?")).collect();
        if !self.assignments.is_empty() {
            let list: Vec<String> = self.assignments.iter().map(ToString::to_string).collect();
            words.push(format!("({})!", list.join(" ")));
        }
        for Target { options, url } in &self.targets {
            words.extend([options.to_string(), url.to_string()].into_iter().filter(|word| !word.is_empty()));
        }
        f.write_str(&words.join(" "))
    }
}
