//! The keys that rules encrypt with: each is made once for every file that the rule has, and told of once.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::app::App;
use crate::config::Proof;
use crate::profile::macros::Macros;
use crate::provision::{self, Profile, Refusal};

/// What came of the keys, by the rule's place.
pub(super) struct Keys {
    /// Until codes have been given out, nobody knows which variables they bring.
    has_codes: bool,
    tried: BTreeSet<usize>,
    failed: BTreeMap<usize, Failure>,
}

struct Failure {
    reason: String,
    /// The first file that is not served for it; none for a rule without files.
    file: Option<String>,
    more: usize,
}

impl Keys {
    /// None is tried yet.
    pub(super) fn new(has_codes: bool) -> Self {
        Self { has_codes, tried: BTreeSet::new(), failed: BTreeMap::new() }
    }

    /// Makes the key for a file that a phone was granted; whether there is one.
    pub(super) fn open(&mut self, app: &App, file: &str, profile: &Profile) -> Result<(), Refusal> {
        let (place, proof) = (profile.grant().treatment().place, profile.grant().treatment().proof);
        self.tried.insert(place);
        let tried = provision::try_key(&app.line, profile);
        if let Err(refusal) = &tried
            && !self.awaits(proof, refusal)
        {
            let failure = || Failure { reason: refusal.to_string(), file: Some(file.to_owned()), more: 0 };
            self.failed.entry(place).and_modify(|failure| failure.more += 1).or_insert_with(failure);
        }
        tried
    }

    /// One finding a rule. Those that no file has are tried with a value for every macro.
    pub(super) fn findings(mut self, app: &App, macros: &Macros) -> Vec<Finding> {
        let rules = &app.config.rules;
        for (place, rule) in rules.iter().enumerate().filter(|(place, _)| !self.tried.contains(place)) {
            let tried = rule.encryption.as_ref().map(|encryption| provision::try_sample(&app.line, encryption, macros));
            match tried {
                Some(Err(refusal)) if !self.awaits(rule.proof, &refusal) => {
                    let reason = refusal.to_string();
                    self.failed.insert(place, Failure { reason, file: None, more: 0 });
                }
                Some(_) | None => {}
            }
        }
        let finding = |(place, failure): (usize, Failure)| {
            let path = &rules.get(place)?.path;
            let Failure { reason, file, more } = failure;
            let message = match (file, more) {
                (None, _) => reason,
                (Some(file), 0) => format!("{reason}: {file} is not served"),
                (Some(file), more) => format!("{reason}: {file} and {more} more are not served"),
            };
            Some(Finding::error(format!("rule {path}"), message))
        };
        self.failed.into_iter().filter_map(finding).collect()
    }

    /// Whether all that is missing is a variable that the first code may bring.
    pub(super) fn awaits(&self, proof: Option<Proof>, refusal: &Refusal) -> bool {
        let lacks_variable = matches!(refusal, Refusal::Template(error) if error.lacks_variable());
        proof == Some(Proof::Code) && !self.has_codes && lacks_variable
    }
}
