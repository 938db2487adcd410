//! The real binary, driven from outside.

mod architecture;
mod docs;
