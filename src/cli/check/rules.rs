//! The rules among themselves, and against the listeners.

use super::Finding;
use crate::config::{Accept, Config, Proof, Protocol, Rule};
use crate::password::Scheme;
use crate::profile::macros::Macro;
use crate::profile::name::Name;

/// Looks at every rule.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, rule) in config.rules.iter().enumerate() {
        let place = format!("rule {}", rule.path);
        if config.rules[..index].iter().any(|earlier| earlier.path == rule.path) {
            let message = "an earlier rule has the same path, so this one is never asked";
            findings.push(Finding::error(&place, message));
        }
        let ambiguous = rule.path.names().filter_map(|name| name.check().err());
        findings.extend(ambiguous.map(|error| Finding::error(&place, error.to_string())));
        findings.extend(unknown_macros(rule).map(|message| Finding::warning(&place, message)));
        findings.extend(exposure(rule).map(|message| Finding::warning(&place, message)));
        findings.extend(clear_password(rule).map(|message| Finding::warning(&place, message)));
        findings.extend(without_listener(config, rule).map(|message| Finding::error(&place, message)));
    }
    findings
}

fn unknown_macros(rule: &Rule) -> impl Iterator<Item = String> {
    rule.path.names().filter_map(|name| stray_dollar(name.as_str()).map(|stray| stray_message(&stray)))
}

/// A device's profile that anybody gets, in clear.
fn exposure(rule: &Rule) -> Option<String> {
    if !is_exposed(rule) {
        return None;
    }
    if let Some(accept) = rule.accept {
        return (accept != Accept::Problem).then(|| {
            "anybody can send a report in a device's name: add encrypt with a key of each device's own, or leave proof out".into()
        });
    }
    // No certificate is shown over TFTP.
    let over_tftp = rule.listeners.as_ref().is_some_and(|listeners| listeners.contains(&Protocol::Tftp));
    let message = match over_tftp {
        true => "devices' files go out over tftp to whoever asks, in clear: add encrypt, or take tftp out of listeners",
        false => "devices' files go out without proof and in clear: add encrypt, or proof = \"certificate\"",
    };
    Some(message.to_owned())
}

/// Whether anybody gets what a rule's path names, in clear.
pub(super) fn is_exposed(rule: &Rule) -> bool {
    let names_device = rule.path.names().flat_map(Name::macros).any(Macro::names_device);
    rule.proof == Some(Proof::None) && names_device && rule.encryption.is_none()
}

/// A password that anybody on the way reads.
fn clear_password(rule: &Rule) -> Option<String> {
    let passwords = rule.passwords.as_ref()?;
    let over_http = rule.listeners.as_ref().is_some_and(|listeners| listeners.contains(&Protocol::Http));
    let message = "rule.listeners names http, where Basic sends the password itself: name https, or digests only";
    (over_http && passwords.challenge.contains(&Scheme::Basic)).then(|| message.to_owned())
}

fn without_listener(config: &Config, rule: &Rule) -> Option<String> {
    let served = |protocol: &Protocol| config.listen.iter().any(|listen| listen.carries(*protocol));
    let listeners = rule.listeners.as_ref()?;
    let message = "no listener of the configuration speaks what rule.listeners names, so its paths are never served";
    (!listeners.iter().any(served)).then(|| message.to_owned())
}

/// The first `$` of a name that begins no macro the server knows, with what follows it.
pub(super) fn stray_dollar(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        let reach = if let Some(braced) = after.strip_prefix('(') {
            braced.find(')').map(|end| (&braced[..end], end + 2))
        } else {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
            Some((&after[..end], end))
        };
        match reach {
            Some((name, length)) if Macro::named(name).is_some() => rest = &after[length..],
            Some((_, length)) => return Some(format!("${}", &after[..length])),
            None => return Some(format!("${after}")),
        }
    }
    None
}

/// What to say of it.
pub(super) fn stray_message(stray: &str) -> String {
    format!(
        "`{stray}` is no macro that the server knows, so it stands for itself: \
         $MA $MAU $MAC $SN $PN $PSN and $A to $P are known, and $(MA)x parts a macro from letters after it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_that_begins_no_macro_is_pointed_out() {
        assert_eq!(stray_dollar("$MAconfig.xml").as_deref(), Some("$MAconfig"));
        assert_eq!(stray_dollar("$(MA:0:6).xml").as_deref(), Some("$(MA:0:6)"));
        assert_eq!(stray_dollar("a$").as_deref(), Some("$"));
        assert_eq!(stray_dollar("$(MA").as_deref(), Some("$(MA"));
        for fine in ["$MA.cfg", "$(PN)-$MAU.xml", "basic.txt", "spa$PSN.cfg"] {
            assert_eq!(stray_dollar(fine), None, "{fine}");
        }
    }
}
