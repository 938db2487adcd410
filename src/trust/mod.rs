//! Other servers, seen from here: what they show as their certificate, and whom we trust. We are the client, with the
//! versions of `[client_tls]`, which are no listener's.
//!
//! A [`TrustFolder`] holds trust anchors under aliases, as Java's `cacerts` does; [`import()`] reads what other programs
//! exported. A listener reads such a folder like any other, by `client_ca`.

mod alias;
mod deadline;
mod error;
mod fetch;
mod folder;
mod import;
pub mod jks;
mod peer;
mod secure;
#[cfg(test)]
mod tests;

pub use alias::{Alias, AliasError};
pub use error::TrustError;
pub use fetch::{FetchError, Fetched, Shown, Verified, fetch};
pub use folder::{Added, Anchor, Change, Taken, TrustFolder, pem};
pub use import::{Found, Import, ImportError, import, read};
pub use peer::{Peer, PeerError};
pub use secure::{Client, Objection, Secure, SecureError};
