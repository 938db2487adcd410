//! How: one line from request to response, the same for HTTP, HTTPS and TFTP.
//!
//! ```text
//! identify → authorize → resolve → render → compress → encrypt → respond
//!  Claim      Grant       Profile   Document  Document   Document   Response
//! ```
//!
//! What a phone sends walks the first two, and then [`accept`] and [`open`] take it in.
//!
//! One file a step, each an ordinary function of its arguments, each result the key to the next: only `authorize` makes
//! a grant, and nothing is read without one. What the phone hears of a refusal is "not found"; the [`Trail`] has the rest.

mod admission;
mod authorize;
mod compress;
mod content_hash;
mod document;
mod encrypt;
mod enrolled;
mod error;
mod examine;
mod guess;
mod identify;
mod lint;
mod reflect;
mod render;
mod request;
mod resolve;
mod respond;
mod rules;
mod trail;
mod upload;
mod validators;

pub use authorize::{Grant, renewal_file};
pub use content_hash::ContentHash;
pub use document::{Coding, Document, Documents};
pub use encrypt::{device_key, try_key, try_sample};
pub use error::{REFUSAL_TAKES, Refusal};
pub use examine::{Examined, Examining, Pending, PendingCode, challenges, examine};
pub use guess::Guess;
pub use identify::{Claim, Named, Product};
pub use request::{Certified, Conditions, Presented, Request, Transport, Verb};
pub use resolve::{Delivery, Profile};
pub use respond::{Body, ByteRange, Response, SHORTER, Status};
pub use rules::{Gate, Rules, RulesError, Treatment};
pub use trail::{Outcome, Trail};
pub use upload::{Form, FormFault, Problem, Upload, UploadFault, accept, open};
pub use validators::Validators;

use std::sync::Arc;
use std::time::SystemTime;

use crate::config::{Admission, Unknown};
use crate::inventory::Inventory;
use crate::password::Verdict;
use crate::profile::lint::Settings;
use crate::profile::path::RequestPath;
use crate::profile::template::{Templates, Variables};
use crate::profile::tree::Tree;

/// What the line works with: built whole from one configuration, never changed.
#[derive(Debug)]
pub struct Line {
    /// The files.
    pub tree: Tree,
    /// The same files, compiled.
    pub templates: Templates,
    /// What paths need.
    pub rules: Rules,
    /// Who may come at all.
    pub admission: Arc<Admission>,
    /// The path of the reflector, where there is one.
    pub reflect: Option<RequestPath>,
    /// What profiles are held against.
    pub lint: Settings,
    /// What templates are given.
    pub variables: Arc<Variables>,
    /// When the configuration was last written: a profile is no older.
    pub configured: SystemTime,
    /// What was made before.
    pub documents: Documents,
    /// The devices of the store, as far as they are in memory; `None`: there is no store.
    pub inventory: Option<Arc<Inventory>>,
    /// What becomes of a device that the store does not have.
    pub unknown: Unknown,
}

/// Walks the line. The trail says who asked for what, whatever comes of it.
pub fn answer(line: &Line, request: &Request<'_>) -> (Result<Response, Refusal>, Trail) {
    let mut trail = Trail::default();
    let response = admit(line, request, &mut trail).and_then(|profile| finish(line, request, &profile));
    (response, trail)
}

/// The first half: who asks, whether they may, and what for. No file has been read after it.
///
/// # Errors
/// There is no such file, or the request does not prove what its path needs.
pub fn admit(line: &Line, request: &Request<'_>, trail: &mut Trail) -> Result<Profile, Refusal> {
    // Who has not given the password of a path is refused for that alone, whatever the tree has or has not.
    grant(line, request, trail).map_err(|refusal| examine::ungiven(line, request).unwrap_or(refusal))
}

fn grant(line: &Line, request: &Request<'_>, trail: &mut Trail) -> Result<Profile, Refusal> {
    trail.proven = request.presented.identity().cloned();
    // Who asks is known whatever there is to give.
    if let Verdict::Right(account) = request.password.verdict() {
        trail.account = Some(account.clone());
    }
    let claim = identify::identify(line, request).map_err(|refusal| absent(line, request, refusal, trail))?;
    trail.file = Some(claim.file().clone());
    let (treatment, bound) = line.rules.treatment(claim.path());
    let (treatment, claim) = (treatment.clone(), claim.bound_by(&bound));
    trail.claimed = claim.named().clone();
    trail.rule = Some(treatment.name.clone());
    if treatment.accept.is_some() {
        // A leave to send is none to read.
        return Err(Refusal::Method(treatment.name.clone()));
    }
    let grant = authorize::authorize(line, treatment, request, claim)?;
    trail.granted(&grant);
    if let Some((inventory, known)) = line.inventory.as_ref().zip(grant.device()) {
        inventory.saw(known, request.peer.ip(), SystemTime::now());
    }
    resolve::resolve(request, grant)
}

/// Why there is nothing to read: a path that takes what phones send needs no file, and another method is what is wrong.
fn absent(line: &Line, request: &Request<'_>, refusal: Refusal, trail: &mut Trail) -> Refusal {
    let (Refusal::NoSuchFile, Ok(path)) = (&refusal, &request.path) else { return refusal };
    let (treatment, _) = line.rules.treatment(path);
    if treatment.accept.is_none() {
        return refusal;
    }
    trail.rule = Some(treatment.name.clone());
    Refusal::TakesOnly(treatment.name.clone())
}

/// The second half: the profile's bytes, from the cache or made, and the response around them.
///
/// # Errors
/// The file cannot be read, or its template gives no profile.
pub fn finish(line: &Line, request: &Request<'_>, profile: &Profile) -> Result<Response, Refusal> {
    match profile.delivery() {
        Delivery::Streamed => respond::stream(&line.tree, request, profile),
        Delivery::Whole => {
            let document = if let Some(document) = line.documents.current(&line.tree, profile) {
                document
            } else {
                let (document, version) = make(line, profile)?;
                line.documents.keep(profile, document, version)
            };
            Ok(respond::respond(&line.tree, request, profile, &document))
        }
    }
}

/// The profile as the phone reads it, once it has undone what the rule does to it; for people, never for a phone.
///
/// # Errors
/// As [`finish`].
pub fn preview(line: &Line, profile: &Profile) -> Result<Document, Refusal> {
    render::render(line, profile)
}

/// The same of a profile that a phone would be given: what lint would hold back is none.
///
/// # Errors
/// As [`finish`].
pub fn draft(line: &Line, profile: &Profile) -> Result<Document, Refusal> {
    let document = render::render(line, profile)?;
    lint::look(line, profile, &document)?;
    Ok(document)
}

fn make(line: &Line, profile: &Profile) -> Result<(Document, ContentHash), Refusal> {
    let document = draft(line, profile)?;
    let version = ContentHash::of(&document.bytes);
    let document = compress::compress(profile, document)?;
    Ok((encrypt::encrypt(line, profile, document)?, version))
}
