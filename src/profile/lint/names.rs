//! The names of parameters, and whether the phone at hand has them.

use std::cmp::Ordering;

use super::entry::Entry;
use super::{Code, Finding, Findings, Look, Severity, edit};
use crate::profile::parameters::{self, Kind, Parameter};
use crate::profile::rule::Version;

/// The most lines that a phone of the dictionary was seen with.
const LINES: u32 = 16;

/// Look-ups of a nearest name in one file.
const LOOK_UPS: usize = 50;

pub(super) fn look(look: &Look<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    match entry.known {
        Some(known) => has(look, entry, known, findings),
        None if look.context.settings.known.contains(entry.name()) => {}
        None => unknown(look, entry, findings),
    }
    if let Some(access) = entry.element.attribute("ua")
        && !["na", "ro", "rw"].iter().any(|word| word.eq_ignore_ascii_case(access))
    {
        let access: String = access.chars().take(20).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let message = format!("ua=\"{access}\": expected na, ro or rw");
        findings.push(Finding::new(Code::WrongAccess, entry.element.place, message).about(entry.name()));
    }
}

/// A name that the dictionary has: does this phone have it too?
fn has(look: &Look<'_>, entry: &Entry<'_>, known: &'static Parameter, findings: &mut Findings) {
    let finding = |code, message: String| {
        Finding::new(code, entry.element.place, message).about(entry.name()).from(known.source())
    };
    if known.kind() == Kind::Status && !look.is_export && entry.router.is_none() {
        findings.push(finding(Code::ReadOnly, format!("{} is what a phone reports about itself", entry.name())));
    }
    if let Some(family) = look.context.family.filter(|family| !known.families().contains(*family)) {
        let own = known.name_on(family);
        let severity = if own.is_some() { Severity::Warning } else { Severity::Note };
        let rest = own.map(|own| format!("they call it {own}"));
        let rest = rest.unwrap_or_else(|| format!("it is known of {}", known.models()));
        let message = format!("{} is not known of {family} phones: {rest}", entry.name());
        findings.push(finding(Code::OtherFamily, message).only(severity));
    }
    if let (Some((_, seen)), Some(number)) = (known.allowed().numbers, parameters::number_of(entry.name()))
        && number > seen.max(LINES)
        && !look.is_export
    {
        let message = format!("{}: a number above {} is not known of any phone", entry.name(), seen.max(LINES));
        findings.push(finding(Code::NumberBeyond, message));
    }
    let since = known.since().and_then(|since| Some((since, Version::parse(&load(since)?)?)));
    if let (Some((since, first)), Some(firmware)) = (since, &look.context.firmware)
        && firmware.compare(&first) == Some(Ordering::Less)
    {
        findings.push(finding(Code::NewerFirmware, format!("{} came with firmware {since}", entry.name())));
    }
}

/// `11.2(3)`, as documents write it, in the form of a load: `11-2-3MPP`.
fn load(version: &str) -> Option<String> {
    let (numbers, micro) = version.strip_suffix(')')?.split_once('(')?;
    Some(format!("{}-{micro}MPP", numbers.replace('.', "-")))
}

fn unknown(look: &Look<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let name = entry.name();
    if let Some(right) = parameters::in_other_case(name) {
        let message = format!("{name} is written {right}");
        let finding = Finding::new(Code::WrongCase, entry.element.place, message).about(name);
        findings.push(finding.mended_by(renamed(look, entry, &right)));
        return;
    }
    let nearest = (findings.looked_up < LOOK_UPS).then(|| parameters::nearest(name)).flatten();
    findings.looked_up += 1;
    // Of router settings the dictionary has a part only.
    if entry.router.is_some() && nearest.is_none() {
        return;
    }
    let hint = nearest.map(|nearest| format!(": is {nearest} meant?")).unwrap_or_default();
    let severity = if look.is_export { Severity::Note } else { Severity::Warning };
    let message = format!("{name} is not a known parameter{hint}");
    findings.push(Finding::new(Code::UnknownParameter, entry.element.place, message).about(name).only(severity));
}

/// The tags with the right name; nothing where the right name stands in the file as well, whose value counts.
fn renamed(look: &Look<'_>, entry: &Entry<'_>, right: &str) -> Vec<super::Edit> {
    let element = entry.element;
    if look.document.text().contains(&format!("<{right}")) {
        return Vec::new();
    }
    let start = element.range.start + 1;
    let begin = start..start + element.name.len();
    let end = element.content.end + 2..element.content.end + 2 + element.name.len();
    let tags = if element.self_closing { vec![begin] } else { vec![begin, end] };
    let is_name = |range: &std::ops::Range<usize>| look.document.source(range) == element.name;
    if tags.iter().all(is_name) { tags.into_iter().map(|tag| edit(tag, right)).collect() } else { Vec::new() }
}
