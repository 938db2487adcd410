//! Who removes files and why, and how that is told.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Upload, UploadKind};
use crate::case::{CaseNumber, Remark};
use crate::event::{Event, Kind};

/// Who takes files off the list, and why.
#[derive(Debug, Clone, Copy)]
pub struct Removal<'a> {
    /// Who.
    pub who: &'a str,
    /// Why.
    pub why: &'a str,
    /// Whether events are kept.
    pub is_told: bool,
}

/// The longest text of an event (bytes).
const LONGEST: usize = 500;

/// What was removed, as it is told: files of one case together, and those of phones by their kind.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<(&'static str, Option<CaseNumber>), Sum>);

#[derive(Debug, Clone, Copy)]
struct Sum {
    kind: Kind,
    files: u64,
    bytes: i64,
}

impl Tally {
    /// Counts a file that was removed.
    pub(super) fn add(&mut self, upload: &Upload, bytes: i64) {
        let (kind, what) = match upload.kind {
            UploadKind::Report | UploadKind::Delta | UploadKind::Status => (Kind::Report, "report"),
            UploadKind::Prt => (Kind::Prt, "problem report"),
            UploadKind::Case => (Kind::Upload, "file"),
        };
        let sum = self.0.entry((what, upload.case.clone())).or_insert(Sum { kind, files: 0, bytes: 0 });
        (sum.files, sum.bytes) = (sum.files + 1, sum.bytes.saturating_add(bytes));
    }

    /// One event for each.
    pub(super) fn events(self, removal: &Removal<'_>) -> Vec<Event> {
        self.0.into_iter().map(|((what, case), sum)| event(what, case.as_ref(), sum, removal)).collect()
    }
}

fn event(what: &str, case: Option<&CaseNumber>, sum: Sum, removal: &Removal<'_>) -> Event {
    let Sum { kind, files, bytes } = sum;
    let case = case.map(|case| format!("case {case}: ")).unwrap_or_default();
    let why = if removal.why.is_empty() { String::new() } else { format!(": {}", removal.why) };
    let plural = if files == 1 { "" } else { "s" };
    let text = format!("{case}{files} {what}{plural}, {bytes} bytes, removed by {}{why}", removal.who);
    Event {
        id: 0,
        at: Timestamp::now(),
        kind,
        device: None,
        name: None,
        certain: true,
        address: "-".to_owned(),
        path: None,
        outcome: "removed".to_owned(),
        version: None,
        text: Remark::cut(text.as_bytes(), LONGEST).as_str().to_owned(),
        follows: None,
    }
}
