//! One thing to look at.

use std::ops::Range;

use super::{Code, Severity};
use crate::profile::flat::Place;

/// Something in a file that a phone stumbles over, or ignores. It holds no value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub code: Code,
    /// What it means for phones; less than the code's where the dictionary is not sure.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// The parameter, where it is about one.
    pub parameter: Option<String>,
    /// What is there, and what would be right.
    pub message: String,
    /// Where the dictionary has it from, where the finding rests on the dictionary.
    pub source: Option<&'static str>,
    /// What mends it without a doubt about what was meant; nothing where somebody has to decide.
    pub edits: Vec<Edit>,
}

/// Another text for a range of the document's text, a byte order mark not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// In bytes.
    pub range: Range<usize>,
    /// What is to stand there.
    pub text: String,
}

impl Finding {
    pub(super) fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            place,
            parameter: None,
            message: message.into(),
            source: None,
            edits: Vec::new(),
        }
    }

    /// A template that gives no profile. The message names the file and the line.
    #[must_use]
    pub fn not_rendered(message: String) -> Self {
        Self::new(Code::NotRendered, Place::START, message)
    }

    pub(super) fn about(self, parameter: &str) -> Self {
        Self { parameter: Some(parameter.to_owned()), ..self }
    }

    pub(super) fn from(self, source: &'static str) -> Self {
        Self { source: Some(source), ..self }
    }

    pub(super) fn only(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    pub(super) fn mended_by(self, edits: Vec<Edit>) -> Self {
        Self { edits, ..self }
    }

    /// Whether [`super::fix()`] mends it.
    #[must_use]
    pub fn is_mendable(&self) -> bool {
        !self.edits.is_empty() || self.code == Code::ByteOrderMark
    }
}
