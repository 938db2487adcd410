//! Who: the names that a phone has, each a type that cannot hold anything else; and what people say of it.
//!
//! Nothing here reads a file or a socket. A [`MacAddress`], [`SerialNumber`] or [`Model`] is parsed once, at the edge
//! (a path, a certificate, a command line), and trusted from there on. What a certificate proves is a [`DeviceIdentity`];
//! what the store keeps is a [`Device`].

mod agent;
mod group;
mod identity;
mod key;
mod layers;
mod mac;
mod model;
mod name;
mod record;
mod roster;
mod secret;
mod serial;
mod serial_range;
mod text;
mod value;
mod variable;

pub use agent::Agent;
pub use group::{GroupError, GroupName};
pub use identity::DeviceIdentity;
pub use key::{DeviceKey, KeyKind, KeyPair, KeyRing, Under};
pub use layers::{Layers, Origin, Stratum};
pub use mac::{MacAddress, MacError};
pub use model::{Model, ModelError};
pub use name::{DeviceName, NameError};
pub use record::{Device, DeviceError};
pub use roster::{Kind, Listed, Names, Roster, RosterError};
pub use secret::Secret;
pub use serial::{SerialError, SerialNumber};
pub use serial_range::{SerialRange, SerialRangeError};
pub use value::{MASK, MASK_IN_PROFILES, Values, VariableValue, shown};
pub use variable::{VariableError, VariableName};
