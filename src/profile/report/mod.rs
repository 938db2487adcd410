//! What a phone says that it has: its reports in their order, and what of it nobody intended.
//!
//! [`State::of`] lays changes over the last full report, and says where one may be missing. [`Drift::of`] holds the result
//! against the profiles that the phone would be given. Nothing here knows where reports are kept.

mod drift;
mod state;

pub use drift::{Differing, Drift};
pub use state::{Entry, Gap, State, What};
