//! Parameters that stand more than once.

use std::collections::HashMap;

use super::entry::Entry;
use super::{Code, Edit, Finding, Findings, Look, edit};
use crate::profile::flat::Place;

pub(super) fn look(look: &Look<'_>, entries: &[Entry<'_>], findings: &mut Findings) {
    // Some phones write one name for each line of theirs.
    if look.is_export {
        return;
    }
    let mut last: HashMap<(Option<&str>, &str), &Entry<'_>> = HashMap::new();
    for entry in entries.iter().rev() {
        let key = (entry.router.as_deref(), entry.name());
        let Some(later) = last.get(&key) else {
            last.insert(key, entry);
            continue;
        };
        let Place { line, .. } = later.element.place;
        let message = format!("{} stands again in line {line}, and that one counts", entry.name());
        let finding = Finding::new(Code::DuplicateParameter, entry.element.place, message).about(entry.name());
        findings.push(finding.mended_by(removed(look, entry, later)));
    }
}

/// The element and the white space before it taken out, unless an attribute goes with it that the later one has not.
fn removed(look: &Look<'_>, entry: &Entry<'_>, later: &Entry<'_>) -> Vec<Edit> {
    let (element, text) = (entry.element, look.document.text());
    let mut attributes = element.attributes.iter();
    if !attributes.all(|attribute| later.element.attribute(&attribute.name).is_some()) {
        return Vec::new();
    }
    let before = &text[..element.range.start];
    let start = before.trim_end_matches([' ', '\t']).len();
    let start = if before[..start].ends_with('\n') { start - 1 } else { element.range.start };
    vec![edit(start..element.range.end, "")]
}
