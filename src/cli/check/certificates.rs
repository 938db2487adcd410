//! The certificates that the configuration names: whether they are still valid, and for how long.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::certificate::{self, Block, Details};
use crate::config::{Config, PastDate, Revocation, Speaks};
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
        findings.extend(listen.revocation().iter().flat_map(|revocation| lists(revocation, now)));
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

/// A revocation list that should have been replaced by now. What cannot be read is found when the listeners are built.
fn lists(revocation: &Revocation, now: Timestamp) -> Vec<Finding> {
    let files = revocation.lists.iter().flat_map(|path| files(path));
    let found = |file: PathBuf| -> Option<Finding> {
        let lists = certificate::revocation_lists(&std::fs::read(&file).ok()?).ok()?;
        let lists = lists.iter().filter_map(|der| certificate::revocation_list(der).ok());
        let (issuer, next) = lists.filter_map(|list| Some((list.issuer, list.next?))).find(|(_, next)| *next < now)?;
        let place = file.display().to_string();
        let past = format!("the revocation list of {issuer} is past its date, {}", day(next));
        Some(match revocation.past_date {
            PastDate::Keep => Finding::warning(
                place,
                format!("{past}: what was revoked since is not known, and crl_past_date = \"keep\" serves it"),
            ),
            PastDate::Refuse => Finding::error(
                place,
                format!("{past}: with crl_past_date = \"refuse\" no certificate of its issuer counts"),
            ),
        })
    };
    files.filter_map(found).collect()
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
        let ended = read(file).into_iter().filter(|details| details.not_after < now);
        let message = |details: Details| {
            let (subject, day) = (subject(&details), day(details.not_after));
            format!(
                "the authority {subject} expired on {day}: what it signed is trusted all the same; take it out if not"
            )
        };
        ended.map(|details| Finding::warning(file.display().to_string(), message(details))).collect()
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
