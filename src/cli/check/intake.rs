//! Where files of cases are handed in: what goes in clear there, and keys that cannot be used.

use super::Finding;
use crate::config::Config;
use crate::server;

/// Looks at every intake.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let place = config.file.display().to_string();
    let warnings = config.intake.iter().filter_map(crate::config::Intake::warning);
    let mut findings: Vec<Finding> = warnings.map(|warning| Finding::warning(&place, warning)).collect();
    findings.extend(server::intake_doubts(config).into_iter().map(|doubt| Finding::error(&place, doubt)));
    findings
}
