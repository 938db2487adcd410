//! Profile rules inside values, and what suits them not.

use super::entry::Entry;
use super::{Code, Finding, Findings, Look, Sent, Severity};
use crate::profile::flat::Place;
use crate::profile::mask::{in_passing, is_macro, masked};
use crate::profile::parameters::is_secret;
use crate::profile::rule::{Access, Dialect, Rule, RuleFault, Target};
use crate::profile::values::Values;

pub(super) fn look(look: &Look<'_>, entries: &[Entry<'_>], findings: &mut Findings) {
    let fips = entries.iter().rev().find(|entry| entry.name() == "FIPS_Mode");
    let fips = fips.is_some_and(|entry| entry.value().eq_ignore_ascii_case("Enabled"));
    for entry in entries.iter().filter(|entry| entry.router.is_none()) {
        let Some(dialect) = Dialect::of_parameter(entry.name()) else { continue };
        match Rule::parse(entry.value(), dialect) {
            Ok(rule) => read(look, entry, &rule, fips, findings),
            Err(error) => {
                let fault = error.fault().to_string();
                let fault = match error.fault() {
                    // These have a part of the rule in them.
                    RuleFault::Literal(_) | RuleFault::Url(_) => masked(entry.name(), &fault),
                    _ => fault.into(),
                };
                let message = format!("{}: {fault}", entry.name());
                let place = place(look, entry, error.offset());
                findings.push(Finding::new(Code::BadRule, place, message).about(entry.name()));
            }
        }
    }
}

/// The place of a byte of the value, where the value stands in the file as it is; else the element's.
fn place(look: &Look<'_>, entry: &Entry<'_>, offset: usize) -> Place {
    let content = &entry.element.content;
    let written = look.document.source(content);
    match written.trim() == entry.value() {
        true => look.document.place(content.start + (written.len() - written.trim_start().len()) + offset),
        false => entry.element.place,
    }
}

/// A rule that can be read.
fn read(look: &Look<'_>, entry: &Entry<'_>, rule: &Rule, fips: bool, findings: &mut Findings) {
    let finding = |code, message: String| Finding::new(code, entry.element.place, message).about(entry.name());
    for doubt in rule.doubts() {
        findings.push(finding(Code::DoubtfulRule, format!("{}: {doubt}", entry.name())));
    }
    let targets = || rule.alternatives().iter().flat_map(|alternative| &alternative.targets);
    if look.context.sent == Sent::Clear && holds_secret(rule) {
        let message = format!("{} holds a key or password, and the file goes out in clear", entry.name());
        findings.push(finding(Code::SecretInClear, message));
    }
    if !fips {
        return;
    }
    if targets().any(|target| access(target).key.is_some()) {
        let message = format!("{} decrypts with --key, and FIPS_Mode is Enabled", entry.name());
        findings.push(finding(Code::KeyUnderFips, message));
    }
    let challenged: Vec<_> = targets().filter(|target| access(target).uid.is_some()).collect();
    if !challenged.is_empty() {
        let secure = challenged.iter().all(|target| target.url.to_string().starts_with("https://"));
        let severity = if secure { Severity::Note } else { Severity::Warning };
        let message = format!("{} has --uid and --pwd, and FIPS_Mode is Enabled: Digest is not answered", entry.name());
        findings.push(finding(Code::DigestUnderFips, message).only(severity));
    }
}

/// Whether a key or password stands in the rule: as an option's argument, in a URL, or as what a secret is set to.
fn holds_secret(rule: &Rule) -> bool {
    let in_url = |target: &Target| {
        let url = target.url.to_string();
        in_passing(&url) != url
    };
    rule.alternatives().iter().any(|alternative| {
        let mut set = alternative.assignments.iter().map(|one| (one.parameter(), one.value().to_string()));
        set.any(|(name, value)| is_secret(name) && masked(name, &value) != value && !is_macro(&value))
            || alternative.targets.iter().any(|target| target.options.has_literal_secret() || in_url(target))
    })
}

/// The options that are there, whatever they expand to.
fn access(target: &Target) -> Access {
    target.options.expand(&Values::default())
}
