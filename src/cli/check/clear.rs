//! Rules whose paths name no device, and that are for devices' files all the same: one for `/**` is for each of them.

use std::collections::BTreeMap;

use super::Finding;
use super::rules::{Fault, fault_of, names_device};
use crate::app::App;
use crate::profile::macros::Macros;
use crate::profile::path::RequestPath;

/// The rules at fault, by their place, each with the first file that it is at fault with.
#[derive(Default)]
pub(super) struct Clear(BTreeMap<usize, (Fault, String)>);

impl Clear {
    /// Takes note of a device's file: with the rule that a sample phone's path has, and with each before that one which
    /// another phone's path may have. Rules whose own paths name a device are told of without any file.
    pub(super) fn note(&mut self, app: &App, file: &str, asked: &RequestPath, macros: &Macros) {
        let place = app.line.rules.treatment(asked).0.place;
        for (index, rule) in app.config.rules.iter().enumerate().take(place.saturating_add(1)) {
            let fault = fault_of(rule).filter(|_| !names_device(rule) && !self.0.contains_key(&index));
            let Some(fault) = fault else { continue };
            let is_meant = || {
                let path = rule.path.path_to(file, macros)?;
                let path = RequestPath::from_tftp(path.as_bytes()).ok()?;
                let found = app.line.tree.find(&path).ok()??;
                Some(*found.file == *file && app.line.rules.treatment(&path).0.place == index)
            };
            if index == place || is_meant() == Some(true) {
                self.0.insert(index, (fault, file.to_owned()));
            }
        }
    }

    /// One finding a rule.
    pub(super) fn findings(self, app: &App) -> impl Iterator<Item = Finding> {
        self.0.into_iter().filter_map(|(place, (fault, file))| {
            let rule = app.config.rules.get(place)?;
            Some(Finding::warning(format!("rule {}", rule.path), fault.of_files(rule, &file)))
        })
    }
}
