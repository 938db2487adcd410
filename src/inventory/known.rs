//! A device of the store, as requests need it.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use minijinja::Value;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::device::{
    Device, DeviceIdentity, KeyKind, KeyPair, KeyRing, Layers, MASK_IN_PROFILES, MacAddress, SerialNumber, Values,
    VariableName, VariableValue,
};
use crate::profile::template::{Variables, unavailable};

/// A device, what its profiles are made with, and when it was last noted as seen.
#[derive(Debug)]
pub struct Known {
    id: i64,
    device: Device,
    variables: Arc<Variables>,
    /// Which of them are secrets.
    secrets: Box<[String]>,
    keys: Option<Box<KeyRing>>,
    print: [u8; 16],
    changed: SystemTime,
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
    /// The device with this number, whose variables come from these layers, and when any of it was last changed.
    #[must_use]
    pub fn new(id: i64, mut device: Device, layers: Layers, changed: SystemTime) -> Self {
        let effective = layers.into_effective();
        // One that could not be opened has no text that could be told.
        let is_secret = |value: &VariableValue| matches!(value, VariableValue::Secret(_));
        let secrets =
            effective.iter().filter(|(_, value)| is_secret(value)).map(|(name, _)| name.to_string()).collect();
        let print = print(&effective);
        let variables =
            effective.into_iter().map(|(name, value)| (name.to_string(), of_template(&name, &value))).collect();
        // What is in `variables` need not be in memory twice.
        device.variables.clear();
        device.notes.clear();
        Self {
            id,
            device,
            variables: Arc::new(variables),
            secrets,
            keys: None,
            print,
            changed,
            seen: AtomicI64::new(0),
        }
    }

    /// The same device with keys of its own. Templates have what profiles hand over as `key.next` and `key.next_id`.
    #[must_use]
    pub fn with_keys(mut self, ring: KeyRing) -> Self {
        let mut hash = Sha256::new_with_prefix(self.print);
        for (kind, pair) in KeyKind::ALL.into_iter().filter_map(|kind| Some((kind, ring.of(kind)?))) {
            let newest = pair.newest();
            hash.update(format!("{kind}={}\n{}\n", pair.current.id(), newest.id()));
            let handed = [("next", newest.secret().expose()), ("next_id", newest.id())];
            Arc::make_mut(&mut self.variables).insert(kind.to_string(), Value::from_pairs(handed));
        }
        if ring != KeyRing::default() {
            self.print.copy_from_slice(&hash.finalize()[..16]);
            self.keys = Some(Box::new(ring));
        }
        self
    }

    /// Its keys of a kind.
    #[must_use]
    pub fn keys(&self, kind: KeyKind) -> Option<&KeyPair> {
        self.keys.as_ref()?.of(kind)
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The device; without its variables and notes.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What its profiles are made with, from every layer.
    #[must_use]
    pub fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    /// The same with a mask in place of every secret; `None` where none is among them.
    #[must_use]
    pub fn masked_variables(&self) -> Option<Variables> {
        let mask = Value::from(MASK_IN_PROFILES);
        let mut all = Variables::clone(&self.variables);
        all.extend(self.secrets.iter().map(|name| (name.clone(), mask.clone())));
        let handed = [("next", mask.clone()), ("next_id", mask)];
        let kinds = KeyKind::ALL.into_iter().filter(|_| self.keys.is_some());
        all.extend(kinds.map(|kind| (kind.to_string(), Value::from_pairs(handed.clone()))));
        (self.keys.is_some() || !self.secrets.is_empty()).then_some(all)
    }

    /// A hash of that: while it is the same, so is what was made.
    #[must_use]
    pub fn print(&self) -> [u8; 16] {
        self.print
    }

    /// When the device, or a layer of its variables, was last changed.
    #[must_use]
    pub fn changed(&self) -> SystemTime {
        self.changed
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

    /// Whether something that a path names is known to be not this device's.
    #[must_use]
    pub fn differs_from(&self, mac: Option<MacAddress>, serial: Option<&SerialNumber>) -> bool {
        let own = &self.device.identity;
        let other_mac = mac.is_some_and(|mac| own.mac().is_some() && !self.device.has_mac(mac));
        other_mac || serial.zip(own.serial()).is_some_and(|(serial, own)| serial != own)
    }

    /// What the phone holds in `GPP_A` to `GPP_P`, where that is known.
    #[must_use]
    pub fn register(&self, parameter: &str) -> Option<String> {
        let value = self.variables.get(parameter)?;
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
        (self.id, &self.device, self.print) == (other.id, &other.device, other.print)
    }
}

impl Eq for Known {}

/// A hash of variables.
fn print(values: &Values) -> [u8; 16] {
    let (mut hash, mut text) = (Sha256::new(), String::new());
    for (name, value) in values {
        hash.update(name.as_str());
        hash.update("=");
        match value {
            VariableValue::Open(value) => {
                text.clear();
                let _ = write!(text, "{value}");
                hash.update(&text);
            }
            VariableValue::Secret(secret) => hash.update(secret.expose()),
            VariableValue::Sealed(sealed) => hash.update(sealed),
        }
        hash.update("\n");
    }
    let mut print = [0; 16];
    print.copy_from_slice(&hash.finalize()[..16]);
    print
}

/// A variable as templates see it. A secret that could not be opened fails the template that asks for it, and no other.
fn of_template(name: &VariableName, value: &VariableValue) -> Value {
    match value {
        VariableValue::Open(value) => to_value(value),
        VariableValue::Secret(secret) => secret.expose().into(),
        VariableValue::Sealed(_) => unavailable(format!(
            "`{name}` is a secret that this server cannot open: `phoneprov check` says why; a key named since counts from SIGHUP on"
        )),
    }
}

/// The same value as templates see it.
pub fn to_value(value: &Json) -> Value {
    match value {
        Json::Null => ().into(),
        Json::Bool(truth) => (*truth).into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => number.to_string().into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(values) => values.iter().map(to_value).collect::<Vec<_>>().into(),
        Json::Object(fields) => Value::from_pairs(fields.iter().map(|(name, value)| (name.clone(), to_value(value)))),
    }
}
