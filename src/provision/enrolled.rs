//! Within step 2, where there is a store: which of its devices a request is for, and whether that device may have anything.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use super::encrypt::kind_of;
use super::identify::Product;
use super::rules::Treatment;
use super::{Claim, Line, Named, Refusal, Request};
use crate::config::{KeySource, Unknown};
use crate::device::{DeviceIdentity, DeviceName, MacAddress, SerialNumber, Under};
use crate::inventory::{Asked, Inventory, Known, Lookup, Stranger};
use crate::profile::macros::Macros;
use crate::profile::tree::Found;

/// Which device of the store a request is for.
pub(super) enum Enrolled {
    /// Neither path nor proof names one.
    Nobody,
    /// This one, which is enabled.
    Device(Arc<Known>),
    /// One that the store does not have.
    Stranger,
}

/// Whether the device that somebody proves to be is the one that the path names: by an alias, or by a name that the certificate
/// does not hold.
pub(super) fn is_the_same(
    inventory: Option<&Inventory>,
    request: &Request<'_>,
    named: &Named,
    identity: &DeviceIdentity,
) -> Result<bool, Refusal> {
    let Some(inventory) = inventory else { return Ok(false) };
    let known = find(inventory, request, identity.mac(), identity.serial())?;
    Ok(known.is_some_and(|known| {
        let named = match named {
            Named::Nobody => true,
            Named::Several => false,
            Named::OneOf(candidates) => candidates.iter().any(|mac| known.device().has_mac(*mac)),
            Named::Device { mac, serial } => known.answers_to(*mac, serial.as_ref()),
        };
        named && known.is_proven_by(identity)
    }))
}

/// The device that a request is for: the one that was proven where a proof is asked for, else the one that the path names.
/// Who proves more than is asked for is not served as somebody else; but one that is disabled gets nothing.
pub(super) fn device(
    inventory: &Inventory,
    request: &Request<'_>,
    named: &Named,
    proven: Option<&DeviceIdentity>,
) -> Result<Enrolled, Refusal> {
    let of = |identity: &DeviceIdentity| enabled(find(inventory, request, identity.mac(), identity.serial())?);
    let presented = request.presented.identity().map(Arc::as_ref).filter(|_| proven.is_none());
    presented.map(of).transpose()?;
    let known = match (proven, named) {
        (Some(identity), _) => of(identity)?,
        (None, Named::Nobody) => return Ok(Enrolled::Nobody),
        (None, Named::Device { mac, serial }) => {
            let found = find(inventory, request, *mac, serial.as_ref())?;
            // Two names are of two devices where the store says so.
            enabled(found.filter(|known| !known.differs_from(*mac, serial.as_ref())))?
        }
        (None, Named::OneOf(candidates)) => enabled(any_of(inventory, request, candidates)?)?,
        (None, Named::Several) => None,
    };
    Ok(known.map_or(Enrolled::Stranger, Enrolled::Device))
}

fn enabled(known: Option<Arc<Known>>) -> Result<Option<Arc<Known>>, Refusal> {
    match known {
        Some(known) if !known.device().enabled => Err(Refusal::Disabled(known.device().name())),
        known => Ok(known),
    }
}

/// What becomes of a device that the store does not have: it is refused, noted as waiting, or given the one file for such
/// in place of what it asked for.
pub(super) fn stranger(
    line: &Line,
    request: &Request<'_>,
    claim: Claim,
    proven: Option<&DeviceIdentity>,
) -> Result<Found, Refusal> {
    let refusal = Refusal::UnknownDevice(proven.map_or_else(|| claim.named().to_string(), ToString::to_string));
    if line.unknown == Unknown::Refuse {
        return Err(refusal);
    }
    let named = match claim.named() {
        Named::Device { mac, serial } => DeviceIdentity::new(*mac, serial.clone(), None),
        Named::Nobody | Named::OneOf(_) | Named::Several => None,
    };
    let identity = proven.cloned().or(named);
    if let Some((inventory, identity)) = line.inventory.as_ref().zip(identity.as_ref()) {
        inventory.met(met(request, &claim, identity, proven.is_some()));
    }
    let Unknown::Serve(path) = &line.unknown else { return Err(refusal) };
    if claim.is_upload() {
        return Err(refusal);
    }
    let found = line.tree.find(path).map_err(|error| Refusal::File { file: path.to_string(), error })?;
    let mut found = found.ok_or_else(|| Refusal::NoStrangersFile(path.to_string()))?;
    if let Some(identity) = &identity {
        found.macros.complete(identity);
    }
    found.gz |= claim.into_found().gz;
    Ok(found)
}

fn met(request: &Request<'_>, claim: &Claim, identity: &DeviceIdentity, proven: bool) -> Stranger {
    let name = identity.mac().map(DeviceName::Mac);
    let said = match claim.product() {
        Some(Product::Name(name)) => name.parse().ok(),
        Some(Product::Series(_)) | None => None,
    };
    Stranger {
        name: name.or_else(|| identity.serial().cloned().map(DeviceName::Serial)).expect("an identity has a name"),
        product: identity.model().cloned().or(said),
        proven,
        address: request.peer.ip(),
        path: claim.path().to_string(),
    }
}

/// Holds every `$A` to `$P` of the path against what the device has in that register, where that is known.
pub(super) fn registers(known: &Known, macros: &Macros) -> Result<(), Refusal> {
    for (register, text) in macros.registers() {
        let held = known.register(&register.parameter());
        let differs = held.is_some_and(|held| !bool::from(held.as_bytes().ct_eq(text.as_bytes())));
        if differs {
            return Err(Refusal::Register(register));
        }
    }
    Ok(())
}

/// Under which of its own keys a device is answered, where the rule says so: the one that the phone says it has. That it
/// has the one which it was handed is noted.
pub(super) fn under(
    inventory: Option<&Inventory>,
    treatment: &Treatment,
    known: Option<&Known>,
    said: Option<&str>,
) -> Result<Option<Under>, Refusal> {
    let Some(scheme) = treatment.encryption.as_ref().filter(|encryption| matches!(encryption.key, KeySource::Device))
    else {
        return Ok(None);
    };
    let Some(inventory) = inventory else { return Ok(None) };
    let kind = kind_of(scheme.scheme);
    let Some(known) = known else {
        return Err(Refusal::NoKey(
            "the rule's key is the device's own, and the path names no device of the store".into(),
        ));
    };
    let pair = known.keys(kind).ok_or_else(|| {
        let name = known.device().name();
        Refusal::NoKey(format!("the device has no {kind} of its own: `phoneprov device key rotate {name}` makes one"))
    })?;
    let under = pair.under(said).ok_or(Refusal::OtherKey)?;
    let is_news = said.is_some() && (under == Under::Next || !pair.is_used);
    if is_news {
        let id = pair.get(under).id().to_owned();
        inventory.asked_under([Asked { device: known.id(), kind, id }]);
    }
    Ok(Some(under))
}

fn any_of(
    inventory: &Inventory,
    request: &Request<'_>,
    candidates: &[MacAddress],
) -> Result<Option<Arc<Known>>, Refusal> {
    for mac in candidates {
        if let Some(known) = find(inventory, request, Some(*mac), None)? {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

/// The device by its address, else by its serial number.
fn find(
    inventory: &Inventory,
    request: &Request<'_>,
    mac: Option<MacAddress>,
    serial: Option<&SerialNumber>,
) -> Result<Option<Arc<Known>>, Refusal> {
    if let Some(mac) = mac
        && let Some(known) = looked_up(request, inventory.by_mac(mac), || mac.into())?
    {
        return Ok(Some(known));
    }
    let Some(serial) = serial else { return Ok(None) };
    looked_up(request, inventory.by_serial(serial), || DeviceName::Serial(serial.clone()))
}

/// What memory has, or what was read for this very request: the store may have changed again in between.
fn looked_up(
    request: &Request<'_>,
    lookup: Lookup,
    name: impl Fn() -> DeviceName,
) -> Result<Option<Arc<Known>>, Refusal> {
    match lookup {
        Lookup::Known(known) => Ok(Some(known)),
        Lookup::Nobody => Ok(None),
        Lookup::Unread => {
            let name = name();
            let read = request.read.iter().find(|(read, _)| *read == name);
            read.map(|(_, known)| known.clone()).ok_or(Refusal::Unread(name))
        }
    }
}
