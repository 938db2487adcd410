//! What memory says of a name, and what a change does to that.

use std::sync::Arc;

use super::Known;
use crate::device::DeviceName;

/// What the store said of a name, and its last change then.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) revision: i64,
    pub(super) known: Option<Arc<Known>>,
}

/// What a change has touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// Devices with these names.
    Names(Vec<DeviceName>),
    /// What many devices have in common: groups, defaults.
    Layers,
    /// More than anybody has looked at.
    Everything,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// This device.
    Known(Arc<Known>),
    /// The store has none of this name.
    Nobody,
    /// The store has to be asked.
    Unread,
}
