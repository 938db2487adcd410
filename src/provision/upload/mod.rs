//! The step for what phones send: reports and problem reports. The same two steps come first as for a profile, and nothing
//! of what is sent is looked at without a grant.
//!
//! [`accept`] says whether a client may send something here. A report is then [`open`]ed: its encryption, by the keys of the
//! rule, and its compression are undone, and it has to be a profile. A problem report is passed on as it comes, out of a
//! [`Form`] or as it is; what it says of its phone is a [`Problem`].

mod fault;
mod form;
mod header;
mod open;
mod problem;

use std::sync::Arc;

pub use self::fault::UploadFault;
pub use self::form::{Form, FormFault};
pub use self::open::open;
pub use self::problem::Problem;
use super::{Grant, Line, Named, Refusal, Request, Trail, authorize, examine, identify};
use crate::config::Accept;
use crate::inventory::Known;
use crate::password::Verdict;

/// The leave to send something, and what it is.
#[derive(Debug)]
pub struct Upload {
    grant: Grant,
    accept: Accept,
    named: Named,
}

/// Whether the client may send something to this path.
///
/// # Errors
/// No rule takes uploads here, or the request does not prove what the rule asks for.
pub fn accept(line: &Line, request: &Request<'_>, trail: &mut Trail) -> Result<Upload, Refusal> {
    grant(line, request, trail).map_err(|refusal| examine::ungiven(line, request).unwrap_or(refusal))
}

fn grant(line: &Line, request: &Request<'_>, trail: &mut Trail) -> Result<Upload, Refusal> {
    let path = request.path.clone()?;
    let (treatment, bound) = line.rules.treatment(&path);
    let Some(accept) = treatment.accept else {
        // As it is where nothing takes uploads: no profile answers to the method.
        return super::admit(line, request, trail).and(Err(Refusal::Method(treatment.name.clone())));
    };
    trail.proven = request.presented.identity().cloned();
    let claim = identify::upload(request, path, &bound);
    let named = claim.named().clone();
    trail.claimed = named.clone();
    trail.rule = Some(treatment.name.clone());
    if let Verdict::Right(account) = request.password.verdict() {
        trail.account = Some(account.clone());
    }
    let grant = authorize::authorize(line, treatment.clone(), request, claim)?;
    if let Some(certified) = grant.expired() {
        trail.proven = Some(certified.identity.clone());
        trail.expired = Some(certified.credential.expires);
    }
    trail.upload = Some(accept);
    Ok(Upload { grant, accept, named })
}

impl Upload {
    /// The leave.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// What is taken in.
    #[must_use]
    pub fn accept(&self) -> Accept {
        self.accept
    }

    /// The device of the store that it is of, where path, certificate or account say so.
    #[must_use]
    pub fn device(&self) -> Option<&Arc<Known>> {
        self.grant.device()
    }

    /// Whom path and certificate name.
    #[must_use]
    pub fn named(&self) -> &Named {
        &self.named
    }
}
