//! Step 2: whether the request may have what it asks for. Closed by default: a path that names a device is given to
//! that device alone, and the device proves itself by a certificate whose field names it, or where a rule says so by a
//! password.

use std::sync::Arc;
use std::time::SystemTime;

use super::admission::is_welcome;
use super::enrolled::Enrolled;
use super::identify::Product;
use super::rules::{Gate, Treatment};
use super::{Certified, Claim, Line, Named, Presented, Refusal, Request, Verb, enrolled};
use crate::certificate::Credential;
use crate::config::{Expired, GoodFor, Method, Proof, Protocol, Renewal};
use crate::device::{DeviceIdentity, Model, Under};
use crate::inventory::Known;
use crate::password::Verdict;
use crate::profile::macros::Macros;
use crate::profile::tree::{FileKind, Found, Tree};

/// The leave to read a file and to send it. Only `authorize` makes one; what reads a profile takes one.
#[derive(Debug)]
pub struct Grant {
    found: Found,
    treatment: Arc<Treatment>,
    /// Whose certificate has expired, where the rule forgives that.
    expired: Option<Certified>,
    device: Option<Arc<Known>>,
    /// The certificate that the content may be made from.
    certificate: Option<Arc<Credential>>,
    /// Which of the device's own keys it is under, where it is under one of those.
    under: Option<Under>,
}

/// Holds the claim against the path's rule, and where there is a store against what it says of the device.
pub(super) fn authorize(
    line: &Line,
    treatment: Arc<Treatment>,
    request: &Request<'_>,
    claim: Claim,
) -> Result<Grant, Refusal> {
    is_of_a_model(request, &claim)?;
    let names_device = *claim.named() != Named::Nobody;
    answers_to(&treatment, request)?;
    is_served_over(&treatment, request.transport, names_device)?;
    let mut certificate = request.presented.credential().cloned();
    if claim.is_reflection() && certificate.is_none() {
        return Err(Refusal::without_certificate(request));
    }
    let proof = treatment.proof_for(names_device);
    let (proven, expired) = match proof {
        Proof::None => (None, None),
        Proof::Password | Proof::Code => (proven_account(line, &treatment, request, claim.named())?, None),
        Proof::Certificate => match proven_device(line, request, claim.named())? {
            Certificate::Valid(identity) => (Some(identity), None),
            Certificate::Expired(certified) => (Some(certified.identity.clone()), Some(certified)),
        },
    };
    is_welcome(&line.admission, request, &claim, proven.as_deref())?;
    let enrolled = match &line.inventory {
        Some(inventory) => enrolled::device(inventory, request, claim.named(), proven.as_deref())?,
        None => Enrolled::Nobody,
    };
    let (device, mut found) = match enrolled {
        Enrolled::Nobody => (None, claim.into_found()),
        Enrolled::Device(known) => (Some(known), claim.into_found()),
        Enrolled::Stranger => (None, enrolled::stranger(line, request, claim, proven.as_deref())?),
    };
    if let Some(known) = &device {
        enrolled::registers(known, &found.macros)?;
    }
    if let Some(identity) = proven {
        found.macros.complete(&identity);
    }
    if let Some(certified) = &expired {
        found = forgiven(line, &treatment.expired, certified, found)?;
        certificate = Some(certified.credential.clone());
    }
    // What a phone sends is opened with whichever of its keys does it.
    let under = match found.kind {
        FileKind::Upload => None,
        FileKind::Literal | FileKind::Template | FileKind::Reflection => {
            enrolled::under(line.inventory.as_deref(), &treatment, device.as_deref(), request.key)?
        }
    };
    Ok(Grant { found, treatment, expired, device, certificate, under })
}

/// What an expired certificate gets by the rule: the file, or in its place the one that has the phone renew it.
fn forgiven(line: &Line, expired: &Expired, certified: &Certified, asked: Found) -> Result<Found, Refusal> {
    let since = certified.credential.expires;
    let too_late = || Refusal::Expired { device: certified.identity.clone(), since };
    match expired {
        Expired::Refuse => Err(too_late()),
        Expired::Within(limit) => {
            let over = SystemTime::now().duration_since(since.into()).unwrap_or_default();
            if over <= *limit { Ok(asked) } else { Err(too_late()) }
        }
        Expired::Renew(_) if asked.kind == FileKind::Upload => Err(too_late()),
        Expired::Renew(renewal) => renewed(line, renewal, certified, &asked),
    }
}

fn renewed(line: &Line, renewal: &Renewal, certified: &Certified, asked: &Found) -> Result<Found, Refusal> {
    let found = renewal_file(&line.tree, renewal, &asked.macros)?;
    let mut found = found.ok_or_else(|| Refusal::NoRenewal(renewal.as_str().to_owned()))?;
    found.macros.complete(&certified.identity);
    found.gz |= asked.gz;
    Ok(found)
}

/// The file that has a phone with these values renew its certificate. A path without macros means the one file of that
/// name, not a template that would take it for some phone's.
///
/// # Errors
/// The file system does not give it.
pub fn renewal_file(tree: &Tree, renewal: &Renewal, macros: &Macros) -> Result<Option<Found>, Refusal> {
    let Some(path) = renewal.path(macros) else { return Ok(None) };
    let found = tree.find(&path).map_err(|error| Refusal::File { file: path.to_string(), error })?;
    Ok(found.filter(|found| !renewal.is_literal() || found.kind == FileKind::Literal))
}

/// What the certificate proves counts; only where it says no model does the path, which proves nothing.
fn is_of_a_model(request: &Request<'_>, claim: &Claim) -> Result<(), Refusal> {
    let Some(models) = request.models else { return Ok(()) };
    let proven = request.presented.certified().and_then(|certified| certified.identity.model());
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
        Verb::Post => Some(Method::Post),
        Verb::Put => Some(Method::Put),
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

/// What a certificate proves of the device that the path names.
enum Certificate {
    Valid(Arc<DeviceIdentity>),
    /// It would, had it not expired.
    Expired(Certified),
}

fn proven_device(line: &Line, request: &Request<'_>, named: &Named) -> Result<Certificate, Refusal> {
    let inventory = line.inventory.as_deref();
    match request.presented {
        Presented::Nothing | Presented::Unproven(_) | Presented::Nobody { .. } => {
            Err(Refusal::without_certificate(request))
        }
        Presented::Device(Certified { identity, .. }) | Presented::Expired(Certified { identity, .. })
            if !named.is(identity) && !enrolled::is_the_same(inventory, request, named, identity)? =>
        {
            Err(Refusal::AnotherDevice { claimed: named.clone(), proven: identity.clone() })
        }
        Presented::Device(certified) => Ok(Certificate::Valid(certified.identity.clone())),
        Presented::Expired(certified) => Ok(Certificate::Expired(certified.clone())),
    }
}

/// The device that the account is named after, if it is one; a shared account names none.
fn proven_account(
    line: &Line,
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
            if *named == Named::Nobody {
                return Ok(devices_called(account).next().map(Arc::new));
            }
            let inventory = line.inventory.as_deref();
            for device in devices_called(account) {
                if named.is(&device) || enrolled::is_the_same(inventory, request, named, &device)? {
                    return Ok(Some(Arc::new(device)));
                }
            }
            Err(Refusal::AnotherAccount { claimed: named.clone(), account: account.clone() })
        }
    }
}

/// Whom an account's name may be of: the name is a MAC address, or else a serial number.
fn devices_called(account: &str) -> impl Iterator<Item = DeviceIdentity> {
    let by_mac = account.parse().ok().and_then(|mac| DeviceIdentity::new(Some(mac), None, None));
    let by_serial = account.parse().ok().and_then(|serial| DeviceIdentity::new(None, Some(serial), None));
    by_mac.into_iter().chain(by_serial)
}

impl Refusal {
    /// A certificate is needed, and there is none that proves anybody.
    fn without_certificate(request: &Request<'_>) -> Self {
        match (request.presented, request.transport) {
            (Presented::Unproven(reason) | Presented::Nobody { reason, .. }, _) => Self::Unproven(reason.clone()),
            (Presented::Expired(certified) | Presented::Device(certified), _) => {
                Self::Expired { device: certified.identity.clone(), since: certified.credential.expires }
            }
            (Presented::Nothing, Protocol::Http | Protocol::Tftp) => Self::NoCertificateOver(request.transport),
            (Presented::Nothing, Protocol::Https) => Self::NoCertificate,
        }
    }
}

impl Grant {
    /// The file that may be read.
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Whose certificate has expired, where the rule forgives that.
    pub(super) fn expired(&self) -> Option<&Certified> {
        self.expired.as_ref()
    }

    /// The device of the store that it is for.
    #[must_use]
    pub fn device(&self) -> Option<&Arc<Known>> {
        self.device.as_ref()
    }

    /// The certificate that the content may be made from.
    #[must_use]
    pub fn certificate(&self) -> Option<&Arc<Credential>> {
        self.certificate.as_ref()
    }

    /// Which of the device's own keys it is under.
    pub(super) fn under(&self) -> Option<Under> {
        self.under
    }

    /// What becomes of it.
    #[must_use]
    pub fn treatment(&self) -> &Arc<Treatment> {
        &self.treatment
    }
}
