//! The rules among themselves, and against the listeners.

use super::Finding;
use crate::cipher;
use crate::config::{Accept, Config, Proof, Protocol, Rule};
use crate::password::Scheme;
use crate::profile::macros::Macro;
use crate::profile::name::Name;

/// Looks at every rule.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, rule) in config.rules.iter().enumerate() {
        let place = format!("rule {}", rule.path);
        findings.extend(hidden(&config.rules[..index], rule).map(|message| Finding::error(&place, message)));
        let ambiguous = rule.path.names().filter_map(|name| name.check().err());
        findings.extend(ambiguous.map(|error| Finding::error(&place, error.to_string())));
        findings.extend(unknown_macros(rule).map(|message| Finding::warning(&place, message)));
        let fault = fault_of(rule).filter(|_| names_device(rule));
        findings.extend(fault.map(|fault| Finding::warning(&place, fault.of_rule(rule))));
        findings.extend(open_upload(rule).map(|message| Finding::warning(&place, message)));
        findings.extend(without_header(rule).map(|message| Finding::warning(&place, message)));
        findings.extend(clear_password(rule).map(|message| Finding::warning(&place, message)));
        findings.extend(without_listener(config, rule).map(|message| Finding::error(&place, message)));
    }
    findings
}

/// An earlier rule that has all of its paths.
fn hidden(earlier: &[Rule], rule: &Rule) -> Option<String> {
    let other = earlier.iter().find(|earlier| earlier.path.covers(&rule.path))?;
    Some(match other.path == rule.path {
        true => "an earlier rule has the same path, so this one is never asked".to_owned(),
        false => format!("the rule {} before it has all of its paths, so this one is never asked", other.path),
    })
}

fn unknown_macros(rule: &Rule) -> impl Iterator<Item = String> {
    rule.path.names().filter_map(|name| stray_dollar(name.as_str()).map(|stray| stray_message(&stray)))
}

/// What a rule does with devices' files that perhaps nobody meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Anybody gets them, in clear.
    Exposed,
    /// Nobody gets them over some of the listeners that it names: they need a certificate, which those do not carry.
    Unproven,
}

/// The fault of a rule, as far as it is for devices' files.
pub(super) fn fault_of(rule: &Rule) -> Option<Fault> {
    let listeners = rule.listeners.as_deref().unwrap_or_default();
    // That is for uploads, which have advice of their own.
    let is_sent = rule.accept.is_none();
    let without_https = !listeners.is_empty() && !listeners.contains(&Protocol::Https);
    match rule.proof {
        Some(Proof::None) if is_sent && rule.encryption.is_none() => Some(Fault::Exposed),
        // A rule for many files may leave those of devices to the listeners that can prove one.
        None if is_sent && (without_https || listeners.contains(&Protocol::Tftp) && names_device(rule)) => {
            Some(Fault::Unproven)
        }
        _ => None,
    }
}

/// Whether a rule's own path says that it is for devices' files.
pub(super) fn names_device(rule: &Rule) -> bool {
    rule.path.names().flat_map(Name::macros).any(Macro::names_device)
}

impl Fault {
    /// What to say of a rule whose path names the device.
    fn of_rule(self, rule: &Rule) -> String {
        match self {
            // No certificate is shown over TFTP.
            Self::Exposed if over_tftp(rule) => {
                "devices' files go out over tftp to whoever asks, in clear: add encrypt, or take tftp out of listeners"
                    .into()
            }
            Self::Exposed => {
                "devices' files go out without proof and in clear: add encrypt, or proof = \"certificate\"".into()
            }
            Self::Unproven => format!(
                "devices' files are refused over {}: without `proof` they need a certificate, which is not shown there; {}",
                in_clear(rule),
                remedy(rule)
            ),
        }
    }

    /// What to say of a rule that is for devices' files, such as this one, and for others.
    pub(super) fn of_files(self, rule: &Rule, file: &str) -> String {
        match self {
            Self::Exposed => format!(
                "devices' files, such as {file}, go out {}, in clear: add encrypt, or leave `proof` out, so that a file which \
                 names a device is that device's alone",
                if over_tftp(rule) { "over tftp to whoever asks" } else { "without proof" }
            ),
            Self::Unproven => format!(
                "devices' files, such as {file}, are never served: without `proof` they need a certificate, which is not shown \
                 over {}; {}, or name https in listeners",
                in_clear(rule),
                remedy(rule)
            ),
        }
    }
}

fn over_tftp(rule: &Rule) -> bool {
    rule.listeners.as_ref().is_some_and(|listeners| listeners.contains(&Protocol::Tftp))
}

/// The listeners of a rule that carry no certificate.
fn in_clear(rule: &Rule) -> String {
    let listeners = rule.listeners.iter().flatten().filter(|protocol| **protocol != Protocol::Https);
    listeners.map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// What lets devices have their files without a certificate.
fn remedy(rule: &Rule) -> &'static str {
    match rule.encryption {
        Some(_) => "add proof = \"none\", as encrypt keeps them from others",
        None => "add proof = \"none\" and encrypt",
    }
}

/// A report that anybody sends in a device's name.
fn open_upload(rule: &Rule) -> Option<&'static str> {
    let is_open = rule.proof == Some(Proof::None) && names_device(rule) && rule.encryption.is_none();
    let is_of_device = rule.accept.is_some_and(|accept| accept != Accept::Problem);
    let message =
        "anybody can send a report in a device's name: add encrypt with a key of each device's own, or leave proof out";
    (is_open && is_of_device).then_some(message)
}

/// A format that says by a header how it is read, over a protocol that has none.
fn without_header(rule: &Rule) -> Option<&'static str> {
    let is_headed = rule.encryption.as_ref().is_some_and(|encryption| encryption.scheme == cipher::Scheme::Aes128Gcm);
    let only_tftp = rule.listeners.as_deref() == Some(&[Protocol::Tftp]);
    let message = "aes128gcm is told by the header Content-Encoding, and tftp has none: the phone would take the file for a \
                   profile in clear; encrypt = \"aes-256-cbc\" is told by its first bytes";
    (is_headed && only_tftp).then_some(message)
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
