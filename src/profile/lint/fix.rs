//! Mending what is safe to mend: byte order marks, names in other case, duplicates, and characters beyond ASCII.

use std::collections::BTreeMap;

use super::{Edit, Finding};
use crate::profile::flat::{Document, FlatError, FlatProfile};

/// A file with findings mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The file.
    pub text: String,
    /// How many findings are gone.
    pub mended: usize,
}

/// Nothing is mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FixError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] FlatError),
    /// The mended file would set other values.
    #[error("mending would change what a phone reads: nothing is written")]
    Changed,
}

/// Applies the edits of findings to the file that they were found in.
///
/// Edits that touch each other are left for another time. The result is read again: it has to hold the same values.
///
/// # Errors
/// The file cannot be read, or the mended file would mean something else.
pub fn fix(file: &[u8], findings: &[Finding]) -> Result<Fixed, FixError> {
    let document = Document::read(file)?;
    let mut accepted: BTreeMap<usize, &Edit> = BTreeMap::new();
    let mut mended = 0;
    for finding in findings.iter().filter(|finding| finding.is_mendable()) {
        if finding.edits.iter().all(|edit| is_free(&accepted, edit)) {
            accepted.extend(finding.edits.iter().map(|edit| (edit.range.start, edit)));
            mended += 1;
        }
    }
    let (mut text, mut end) = (String::with_capacity(document.text().len()), 0);
    for edit in accepted.values() {
        text.push_str(document.source(&(end..edit.range.start)));
        text.push_str(&edit.text);
        end = edit.range.end;
    }
    text.push_str(document.source(&(end..document.text().len())));
    if values(&document) != values(&Document::read(text.as_bytes())?) {
        return Err(FixError::Changed);
    }
    Ok(Fixed { text, mended })
}

/// Whether nothing accepted touches what this edit replaces.
fn is_free(accepted: &BTreeMap<usize, &Edit>, edit: &Edit) -> bool {
    let before = accepted.range(..edit.range.end).next_back();
    before.is_none_or(|(_, before)| before.range.end <= edit.range.start)
}

/// What counts of a file: each parameter's last value, names without regard to case.
fn values(document: &Document) -> Option<Vec<(String, String)>> {
    let profile = FlatProfile::of(document).ok()?.effective();
    let mut values: Vec<(String, String)> = profile
        .parameters
        .iter()
        .map(|parameter| (parameter.key().to_ascii_lowercase(), parameter.value().to_owned()))
        .collect();
    values.sort();
    Some(values)
}
