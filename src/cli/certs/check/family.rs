//! Whether the phones of each family would take a certificate, by what is documented of them.

use super::Finding;
use super::chain::{Link, subject};
use super::name::Reached;
use super::target::Target;
use crate::config::TlsVersion;

/// Phones that decide alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Family {
    /// SPA phones and adapters, PAP2T.
    Spa,
    /// ATA 191 and 192 in multiplatform firmware.
    Ata,
    /// IP phones in multiplatform firmware: 6800, 7800, 8800, 9800.
    Mpp,
}

/// What a family would do, and on which word that rests.
struct Verdict {
    /// Why it refuses; empty: it takes it.
    objections: Vec<String>,
    /// What has to be so besides.
    conditions: Vec<String>,
    source: &'static str,
}

impl Family {
    const ALL: [Self; 3] = [Self::Spa, Self::Ata, Self::Mpp];

    fn name(self) -> &'static str {
        match self {
            Self::Spa => "SPA phones",
            Self::Ata => "ATA 19x",
            Self::Mpp => "MPP phones",
        }
    }
}

/// A verdict of each family; that of one which has to take it is an error where it does not.
pub(super) fn findings(
    target: &Target,
    links: &[Link],
    reached: Option<&(String, Reached)>,
    is_refused: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for family in Family::ALL {
        let mut verdict = match family {
            Family::Spa => spa(target, links, reached),
            Family::Ata => {
                current(target, links, TlsVersion::V11, "Custom_CA_URL", "Cisco ATA 191/192 Provisioning Guide")
            }
            Family::Mpp => {
                current(target, links, TlsVersion::V12, "Custom_CA_Rule", "Cisco MPP Administration Guide, Security")
            }
        };
        // Errors that everybody sees are counted once.
        let is_own = !verdict.objections.is_empty();
        if is_refused {
            verdict.objections.insert(0, "see the errors above".to_owned());
        }
        let name = family.name();
        findings.push(if !verdict.objections.is_empty() {
            let message = format!("{name} would refuse it: {}", verdict.objections.join("; "));
            match is_own && target.families.contains(&family) {
                true => Finding::error(message, verdict.source),
                false => Finding::note(message, verdict.source),
            }
        } else if verdict.conditions.is_empty() {
            Finding::note(format!("{name} would take it"), verdict.source)
        } else {
            Finding::note(
                format!("{name} would take it, provided that {}", verdict.conditions.join(", and that ")),
                verdict.source,
            )
        });
    }
    findings
}

/// TLS 1.0 with RSA, a `CN` that leads to the server, and an authority that the firmware has: there is no way to give it
/// another one.
fn spa(target: &Target, links: &[Link], reached: Option<&(String, Reached)>) -> Verdict {
    let (mut objections, mut conditions) = (Vec::new(), Vec::new());
    if target.spoken.as_ref().is_some_and(|spoken| !spoken.contains(&TlsVersion::V10)) {
        objections.push("TLS 1.0 is not spoken there".to_owned());
    }
    if links[0].details.key.kind != "RSA" {
        objections.push("their suites need an RSA key".to_owned());
    }
    match reached {
        None => objections.push("its CN names no host".to_owned()),
        Some((name, _)) if !name.contains('.') => {
            objections.push(format!("its CN, {name}, is not a fully qualified name"));
        }
        Some((_, Reached::Here)) => {}
        Some((name, _)) => conditions.push(format!("{name} leads to the address that they reached")),
    }
    let root = root(links);
    let lower = root.to_ascii_lowercase();
    let has = |names: &[&str]| names.iter().any(|name| lower.contains(name));
    if has(&["digicert global root", "verisign class 3 public primary certification authority - g5"]) {
        conditions.push(format!("their firmware has {root}, as SPA50x 7.6.2SR7 does"));
    } else if !has(&["cisco", "sipura", "linksys"]) {
        objections.push(format!("{root} is not in their firmware, and they take no other"));
    }
    if conditions.is_empty() && objections.is_empty() {
        conditions.push("their firmware's list has this one of Cisco's, Sipura's or Linksys's authorities".to_owned());
    }
    Verdict { objections, conditions, source: "Cisco SPA Provisioning Guide" }
}

/// What has OpenSSL 1.1.1's defaults, its own list of authorities, and a parameter for another one.
fn current(target: &Target, links: &[Link], oldest: TlsVersion, parameter: &str, source: &'static str) -> Verdict {
    let (mut objections, mut conditions) = (Vec::new(), Vec::new());
    if target.spoken.as_ref().is_some_and(|spoken| !spoken.iter().any(|version| *version >= oldest)) {
        objections.push(format!("TLS {oldest} or newer is not spoken there"));
    }
    let key = &links[0].details.key;
    match key.kind.as_str() {
        "RSA" if key.bits < 1024 => objections.push("its key is shorter than 1024 bits".to_owned()),
        "RSA" => {}
        "EC" => conditions.push("they take a key that is not RSA, for which they have suites".to_owned()),
        other => objections.push(format!("they have no suite for a key of the kind {other}")),
    }
    conditions.push(format!("their firmware has {}, or {parameter} gives it to them", root(links)));
    Verdict { objections, conditions, source }
}

/// The authority at which a chain ends, which is in it or not.
fn root(links: &[Link]) -> String {
    let last = links.last().map(|link| (subject(&link.details), &link.details));
    match last {
        Some((name, details)) if name == details.issuer && links.len() == 1 => {
            format!("the certificate itself, {name}")
        }
        Some((_, details)) => details.issuer.clone(),
        None => String::new(),
    }
}
