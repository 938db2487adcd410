//! Symbolic links: who may have a file is decided by the name that it is asked for by, not by what that leads to.

use super::Finding;
use crate::app::App;
use crate::config::Proof;
use crate::profile::path::RequestPath;
use crate::provision::Named;

/// A link that opens what is closed under its own name.
pub(super) fn finding(app: &App, link: &str) -> Option<Finding> {
    let target = app.line.tree.root().leads_to(link).ok()?;
    if target == link || !is_open(app, link)? {
        return None;
    }
    let closed = match is_open(app, &target) {
        Some(true) => return None,
        Some(false) => "which needs proof under that name",
        None => "which no phone can ask for by that name",
    };
    let message = format!("open to everybody, although it is a link to `{target}`, {closed}: add a rule for /{link}");
    Some(Finding::warning(link, message))
}

/// Whether a file goes out without proof; `None` where it does not go out at all.
fn is_open(app: &App, file: &str) -> Option<bool> {
    let path = RequestPath::from_tftp(file.as_bytes()).ok()?;
    let found = app.line.tree.find(&path).ok()??;
    let (treatment, bound) = app.line.rules.treatment(&path);
    let names_device = Named::of(&found) != Named::Nobody || bound.mac().is_some() || bound.serial().is_some();
    Some(treatment.proof_for(names_device) == Proof::None)
}
