//! What phones would stumble over in the profiles themselves.

use super::Finding;
use crate::app::App;
use crate::profile::flat::MAX_BYTES;
use crate::profile::lint::{self, Context, Sent, Severity};
use crate::profile::parameters::Family;

/// A file that goes out as it stands. What is no profile, by its content, is passed over.
pub(super) fn literal(app: &App, path: &str, sent: Sent) -> Vec<Finding> {
    let root = app.line.tree.root();
    // A larger file is no profile; one that cannot be read has been told of.
    let bytes = root.stamp(path).ok().flatten().filter(|stamp| stamp.size() <= MAX_BYTES as u64);
    let bytes = bytes.and_then(|_| root.read(path, MAX_BYTES as u64).ok());
    bytes.map_or_else(Vec::new, |(bytes, _)| findings(app, path, &bytes, sent))
}

/// What is found in a profile as the phone reads it. Notes are left to `phoneprov lint`.
pub(super) fn findings(app: &App, path: &str, bytes: &[u8], sent: Sent) -> Vec<Finding> {
    if !lint::is_profile(bytes) {
        return Vec::new();
    }
    let context = Context { family: Family::in_path(path), sent, ..Context::new(&app.line.lint) };
    let told = lint::lint(bytes, &context).into_iter().filter_map(|finding| {
        let place = format!("{path}:{}:{}", finding.place.line, finding.place.column);
        let message = format!("{} [{}]", finding.message, finding.code);
        match finding.severity {
            Severity::Error => Some(Finding::error(place, message)),
            Severity::Warning => Some(Finding::warning(place, message)),
            Severity::Note => None,
        }
    });
    told.collect()
}
