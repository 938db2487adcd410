//! Between the steps: what a phone would stumble over in a profile that was just made.
//!
//! Only where a rule asks for it, and only for what is made anew: a profile that is kept has been looked at.

use super::{Document, Line, Named, Profile, Refusal};
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
