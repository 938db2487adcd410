//! Who the phones of a fleet are, and the certificates that they show.

use std::sync::Arc;

use anyhow::Context as _;

use super::Cast;
use crate::authority::{Authority, Batch, LabPhone};
use crate::device::MacAddress;
use crate::phone::fleet::{Guise, Member, Scenario};
use crate::phone::schedule::Chance;
use crate::phone::unit::Unit;
use crate::phone::wire::Identity;

/// Where certificates come from.
struct Source<'a> {
    cast: &'a Cast,
    batch: Batch<'a>,
    /// The first phone's; the others share its key.
    first: Identity,
}

impl Cast {
    /// All phones, with their certificates; every processor signs its part of them.
    pub(super) fn members(&self, authority: &Authority, scenario: Scenario, count: u32) -> anyhow::Result<Vec<Member>> {
        let batch = Batch::new(authority)?;
        let pem = batch.certificate(&self.printed(self.first_mac))?;
        let first = Identity::of_pem(pem.as_bytes(), batch.key().expose().as_bytes())?;
        let source = Source { cast: self, batch, first };
        let hands = std::thread::available_parallelism().map_or(1, usize::from);
        let part = count.div_ceil(u32::try_from(hands).unwrap_or(1));
        let starts = (0..count).step_by(usize::try_from(part).unwrap_or(1));
        std::thread::scope(|scope| {
            let make = |from: u32| {
                let (source, numbers) = (&source, from..(from + part).min(count));
                scope.spawn(move || numbers.map(|number| source.member(scenario, number)).collect::<Vec<_>>())
            };
            let hands: Vec<_> = starts.map(make).collect();
            hands.into_iter().flat_map(|hand| hand.join().expect("no hand panics")).collect()
        })
    }

    /// What a phone's certificate says.
    fn printed(&self, mac: MacAddress) -> LabPhone {
        LabPhone::new(mac).of_model(self.model.clone())
    }
}

impl Source<'_> {
    fn member(&self, scenario: Scenario, number: u32) -> anyhow::Result<Member> {
        let guise = match scenario {
            Scenario::PowerCut | Scenario::Steady => Guise::Owner,
            Scenario::Scan => Guise::of_attacker(number),
        };
        let own = counted_on(self.cast.first_mac, number);
        let victim = counted_on(own, 1);
        let (asks_as, pem) = match guise {
            Guise::Owner => (own, Some(self.batch.certificate(&self.cast.printed(own))?)),
            Guise::Stranger => (victim, None),
            Guise::Neighbour => (victim, Some(self.batch.certificate(&self.cast.printed(own))?)),
            Guise::Prober => (any_mac(), Some(self.batch.certificate(&self.cast.printed(own))?)),
            Guise::Forger => (victim, Some(self.batch.forgery(&self.cast.printed(victim))?)),
        };
        let identity = pem.map(|pem| self.first.with(pem.as_bytes())).transpose().context("a certificate")?;
        let unit = Unit::new(self.cast.model.clone(), asks_as);
        Ok(Member { unit, identity: identity.map(Arc::new), guise })
    }
}

fn any_mac() -> MacAddress {
    let [_, _, octets @ ..] = Chance::random().0.to_be_bytes();
    MacAddress::new(octets)
}

/// The address that many places after another, in 48 bits.
fn counted_on(first: MacAddress, places: u32) -> MacAddress {
    let number = first.octets().iter().fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
    let [_, _, octets @ ..] = (number + u64::from(places)).to_be_bytes();
    MacAddress::new(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_count_up_and_begin_again_after_the_last() {
        let counted = |first: &str, places| counted_on(first.parse().expect("an address"), places).ma();
        assert_eq!(counted("020000000000", 0), "020000000000");
        assert_eq!(counted("0200000000ff", 1), "020000000100");
        assert_eq!(counted("ffffffffffff", 1), "000000000000");
    }
}
