//! What a phone does by a rule, and why.

use std::collections::BTreeSet;

use super::condition::{Condition, Judgement, Outcome};
use super::options::Access;
use super::url::{Location, Url, UrlError};
use super::{Alternative, Dialect, Rule, Target};
use crate::profile::expansion::Scope;
use crate::profile::variable::{Lookup, Variable};

/// What comes of a rule for one phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// What became of each alternative, in the rule's order.
    pub verdicts: Vec<Verdict>,
    /// The alternative that is taken; `None`: the rule is skipped.
    pub taken: Option<Taken>,
    /// Variables that were looked at and have no value.
    pub unset: BTreeSet<Variable>,
}

/// What became of an alternative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It has no condition, or every comparison of it holds.
    Taken(Vec<Judgement>),
    /// The last of these comparisons does not hold.
    Refused(Vec<Judgement>),
    /// One before it was taken.
    NotReached,
}

/// What a phone does by the alternative that is taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Its place in the rule, from 0.
    pub alternative: usize,
    /// Parameters with their new values, which are set before anything is fetched.
    pub assignments: Vec<(String, String)>,
    /// What is fetched or sent; empty where the alternative has no URL.
    pub fetches: Vec<Fetch>,
}

/// One URL and how it is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetch {
    /// The URL as it is written, macros expanded.
    pub expanded: String,
    /// The same with the phone's defaults.
    pub location: Result<Location, UrlError>,
    /// The options.
    pub access: Access,
}

impl Rule {
    /// Decides as a phone with these values does: from left to right, the first alternative whose condition holds is
    /// taken (Cisco MPP guide, "Profile Rules"). Macros are expanded in the parts of a rule as it is read, so a value
    /// that itself looks like rule syntax is text here; whether phones read it again is not documented. Expansion comes
    /// before assignments (the same guide, "Macro Expansion"): what a rule assigns counts from the next resync on.
    #[must_use]
    pub fn evaluate(&self, lookup: &dyn Lookup) -> Decision {
        let mut taken = None;
        let mut unset = BTreeSet::new();
        let mut verdicts = Vec::with_capacity(self.alternatives().len());
        for (place, alternative) in self.alternatives().iter().enumerate() {
            if taken.is_some() {
                verdicts.push(Verdict::NotReached);
                continue;
            }
            let judgements = alternative.condition.as_ref().map(|condition| judge(condition, lookup, &mut unset));
            let judgements = judgements.unwrap_or_default();
            if judgements.iter().all(|judgement| judgement.outcome == Outcome::True) {
                taken = Some(alternative.take(place, self.dialect(), lookup, &mut unset));
                verdicts.push(Verdict::Taken(judgements));
            } else {
                verdicts.push(Verdict::Refused(judgements));
            }
        }
        Decision { verdicts, taken, unset }
    }
}

impl Alternative {
    fn take(&self, place: usize, dialect: Dialect, lookup: &dyn Lookup, unset: &mut BTreeSet<Variable>) -> Taken {
        let values = self.assignments.iter().map(|assignment| {
            note(assignment.value().variables(), lookup, unset);
            (assignment.parameter().to_owned(), assignment.value().expand(lookup, Scope::Text))
        });
        let assignments = values.collect();
        let fetches = self.targets.iter().map(|target| target.fetch(dialect, lookup, unset)).collect();
        Taken { alternative: place, assignments, fetches }
    }
}

impl Target {
    fn fetch(&self, dialect: Dialect, lookup: &dyn Lookup, unset: &mut BTreeSet<Variable>) -> Fetch {
        let arguments = self.options.expansions().flat_map(super::Expansion::variables);
        note(self.url.variables().filter(|variable| !matches!(variable, Variable::Special(_))), lookup, unset);
        note(arguments, lookup, unset);
        let expanded = self.url.expand(lookup, Scope::Text);
        let server = match dialect {
            Dialect::Upgrade => None,
            Dialect::Profile | Dialect::Report | Dialect::Upload | Dialect::Trigger => lookup.server(),
        };
        let location = Url::parse(&expanded, server).map_err(|error| match (error, dialect) {
            (UrlError::NoServer, Dialect::Upgrade) => UrlError::ServerNeeded,
            (error, _) => error,
        });
        Fetch { expanded, location, access: self.options.expand(lookup) }
    }
}

fn judge(condition: &Condition, lookup: &dyn Lookup, unset: &mut BTreeSet<Variable>) -> Vec<Judgement> {
    let judgements = condition.judge(lookup);
    note(condition.expansions().take(2 * judgements.len()).flat_map(super::Expansion::variables), lookup, unset);
    judgements
}

/// Notes the variables that have no value.
fn note(variables: impl Iterator<Item = Variable>, lookup: &dyn Lookup, unset: &mut BTreeSet<Variable>) {
    unset.extend(variables.filter(|variable| lookup.value(*variable).is_none()));
}
