//! A device of the store, as requests need it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::device::{Device, DeviceIdentity, MacAddress, SerialNumber};

/// A device, its number, and when it was last noted as seen.
#[derive(Debug)]
pub struct Known {
    id: i64,
    device: Device,
    seen: AtomicI64,
}

/// A device that was given something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// Its number.
    pub id: i64,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Where it is.
    pub address: IpAddr,
}

/// Between two notes that a device was seen (seconds).
const MINUTE: i64 = 60;

impl Known {
    /// The device with this number.
    #[must_use]
    pub fn new(id: i64, device: Device) -> Self {
        Self { id, device, seen: AtomicI64::new(0) }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether what somebody proves to be is this device, by its own address or serial number. An alias is no proof: it is
    /// asked with, never certified.
    #[must_use]
    pub fn is_proven_by(&self, identity: &DeviceIdentity) -> bool {
        let own = &self.device.identity;
        let mac = identity.mac().is_some_and(|mac| own.mac() == Some(mac));
        mac || identity.serial().is_some_and(|serial| own.serial() == Some(serial))
    }

    /// Whether everything that a path names is this device's. A serial number that the store does not know is nobody's.
    #[must_use]
    pub fn answers_to(&self, mac: Option<MacAddress>, serial: Option<&SerialNumber>) -> bool {
        mac.is_none_or(|mac| self.device.has_mac(mac))
            && serial.is_none_or(|serial| self.device.identity.serial() == Some(serial))
    }

    /// What the phone holds in `GPP_A` to `GPP_P`, where that is known.
    #[must_use]
    pub fn register(&self, parameter: &str) -> Option<String> {
        let value = self.device.variables.get(parameter)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// Whether it was not noted as seen for a minute; it is from now on.
    pub(super) fn is_news(&self, at: i64) -> bool {
        let before = self.seen.load(Ordering::Relaxed);
        at - before >= MINUTE && self.seen.compare_exchange(before, at, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.device == other.device
    }
}

impl Eq for Known {}
