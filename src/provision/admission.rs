//! Between the steps: whether somebody is on a list of those who may come, or of those who may not. Looked up by every
//! name that the request has: what its certificate or account proves, and what its path says.

use super::identify::Product;
use super::{Claim, Named, Refusal, Request};
use crate::config::Admission;
use crate::device::{DeviceIdentity, MacAddress, Names, SerialNumber};

/// Somebody whom a request names.
struct Party<'a> {
    mac: Option<MacAddress>,
    serial: Option<&'a SerialNumber>,
    model: Option<&'a str>,
    series: Option<&'a str>,
}

/// Who is named by nothing may come: what no list can know is a rule's matter. `owner` is who has proven to be whom the
/// path names.
pub(super) fn is_welcome(
    lists: &Admission,
    request: &Request<'_>,
    claim: &Claim,
    owner: Option<&DeviceIdentity>,
) -> Result<(), Refusal> {
    if lists.allow.is_none() && lists.deny.is_none() {
        return Ok(());
    }
    let product = claim.product();
    let (model, series) = match &product {
        Some(Product::Name(name)) => (Some(name.as_str()), None),
        Some(Product::Series(series)) => (None, Some(series.as_str())),
        None => (None, None),
    };
    let mut path_says = Party { mac: None, serial: None, model, series };
    let certified = request.presented.certified().map(|certified| &*certified.identity);
    let proven: Vec<&DeviceIdentity> = certified.into_iter().chain(owner).collect();
    for identity in &proven {
        lists.hold(&path_says.with(identity))?;
    }
    let named = claim.named();
    let is_proven = owner.is_some() || proven.iter().any(|identity| named.is(identity));
    if (is_proven || *named == Named::Nobody) && proven.iter().any(|identity| identity.model().is_some()) {
        (path_says.model, path_says.series) = (None, None);
    }
    let hold = |party: &Party<'_>| if is_proven { lists.hold_against_deny(party) } else { lists.hold(party) };
    match named {
        Named::Nobody => lists.hold_against_deny(&path_says),
        Named::Device { mac, serial } => hold(&Party { mac: *mac, serial: serial.as_ref(), ..path_says }),
        Named::OneOf(_) if is_proven => Ok(()),
        // One of these it is, and nothing says which: each of them has to be welcome.
        Named::OneOf(candidates) => {
            candidates.iter().try_for_each(|mac| hold(&Party { mac: Some(*mac), serial: None, model, series }))
        }
        Named::Several => Err(Refusal::NotListed("two devices at once".to_owned())),
    }
}

/// The same for somebody whom what is sent names, and nothing else.
pub(super) fn holds(lists: &Admission, request: &Request<'_>, identity: &DeviceIdentity) -> Result<(), Refusal> {
    if let Some(certified) = request.presented.certified() {
        lists.hold(&Party { mac: None, serial: None, model: None, series: None }.with(&certified.identity))?;
    }
    lists.hold(&Party { mac: None, serial: None, model: None, series: None }.with(identity))
}

impl<'a> Party<'a> {
    /// The proven device; what the path says of its model counts only where the proof does not say one.
    fn with<'b>(&self, identity: &'b DeviceIdentity) -> Party<'b>
    where
        'a: 'b,
    {
        let model = identity.model().map(crate::device::Model::as_str);
        let series = if model.is_some() { None } else { self.series };
        Party { mac: identity.mac(), serial: identity.serial(), model: model.or(self.model), series }
    }

    fn names(&self) -> Names<'_> {
        Names { mac: self.mac, serial: self.serial, model: self.model, series: self.series }
    }
}

impl std::fmt::Display for Party<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = [
            self.mac.map(|mac| mac.to_string()),
            self.serial.map(ToString::to_string),
            self.model.or(self.series).map(str::to_owned),
        ];
        let names: Vec<String> = names.into_iter().flatten().collect();
        f.write_str(&names.join("/"))
    }
}

impl Admission {
    fn hold(&self, party: &Party<'_>) -> Result<(), Refusal> {
        self.hold_against_deny(party)?;
        match &self.allow {
            Some(allow) if allow.find(party.names()).is_none() => Err(Refusal::NotListed(party.to_string())),
            Some(_) | None => Ok(()),
        }
    }

    fn hold_against_deny(&self, party: &Party<'_>) -> Result<(), Refusal> {
        match self.deny.as_ref().and_then(|deny| deny.find(party.names())) {
            Some(listed) => Err(Refusal::Denied { who: party.to_string(), listed: listed.to_string() }),
            None => Ok(()),
        }
    }
}
