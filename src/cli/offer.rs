//! What this server would say to something that a phone sends, and why.

use std::io::{self, Write};
use std::time::Instant;

use super::answer::{Question, line, refused};
use crate::app::App;
use crate::config::{Accept, Proof, Report as Taken};
use crate::profile::rule::Report;
use crate::provision::{self, Named, Refusal, Trail, Upload};

/// What a phone would send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// A report, by the option of its entry.
    Report(Report),
    /// A problem report.
    Problem,
}

/// What came of it.
pub(super) struct Offer<'a> {
    question: &'a Question,
    trail: Trail,
    /// What a refusal asks for.
    challenges: Vec<String>,
    outcome: Result<Upload, Refusal>,
}

impl<'a> Offer<'a> {
    /// Walks the line as an upload would. Nothing is sent.
    pub(super) fn make(question: &'a Question, app: &App) -> Self {
        let mut request = question.request();
        let mut trail = Trail::default();
        let outcome = match provision::accept(&app.line, &request, &mut trail) {
            Err(Refusal::Unread(name)) => super::store::accept(app, &mut request, &mut trail, name),
            accepted => accepted,
        };
        let challenges = provision::challenges(&app.line, &request, Instant::now());
        Self { question, trail, challenges, outcome }
    }

    /// Prints whether it is taken; `true` where it is.
    pub(super) fn explain(&self, out: &mut impl Write, sent: Sent) -> io::Result<bool> {
        line(out, "path", &format!("{} over {}", self.question.asked(), self.question.over))?;
        line(out, "rule", self.trail.rule.as_deref().unwrap_or("none that takes uploads"))?;
        let upload = match &self.outcome {
            Ok(upload) => upload,
            Err(refusal) => {
                line(out, "answer", &refused(self.question.over, refusal, &self.challenges))?;
                line(out, "reason", &refusal.to_string())?;
                return Ok(false);
            }
        };
        let treatment = upload.grant().treatment();
        let proof = match treatment.proof_for(*upload.named() != Named::Nobody) {
            Proof::None => "none",
            Proof::Password | Proof::Code => "a password of this device's account, taken as given",
            Proof::Certificate => "a certificate that names this device, taken as given",
        };
        line(out, "proof", proof)?;
        let cipher = treatment.encryption.as_ref();
        let cipher = cipher.map(|encryption| format!(", {} under {}", encryption.scheme, encryption.key.kind()));
        let takes = format!("{}{}", words(upload.accept()), cipher.unwrap_or_default());
        line(out, "takes", &takes)?;
        let fits = upload.accept() == meant(sent);
        if !fits {
            let note = format!("the phone would send {}, and the rule takes it for something else", words(meant(sent)));
            line(out, "note", &note)?;
        }
        Ok(fits)
    }
}

fn meant(sent: Sent) -> Accept {
    match sent {
        Sent::Report(Report::Full) => Accept::Report(Taken::Full),
        Sent::Report(Report::Delta) => Accept::Report(Taken::Delta),
        Sent::Report(Report::Status) => Accept::Report(Taken::Status),
        Sent::Problem => Accept::Problem,
    }
}

fn words(accept: Accept) -> &'static str {
    match accept {
        Accept::Report(Taken::Full) => "full reports",
        Accept::Report(Taken::Delta) => "what has changed since the report before (--delta)",
        Accept::Report(Taken::Status) => "status reports (--status)",
        Accept::Problem => "problem reports",
    }
}
