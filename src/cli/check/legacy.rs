//! What a listener for old phones serves: TLS 1.0 and its suites keep no secret from somebody who records and waits, so
//! a device's file should be encrypted on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Finding;
use crate::config::{Config, Protocol, Speaks, TlsKind};
use crate::provision::Treatment;

/// The rules that send devices' files over such a listener without encrypting them.
pub(super) struct Exposed {
    has_listener: bool,
    /// By the rule's place: its name, the first of its files, and how many more.
    rules: BTreeMap<usize, (Arc<str>, String, usize)>,
}

impl Exposed {
    /// None yet.
    pub(super) fn new(config: &Config) -> Self {
        let is_legacy = |speaks: &Speaks| matches!(speaks, Speaks::Https(tls) if tls.kind == TlsKind::Legacy);
        Self { has_listener: config.listen.iter().any(|listen| is_legacy(&listen.speaks)), rules: BTreeMap::new() }
    }

    /// Takes note of a device's file with its rule.
    pub(super) fn note(&mut self, file: &str, rule: &Treatment) {
        let over_https = rule.listeners.as_ref().is_none_or(|listeners| listeners.contains(&Protocol::Https));
        if self.has_listener && over_https && rule.encryption.is_none() {
            let files = self.rules.entry(rule.place);
            files.and_modify(|files| files.2 += 1).or_insert_with(|| (rule.name.clone(), file.to_owned(), 0));
        }
    }

    /// One finding a rule, however many files it has.
    pub(super) fn findings(self) -> impl Iterator<Item = Finding> {
        self.rules.into_values().map(|(name, file, more)| {
            let files = if more == 0 { file } else { format!("{file} and {more} more") };
            let message = format!(
                "sends devices' files ({files}) to old phones with nothing but their TLS around it: add encrypt"
            );
            Finding::warning(format!("rule {name}"), message)
        })
    }
}
