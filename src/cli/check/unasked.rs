//! Rules that no file has: perhaps a misspelt path, and the file that was meant goes out without the rule.

use std::collections::BTreeSet;

use super::Finding;
use crate::config::Config;

/// The rules that no file has been seen of, by their place.
pub(super) struct Unasked(BTreeSet<usize>);

impl Unasked {
    /// Those that give files, whatever those are called. The reflector is no file.
    pub(super) fn new(config: &Config) -> Self {
        let rules = config.rules.iter().enumerate().filter(|(_, rule)| {
            let reflects = config.reflect.as_ref().is_some_and(|path| rule.path.bind(path).is_some());
            rule.accept.is_none() && !reflects
        });
        Self(rules.map(|(place, _)| place).collect())
    }

    /// Takes note of a file.
    pub(super) fn note(&mut self, config: &Config, file: &str) {
        self.0.retain(|place| config.rules.get(*place).is_some_and(|rule| !rule.path.may_mean(file)));
    }

    /// What is left.
    pub(super) fn findings(self, config: &Config) -> impl Iterator<Item = Finding> {
        self.0.into_iter().filter_map(|place| config.rules.get(place)).map(|rule| {
            let message = "no file below profiles is asked for by this path";
            Finding::warning(format!("rule {}", rule.path), message)
        })
    }
}
