//! What a phone would stumble over in a profile, or ignore without a word.
//!
//! [`lint`] looks at one file, in the order of its steps: can it be read, is it a profile, are its elements as they should
//! be, are the parameters known, are their values theirs, do the rules in them read, do they suit each other. Each
//! [`Finding`] has a [`Code`], and the code its severity, reason, source and mending; docs/lint.md has them all.
//!
//! The dictionary is not complete, so what it does not know is a warning and never an error. A file with no finding is not
//! proven to be right.

mod code;
mod context;
mod duplicates;
mod entry;
mod explanation;
mod finding;
mod fix;
mod meant;
mod names;
mod rules;
mod structure;
mod values;

use std::ops::Range;

pub use code::{Code, Severity};
pub use context::{Context, Known, Sent, Settings};
pub use finding::{Edit, Finding};
pub use fix::{FixError, Fixed, fix};
pub use meant::{Other, is_profile, other_than_profile};

use super::flat::{Document, FlatError, Place, Wrong};

/// Findings of one file that are told; a file with more has one cause for most.
pub const MOST: usize = 1000;

/// Looks at a file, which is taken to be meant as a profile.
#[must_use]
pub fn lint(file: &[u8], context: &Context<'_>) -> Vec<Finding> {
    let document = match Document::read(file) {
        Ok(document) => document,
        Err(error) => return vec![unreadable(&error)],
    };
    let mut findings = Findings::default();
    structure::look(&document, file.len(), context, &mut findings);
    let entries = entry::entries(&document);
    let look = Look { document: &document, context, is_export: entry::is_export(&entries) };
    for entry in &entries {
        names::look(&look, entry, &mut findings);
        values::look(&look, entry, &mut findings);
    }
    duplicates::look(&look, &entries, &mut findings);
    rules::look(&look, &entries, &mut findings);
    findings.sorted()
}

/// Why a file cannot be read at all.
fn unreadable(error: &FlatError) -> Finding {
    let code = match error.wrong {
        Wrong::TooLarge { .. } | Wrong::TooMany { .. } => Code::TooLarge,
        _ => Code::NotWellFormed,
    };
    Finding::new(code, error.place, error.wrong.to_string()).only(Severity::Error)
}

/// What every step sees.
struct Look<'a> {
    document: &'a Document,
    context: &'a Context<'a>,
    /// The file was written by a phone: what is in it is so.
    is_export: bool,
}

/// The findings so far, bounded: of each severity by itself, so that an error is told whatever came before it.
#[derive(Default)]
struct Findings {
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    notes: Vec<Finding>,
    more: bool,
    /// Look-ups of the nearest name, each of which goes over the whole dictionary.
    looked_up: usize,
}

impl Findings {
    fn push(&mut self, finding: Finding) {
        let alike = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        if alike.len() < MOST {
            alike.push(finding);
        } else {
            self.more = true;
        }
    }

    /// The gravest ones, in the order of the file.
    fn sorted(self) -> Vec<Finding> {
        let mut found: Vec<Finding> = [self.errors, self.warnings, self.notes].into_iter().flatten().collect();
        let more = self.more || found.len() > MOST;
        found.truncate(MOST);
        found.sort_by_key(|finding| (finding.place.offset, finding.code));
        if more {
            let message = format!("only {MOST} findings are told, the gravest ones");
            found.push(Finding::new(Code::TooMany, Place::START, message));
        }
        found
    }
}

/// What a range of the document's text is to become.
fn edit(range: Range<usize>, text: impl Into<String>) -> Edit {
    Edit { range, text: text.into() }
}

#[cfg(test)]
mod tests;
