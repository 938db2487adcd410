//! Flat profiles: the XML that phones read, and write about themselves.
//!
//! Two levels. A [`Document`] is a file as it is written, with its places, comments, stray texts and flaws: what a check
//! looks at and what is formatted. A [`FlatProfile`] is what a phone takes from it: parameters in their order, each with
//! a value, and what [`FlatProfile::to_xml`] writes. Reading is bounded in size, depth and number; a document type, and with it every entity of a file's own, is
//! refused.
//!
//! Not here: which parameters exist and what their values may be.

mod access;
mod compare;
mod document;
mod error;
mod format;
mod place;
mod profile;
mod scan;
mod text;
mod write;

#[cfg(test)]
mod tests;

pub use access::UserAccess;
pub use compare::{Compared, Difference, compare};
pub use document::{Attribute, Declaration, Document, Element, Flaw, FlawKind, Node, Piece};
pub use error::{FlatError, Wrong};
pub use format::{FormatError, Order, format};
pub use place::Place;
pub use profile::{FlatProfile, Form, Group, Parameter, ParameterError, RouterPlace};
pub use text::MAX_BYTES;
