//! Who: the names that a phone has, each a type that cannot hold anything else.
//!
//! Nothing here reads a file or a socket. A [`MacAddress`], [`SerialNumber`] or [`Model`] is parsed once, at the edge
//! (a path, a certificate, a command line), and trusted from there on. What a certificate proves is a [`DeviceIdentity`].

mod identity;
mod mac;
mod model;
mod secret;
mod serial;
mod serial_range;

pub use identity::DeviceIdentity;
pub use mac::{MacAddress, MacError};
pub use model::{Model, ModelError};
pub use secret::Secret;
pub use serial::{SerialError, SerialNumber};
pub use serial_range::{SerialRange, SerialRangeError};
