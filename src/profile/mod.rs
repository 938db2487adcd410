//! What: the tree of profiles, and how one of them becomes text for one phone.
//!
//! The tree speaks the phones' own macro language: `$PN/$MA.cfg` is the profile of every phone that has no file of its
//! own. A request's path becomes a [`path::RequestPath`], the [`tree::Tree`] says which file it means and what its
//! macros stand for, and [`template::Templates`] renders it with those values.

pub mod escape;
pub mod expansion;
pub mod export;
pub mod flat;
pub mod lint;
pub mod macros;
pub mod mask;
pub mod name;
pub mod parameters;
pub mod path;
pub mod pattern;
pub mod report;
pub mod root;
pub mod rule;
pub mod template;
pub mod tree;
pub mod values;
pub mod variable;
