//! Step 2: whether the request may have what it asks for. Closed by default: a path that names a device is given to
//! that device alone, and the device proves itself by a certificate whose field names it, or where a rule says so by a
//! password.

use std::sync::Arc;

use super::identify::Product;
use super::rules::{Gate, Treatment};
use super::{Claim, Named, Presented, Refusal, Request, Verb};
use crate::config::{GoodFor, Method, Proof, Protocol};
use crate::device::{DeviceIdentity, Model};
use crate::password::Verdict;
use crate::profile::tree::Found;

/// The leave to read a file and to send it. Only `authorize` makes one; what reads a profile takes one.
#[derive(Debug)]
pub struct Grant {
    found: Found,
    treatment: Arc<Treatment>,
}

/// Holds the claim against the path's rule.
pub(super) fn authorize(treatment: Arc<Treatment>, request: &Request<'_>, claim: Claim) -> Result<Grant, Refusal> {
    is_of_a_model(request, &claim)?;
    let names_device = *claim.named() != Named::Nobody;
    answers_to(&treatment, request)?;
    is_served_over(&treatment, request.transport, names_device)?;
    let proof = treatment.proof_for(names_device);
    let proven = match proof {
        Proof::None => None,
        Proof::Password => proven_account(&treatment, request, claim.named())?,
        Proof::Certificate => Some(proven_device(request, claim.named())?),
    };
    let mut found = claim.into_found();
    if let Some(identity) = proven {
        found.macros.complete(&identity);
    }
    Ok(Grant { found, treatment })
}

/// What the certificate proves counts; only where it says no model does the path, which proves nothing.
fn is_of_a_model(request: &Request<'_>, claim: &Claim) -> Result<(), Refusal> {
    let Some(models) = request.models else { return Ok(()) };
    let proven = request.presented.identity().and_then(|identity| identity.model());
    let product = proven.map(|model| Product::Name(model.to_string())).or_else(|| claim.product());
    let is = |model: &Model| match &product {
        Some(Product::Name(name)) => model.as_str().eq_ignore_ascii_case(name),
        Some(Product::Series(series)) => model.series().eq_ignore_ascii_case(series),
        None => false,
    };
    match models.iter().any(is) {
        true => Ok(()),
        false => Err(Refusal::Model(product)),
    }
}

fn answers_to(treatment: &Treatment, request: &Request<'_>) -> Result<(), Refusal> {
    let method = match request.verb {
        Verb::Get => Some(Method::Get),
        Verb::Head => Some(Method::Head),
        Verb::Other => None,
    };
    match method.filter(|method| treatment.methods.contains(method)) {
        Some(_) => Ok(()),
        None => Err(Refusal::Method(treatment.name.clone())),
    }
}

fn is_served_over(treatment: &Treatment, transport: Protocol, names_device: bool) -> Result<(), Refusal> {
    match &treatment.listeners {
        Some(listeners) if listeners.contains(&transport) => Ok(()),
        Some(_) => Err(Refusal::Listener { rule: treatment.name.clone(), transport }),
        None if transport == Protocol::Tftp && names_device => Err(Refusal::DeviceOverTftp),
        None => Ok(()),
    }
}

fn proven_device(request: &Request<'_>, named: &Named) -> Result<Arc<DeviceIdentity>, Refusal> {
    match (request.presented, request.transport) {
        (Presented::Nothing, Protocol::Http | Protocol::Tftp) => Err(Refusal::NoCertificateOver(request.transport)),
        (Presented::Nothing, Protocol::Https) => Err(Refusal::NoCertificate),
        (Presented::Unproven(reason), _) => Err(Refusal::Unproven(reason.clone())),
        (Presented::Device(identity), _) if named.is(identity) => Ok(identity.clone()),
        (Presented::Device(identity), _) => {
            Err(Refusal::AnotherDevice { claimed: named.clone(), proven: identity.clone() })
        }
    }
}

/// The device that the account is named after, if it is one; a shared account names none.
fn proven_account(
    treatment: &Treatment,
    request: &Request<'_>,
    named: &Named,
) -> Result<Option<Arc<DeviceIdentity>>, Refusal> {
    let account = match request.password.verdict() {
        Verdict::Right(account) if request.password.is_of(treatment) => account,
        Verdict::Right(_) => return Err(Refusal::AnotherRule),
        Verdict::Wrong(fault) => return Err((*fault).into()),
        Verdict::Stale(staleness) => return Err((*staleness).into()),
        Verdict::Nothing => return Err(Refusal::NoPassword),
    };
    match treatment.gate.as_ref().map(Gate::good_for) {
        Some(GoodFor::Shared) => Ok(None),
        Some(GoodFor::Own) | None => {
            let mut devices = devices_called(account);
            match devices.find(|device| *named != Named::Nobody && named.is(device)) {
                Some(device) => Ok(Some(Arc::new(device))),
                None if *named == Named::Nobody => Ok(devices_called(account).next().map(Arc::new)),
                None => Err(Refusal::AnotherAccount { claimed: named.clone(), account: account.clone() }),
            }
        }
    }
}

/// Whom an account's name may be of: the name is a MAC address, or else a serial number.
fn devices_called(account: &str) -> impl Iterator<Item = DeviceIdentity> {
    let by_mac = account.parse().ok().and_then(|mac| DeviceIdentity::new(Some(mac), None, None));
    let by_serial = account.parse().ok().and_then(|serial| DeviceIdentity::new(None, Some(serial), None));
    by_mac.into_iter().chain(by_serial)
}

impl Grant {
    /// The file that may be read.
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// What becomes of it.
    #[must_use]
    pub fn treatment(&self) -> &Arc<Treatment> {
        &self.treatment
    }
}
