//! The lists of who may come, among themselves.

use super::Finding;
use crate::config::Config;

/// Who is on both lists may not come, which perhaps nobody meant.
pub(super) fn findings(config: &Config) -> Option<Finding> {
    let (allow, deny) = (config.admission.allow.as_ref()?, config.admission.deny.as_ref()?);
    let (first, count) = allow.shared_with(deny)?;
    let more = if count == 1 { String::new() } else { format!(" and {} more", count - 1) };
    let is = if count == 1 { "is" } else { "are" };
    Some(Finding::warning("allow", format!("{first}{more} {is} on the deny list as well, which wins")))
}
