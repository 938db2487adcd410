//! The values of parameters.

use super::entry::Entry;
use super::{Code, Edit, Finding, Findings, Look, Sent, Severity, edit};
use crate::profile::flat::Node;
use crate::profile::mask::masked;
use crate::profile::parameters::{self, Certainty, Default, Mismatch, Parameter};

/// The shortest time between two resyncs (seconds).
const SHORTEST_RESYNC: u64 = 60;

/// Characters beyond ASCII of one value that are mended.
const MENDED: usize = 10_000;

/// Characters of a value that are shown.
const SHOWN: usize = 40;

pub(super) fn look(look: &Look<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    if entry.element.value.is_none() {
        return;
    }
    ascii(look, entry, findings);
    if let Some(row) = entry.row() {
        value(look, entry, row, findings);
    }
    if look.context.sent == Sent::Clear && !entry.value().is_empty() && parameters::is_secret(entry.name()) {
        let message = format!("{} holds a secret, and the file goes out in clear", entry.name());
        findings.push(Finding::new(Code::SecretInClear, entry.element.place, message).about(entry.name()));
    }
}

/// The value against what the dictionary knows.
fn value(look: &Look<'_>, entry: &Entry<'_>, row: &'static Parameter, findings: &mut Findings) {
    let finding =
        |code, message: String| Finding::new(code, entry.element.place, message).about(entry.name()).from(row.source());
    if let Err(mismatch) = row.check(entry.value()) {
        let code = match mismatch {
            Mismatch::Type(_) => Code::WrongType,
            Mismatch::Word(_) => Code::UnlistedValue,
            Mismatch::Range(..) => Code::OutOfRange,
            Mismatch::TooLong(..) | Mismatch::TooShort(..) => Code::WrongLength,
        };
        let severity = match certainty(row, &mismatch) {
            Certainty::Documented if !look.is_export => Severity::Warning,
            // What a phone holds cannot be wrong; the dictionary can.
            Certainty::Documented | Certainty::Inferred => Severity::Note,
        };
        let message = format!("{} is {}: {mismatch}", entry.name(), shown(entry));
        findings.push(finding(code, message).only(severity));
    }
    if let Default::Documented(default) = row.default()
        && entry.value().is_empty()
        && !look.is_export
    {
        let message = format!("{} is empty: cleared, or back to its default `{default}`", entry.name());
        findings.push(finding(Code::AmbiguousEmpty, message));
    }
    if row.name() == "Resync_Periodic"
        && let Some(shortest) = parameters::delays(entry.value()).into_iter().flatten().filter(|wait| *wait > 0).min()
        && shortest < SHORTEST_RESYNC
    {
        let message = format!("every {shortest} seconds each phone asks for all its profiles");
        findings.push(finding(Code::ShortResync, message));
    }
}

/// How sure the dictionary is: limits of a parameter's own are documented, whatever its type was inferred from.
fn certainty(row: &Parameter, mismatch: &Mismatch) -> Certainty {
    match mismatch {
        Mismatch::TooLong(..) | Mismatch::TooShort(..) if row.allowed().length.is_some() => Certainty::Documented,
        Mismatch::Range(..) if row.allowed().range.is_some() => Certainty::Documented,
        Mismatch::TooLong(..)
        | Mismatch::TooShort(..)
        | Mismatch::Range(..)
        | Mismatch::Type(_)
        | Mismatch::Word(_) => row.certainty(),
    }
}

/// The value as a message may have it.
fn shown(entry: &Entry<'_>) -> String {
    let masked = masked(entry.name(), entry.value());
    let value: String = masked.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let rest = if value.len() < masked.len() { "…" } else { "" };
    format!("`{value}{rest}`")
}

/// Characters that are written as they are, beyond ASCII.
fn ascii(look: &Look<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let document = look.document;
    let (mut place, mut edits, mut sections) = (None, Vec::new(), false);
    for node in &entry.element.nodes {
        let (piece, is_section) = match node {
            Node::Text(piece) => (piece, false),
            Node::Section(piece) => (piece, true),
            Node::Element(_) | Node::Comment(_) | Node::Instruction(_) => continue,
        };
        let text = document.source(&piece.range);
        if text.is_ascii() {
            continue;
        }
        sections |= is_section;
        let beyond = text.char_indices().filter(|(_, c)| !c.is_ascii()).map(|(at, c)| (piece.range.start + at, c));
        for (at, c) in beyond {
            place.get_or_insert(at);
            if edits.len() <= MENDED {
                edits.push(edit(at..at + c.len_utf8(), format!("&#{};", u32::from(c))));
            }
        }
    }
    let Some(at) = place else { return };
    // References are not read in a CDATA section.
    let edits: Vec<Edit> = if sections || edits.len() > MENDED { Vec::new() } else { edits };
    let message = format!("{} has a character beyond ASCII that is not written as a reference", entry.name());
    findings.push(Finding::new(Code::NonAscii, document.place(at), message).about(entry.name()).mended_by(edits));
}
