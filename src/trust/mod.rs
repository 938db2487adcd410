//! Other servers, seen from here: what they show as their certificate. We are the client, with the versions of
//! `[client_tls]`, which are no listener's.

mod deadline;
mod fetch;
mod peer;

pub use fetch::{FetchError, Fetched, Shown, Verified, fetch};
pub use peer::{Peer, PeerError};
