//! `accept` in `[[rule]]`: what phones may send to its paths.

use serde::Deserialize;

use super::{Method, Proof, Protocol};
use crate::cipher::Scheme;

/// What a rule takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// What a phone says of its configuration (`Report_Rule`).
    Report(Report),
    /// A problem report (`PRT_Upload_Rule`).
    Problem,
}

/// Which of the three reports a path is for. Nothing in the request says so: it is the option of the entry in
/// `Report_Rule` that has the path's URL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Report {
    /// The whole configuration: no option.
    #[default]
    Full,
    /// What has changed since the report before: `--delta`.
    Delta,
    /// Status data: `--status`.
    Status,
}

/// The keys as they are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    pub(super) accept: Option<Kind>,
    pub(super) report: Option<Report>,
}

/// What `accept` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Report,
    Prt,
}

/// What else a rule says, as far as it matters here.
pub(super) struct Beside<'a> {
    pub(super) proof: Option<Proof>,
    pub(super) renews: bool,
    pub(super) serves: bool,
    pub(super) encrypt: Option<Scheme>,
    pub(super) listeners: Option<&'a [Protocol]>,
    pub(super) methods: Option<&'a [Method]>,
}

impl Accept {
    /// Everything that is taken in, each at its [`place`](Self::place).
    pub const ALL: [Self; 4] =
        [Self::Report(Report::Full), Self::Report(Report::Delta), Self::Report(Report::Status), Self::Problem];

    /// Its place among all.
    #[must_use]
    pub fn place(self) -> usize {
        match self {
            Self::Report(report) => report as usize,
            Self::Problem => 3,
        }
    }

    /// As logs, events and metrics have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report(Report::Full) => "report",
            Self::Report(Report::Delta) => "delta",
            Self::Report(Report::Status) => "status",
            Self::Problem => "prt",
        }
    }
}

impl Written {
    pub(super) fn check(self, beside: &Beside<'_>) -> Result<Option<Accept>, String> {
        let sends = |methods: &[Method]| methods.iter().any(|method| matches!(method, Method::Post | Method::Put));
        let accept = match (self.accept, self.report) {
            (None, Some(_)) => return Err("rule.report: only a rule with accept = \"report\" has it".into()),
            (None, None) if beside.methods.is_some_and(sends) => {
                return Err("rule.methods: POST and PUT are for a rule that takes uploads: add accept".into());
            }
            (None, None) => return Ok(None),
            (Some(Kind::Prt), Some(_)) => {
                return Err("rule.report: a rule with accept = \"prt\" takes problem reports".into());
            }
            (Some(Kind::Prt), None) => Accept::Problem,
            (Some(Kind::Report), report) => Accept::Report(report.unwrap_or_default()),
        };
        if beside.methods.is_some_and(|methods| methods.iter().any(|method| !sends(&[*method]))) {
            return Err("rule.methods: what takes uploads is sent to by POST and PUT".into());
        }
        if beside.serves {
            return Err("rule.accept: gzip, headers and lint are for what is given, and this rule takes".into());
        }
        if beside.proof == Some(Proof::Code) || beside.renews {
            return Err("rule.accept: a code, or a certificate's renewal, is for who asks for a profile".into());
        }
        if beside.listeners.is_some_and(|listeners| listeners.contains(&Protocol::Tftp)) {
            return Err("rule.accept: nothing is taken in by tftp, which rule.listeners names".into());
        }
        if accept == Accept::Problem && beside.encrypt.is_some() {
            return Err("rule.encrypt: phones do not encrypt problem reports".into());
        }
        Ok(Some(accept))
    }
}
