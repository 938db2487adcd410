//! A phone to try templates with.

use std::sync::Arc;

use crate::certificate::Credential;
use crate::config::Proof;
use crate::device::DeviceIdentity;
use crate::profile::macros::{Macro, Macros};
use crate::provision::{Examined, Named};

/// A phone with a value for every macro.
pub(super) struct Sample {
    identity: Option<DeviceIdentity>,
    /// What its macros stand for.
    pub(super) macros: Macros,
}

impl Sample {
    pub(super) fn new(identity: Option<DeviceIdentity>) -> Self {
        let mut macros = Macros::default();
        if let Some(identity) = &identity {
            macros.complete(identity);
        }
        for letter in 'A'..='P' {
            if let Some(name) = Macro::named(letter.encode_utf8(&mut [0; 4])) {
                macros.bind(name, &format!("sample-{}", letter.to_ascii_lowercase()));
            }
        }
        Self { identity, macros }
    }

    /// The phone that a file needs the proof of: the one it names, with sample values for what it does not say.
    pub(super) fn owner_of(&self, named: &Named, proof: Proof) -> Option<DeviceIdentity> {
        let sample = self.identity.as_ref().filter(|_| proof != Proof::None)?;
        let (mac, serial) = match named {
            Named::Device { mac, serial } => (*mac, serial.clone()),
            Named::OneOf(candidates) => (candidates.last().copied(), None),
            Named::Nobody | Named::Several => (None, None),
        };
        let serial = serial.or_else(|| sample.serial().cloned());
        DeviceIdentity::new(mac.or(sample.mac()), serial, sample.model().cloned())
    }

    /// What its certificate says.
    pub(super) fn certificate(&self) -> Option<Arc<Credential>> {
        self.identity.as_ref().map(|identity| Arc::new(Credential::sample(identity)))
    }

    /// The right password of that phone's account, where a path needs one.
    pub(super) fn account_for(&self, named: &Named) -> Examined {
        let own = self.identity.as_ref().and_then(DeviceIdentity::mac);
        let account = match named {
            Named::Device { mac: Some(mac), .. } => Some(mac.to_string()),
            Named::Device { mac: None, serial } => serial.as_ref().map(ToString::to_string),
            Named::OneOf(candidates) => candidates.last().map(ToString::to_string),
            Named::Nobody | Named::Several => own.map(|mac| mac.to_string()),
        };
        account.map(|account| Examined::as_given(&account)).unwrap_or_default()
    }
}
