//! The certificates that the configuration names: whether they are still valid, and for how long.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::certificate::{self, Block, Details};
use crate::config::{Config, Speaks};

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

/// An authority past its date proves no phone any more.
fn authorities(path: &Path, now: Timestamp) -> Vec<Finding> {
    let files = match std::fs::read_dir(path) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => vec![path.to_owned()],
    };
    let expired = |file: &Path| -> Vec<Finding> {
        let ended = read(file).into_iter().filter(|details| details.not_after < now);
        let message = |details: Details| {
            format!("the authority {} expired on {}: it proves no phone", subject(&details), day(details.not_after))
        };
        ended.map(|details| Finding::warning(file.display().to_string(), message(details))).collect()
    };
    files.iter().flat_map(|file| expired(file)).collect()
}

/// Every certificate in a file that can be read.
fn read(path: &Path) -> Vec<Details> {
    let Ok(file) = std::fs::read(path) else { return Vec::new() };
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
