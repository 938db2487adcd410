//! All that was found, for people and for scripts.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::passed::Passed;
use super::site::Looked;
use crate::profile::lint::{Finding, Severity};
use crate::terminal::OneLine;

/// Files that were passed over and are told one by one.
const MOST_PASSED: usize = 20;

/// What was looked at and what was found.
#[derive(Default)]
pub(super) struct Report {
    files: Vec<File>,
    /// Files that were not looked at.
    passed: Vec<(PathBuf, Passed)>,
    /// Findings that are gone by --fix.
    pub(super) mended: usize,
}

/// A file with its findings.
pub(super) struct File {
    /// Where it is.
    pub(super) path: PathBuf,
    /// It is a template, and the places are those of the profile that it gave.
    pub(super) is_rendered: bool,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn add(&mut self, looked: Looked) {
        let (path, is_rendered, findings) = match looked {
            Looked::Other { path, passed } => return self.passed.push((path, passed)),
            Looked::Profile { path, findings, .. } => (path, false, findings),
            Looked::Template { path, findings } => (path, true, findings),
        };
        self.files.push(File { path, is_rendered, findings });
    }

    /// All findings, each with its file.
    pub(super) fn findings(&self) -> impl Iterator<Item = (&File, &Finding)> {
        self.files.iter().flat_map(|file| file.findings.iter().map(move |finding| (file, finding)))
    }

    /// A line for each finding; below the first of a code, why it matters and what to do.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let mut explained = BTreeSet::new();
        for (file, finding) in self.findings() {
            let (place, code) = (finding.place, finding.code);
            let rendered = if file.is_rendered { " of the rendered profile" } else { "" };
            write!(out, "{}:{}:{}{rendered}: ", OneLine(file.path.display()), place.line, place.column)?;
            writeln!(out, "{}: {} [{code}]", finding.severity, OneLine(&finding.message))?;
            if explained.insert(code) {
                writeln!(out, "    why: {} ({})", code.reason(), code.source())?;
                writeln!(out, "    mend: {}", code.mend())?;
            }
        }
        self.print_passed(out)?;
        if self.mended > 0 {
            writeln!(out, "{} mended", self.mended)?;
        }
        let count = |severity| self.findings().filter(|(_, finding)| finding.severity == severity).count();
        let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
        let (errors, warnings, notes) = (some(errors, "error"), some(warnings, "warning"), some(notes, "note"));
        writeln!(out, "{errors}, {warnings}, {notes} in {}", some(self.files.len(), "profile"))
    }

    /// Files that may have been meant to be profiles, each by its name, and how many others there are.
    fn print_passed(&self, out: &mut impl Write) -> io::Result<()> {
        let doubtful = self.doubtful().count();
        for (path, passed) in self.doubtful().take(MOST_PASSED) {
            writeln!(out, "{}: passed over: {}", OneLine(path.display()), OneLine(passed))?;
        }
        if doubtful > MOST_PASSED {
            writeln!(out, "passed over: {} like these", some(doubtful - MOST_PASSED, "more file"))?;
        }
        match self.passed.len() - doubtful {
            0 => Ok(()),
            1 => writeln!(out, "passed over: 1 file that is no profile"),
            others => writeln!(out, "passed over: {others} files that are no profiles"),
        }
    }

    /// Files that were not looked at although somebody may have meant them to be.
    pub(super) fn doubtful(&self) -> impl Iterator<Item = &(PathBuf, Passed)> {
        self.passed.iter().filter(|(_, passed)| passed.is_doubtful())
    }

    pub(super) fn to_json(&self) -> Value {
        let findings: Vec<Value> = self.findings().map(|(file, finding)| one(file, finding)).collect();
        let passed = self.passed.iter().map(|(path, passed)| {
            json!({ "file": path.display().to_string(), "doubtful": passed.is_doubtful(), "why": passed.to_string() })
        });
        let passed: Vec<Value> = passed.collect();
        json!({ "profiles": self.files.len(), "mended": self.mended, "findings": findings, "passed_over": passed })
    }
}

/// `1 error`, `2 errors`.
fn some(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn one(file: &File, finding: &Finding) -> Value {
    json!({
        "file": file.path.display().to_string(),
        "rendered": file.is_rendered,
        "line": finding.place.line,
        "column": finding.place.column,
        "code": finding.code.as_str(),
        "severity": finding.severity.as_str(),
        "parameter": finding.parameter,
        "message": finding.message,
        "reason": finding.code.reason(),
        "source": finding.code.source(),
        "dictionary": finding.source,
        "mend": finding.code.mend(),
        "mendable": finding.is_mendable() && !file.is_rendered,
    })
}
