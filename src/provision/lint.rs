//! Between the steps: what a phone would stumble over in a profile that was just made.
//!
//! Only where a rule asks for it, and only for what is made anew: a profile that is kept has been looked at.

use std::collections::HashSet;

use super::{Document, Line, Named, Profile, Refusal, render};
use crate::config::Linting;
use crate::profile::lint::{self, Context, Finding, Severity};
use crate::profile::parameters::Family;

/// Findings of one profile that get a line each.
const TOLD: usize = 10;

/// Looks at the profile as the phone will read it. What is no profile, by its content, passes.
pub(super) fn look(line: &Line, profile: &Profile, document: &Document) -> Result<(), Refusal> {
    let treatment = profile.grant().treatment();
    if treatment.lint == Linting::Off || !lint::is_profile(&document.bytes) {
        return Ok(());
    }
    let found = profile.grant().found();
    let named = Named::of(found);
    let context = Context {
        family: Family::in_path(&found.file),
        sent: treatment.sent(named != Named::Nobody),
        ..Context::new(&line.lint)
    };
    let mut findings = lint::lint(&document.bytes, &context);
    findings.retain(|finding| finding.severity < Severity::Note);
    veil(line, profile, &context, &mut findings);
    for finding in findings.iter().take(TOLD) {
        tell(profile, finding);
    }
    if let Some(more) = findings.len().checked_sub(TOLD).filter(|more| *more > 0) {
        tracing::warn!(target: "phoneprov::lint", { profile.file = ?found.file }, "and {more} more");
    }
    let error = findings.iter().find(|finding| finding.severity == Severity::Error);
    match (error, treatment.lint) {
        (Some(error), Linting::Refuse) => {
            let finding = format!("{}: {} ({})", error.place, error.message, error.code);
            Err(Refusal::Lint { file: found.file.to_string(), finding })
        }
        (_, Linting::Off | Linting::Log | Linting::Refuse) => Ok(()),
    }
}

/// Takes out of the findings what would not be said if the device's secrets were masked: their text may be part of it.
fn veil(line: &Line, profile: &Profile, context: &Context<'_>, findings: &mut [Finding]) {
    if findings.is_empty() {
        return;
    }
    let Some(veiled) = render::veiled(line, profile) else { return };
    let said: HashSet<String> =
        lint::lint(veiled.as_bytes(), context).into_iter().map(|finding| finding.message).collect();
    for finding in findings.iter_mut().filter(|finding| !said.contains(&finding.message)) {
        finding.message = "what is wrong has a secret in it: `phoneprov lint` says it without".into();
    }
}

fn tell(profile: &Profile, finding: &Finding) {
    let grant = profile.grant();
    tracing::warn!(
        target: "phoneprov::lint",
        {
            profile.file = ?grant.found().file,
            profile.rule = ?grant.treatment().name,
            line = finding.place.line,
            column = finding.place.column,
            code = finding.code.as_str()
        },
        "{}",
        finding.message
    );
}
