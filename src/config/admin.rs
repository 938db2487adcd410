//! `[admin]`: where health and metrics are shown.

use std::net::SocketAddr;

use serde::Deserialize;

/// The admin surface: plain HTTP, meant for this host or a network of operators; never a phone's.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Where it listens; absent: nowhere.
    pub address: Option<SocketAddr>,
}
