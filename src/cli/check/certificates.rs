//! The certificates that the configuration names: whether they are still valid, and for how long.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::app::{self, Doubt};
use crate::certificate::{self, Block, Details};
use crate::config::{Config, Speaks};
use crate::trust;

/// A server certificate that ends within this is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Looks at every listener's certificates. A file that cannot be read is found when the listeners are built.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let now = Timestamp::now();
    let mut findings = Vec::new();
    for listen in &config.listen {
        if let Speaks::Https(tls) = &listen.speaks {
            findings.extend(server(&tls.certificate, now));
        }
        findings.extend(listen.client_ca().iter().flat_map(|path| authorities(path, now)));
        findings.extend(app::doubts(listen).iter().map(list));
    }
    findings
}

fn server(path: &Path, now: Timestamp) -> Vec<Finding> {
    let Some(details) = read(path).into_iter().next() else { return Vec::new() };
    let place = path.display().to_string();
    let mut findings = Vec::new();
    if details.not_after < now {
        let message = format!("the server's certificate expired on {}: phones refuse it", day(details.not_after));
        findings.push(Finding::error(&place, message));
    } else if details.not_after.duration_since(now) < SOON {
        let message = format!("the server's certificate expires on {}: renew it", day(details.not_after));
        findings.push(Finding::warning(&place, message));
    }
    if details.not_before > now {
        let message = format!("the server's certificate is not valid before {}", day(details.not_before));
        findings.push(Finding::error(&place, message));
    }
    if details.key.kind != "RSA" {
        let message =
            format!("its key is {}: phones are only known to take RSA (Cisco guides, 8800)", details.key.kind);
        findings.push(Finding::warning(&place, message));
    }
    findings
}

/// What speaks against a revocation list.
fn list(doubt: &Doubt) -> Finding {
    let place = doubt.path.display().to_string();
    match doubt.kind.shuts_out() {
        true => Finding::error(place, doubt.to_string()),
        false => Finding::warning(place, doubt.to_string()),
    }
}

/// The file itself, or all files of a folder.
fn files(path: &Path) -> Vec<PathBuf> {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => vec![path.to_owned()],
    }
}

/// An authority past its date is an anchor all the same (RFC 5280 section 6.1.1 (d)), which somebody should have decided.
fn authorities(path: &Path, now: Timestamp) -> Vec<Finding> {
    let expired = |file: &Path| -> Vec<Finding> {
        let (leaves, authorities): (Vec<_>, Vec<_>) = read(file).into_iter().partition(|details| details.is_no_ca);
        let ended = authorities.into_iter().filter(|details| details.not_after < now);
        let message = |details: Details| {
            let (subject, day) = (subject(&details), day(details.not_after));
            format!(
                "the authority {subject} expired on {day}: what it signed is trusted all the same; take it out if not"
            )
        };
        let passed_over = |details: &Details| {
            let subject = subject(details);
            format!("{subject} is no authority (CA:FALSE) and is passed over: client_ca is for those who sign phones")
        };
        let place = file.display().to_string();
        let leaves = leaves.iter().map(|details| Finding::warning(place.clone(), passed_over(details)));
        leaves.chain(ended.map(|details| Finding::warning(place.clone(), message(details)))).collect()
    };
    files(path).iter().flat_map(|file| expired(file)).collect()
}

/// Every certificate in a file that can be read.
fn read(path: &Path) -> Vec<Details> {
    let Ok(file) = trust::read(path) else { return Vec::new() };
    let blocks = certificate::blocks(&file).unwrap_or_default();
    let details = |block: &Block| match block {
        Block::Certificate(der) => certificate::details(der).ok(),
        Block::PrivateKey(_) | Block::Other(_) => None,
    };
    blocks.iter().filter_map(details).collect()
}

fn subject(details: &Details) -> String {
    let fields: Vec<String> = details.subject.iter().map(|(name, value)| format!("{name}={value}")).collect();
    fields.join(", ")
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}
