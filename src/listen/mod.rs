//! Where phones come in: sockets, the accept loop, TLS, proxies in front, and HTTP as hyper reads it. What they ask for is
//! [`crate::provision`]'s matter.

mod accepted;
mod activation;
mod answer;
pub mod bind;
mod body;
pub mod client;
mod clock;
pub mod http;
mod inflow;
pub mod news;
mod password;
pub mod proxy;
mod refusal;
mod rejected;
mod shares;
pub(crate) mod socket;
pub mod tcp;
mod timed;
pub mod tls;
pub mod toll;
mod upload;
pub mod visitors;

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::shares::Shares;
use crate::app::App;
use crate::census::Census;
use crate::event::Journal;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::vault::Vault;

/// What every listener and connection of the process shares.
#[derive(Debug)]
pub struct Shared {
    /// The configuration in force.
    pub apps: watch::Receiver<Arc<App>>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Which TLS phones use.
    pub census: Arc<Census>,
    /// Where requests are told, where events are kept.
    pub journal: Option<Arc<Journal>>,
    /// Where devices are kept, where they are.
    pub store: Option<Arc<Store>>,
    /// Where files are kept that are handed in, where they are.
    pub vault: Option<Arc<Vault>>,
    /// The connections that may be open.
    pub connections: Arc<Semaphore>,
    /// Those that each address has.
    pub shares: Shares,
    /// Profiles that take long to make, at once: no more than there are processors.
    pub heavy: Arc<Semaphore>,
    /// Passwords that are examined at once: each takes a processor, and some megabytes.
    pub examinations: Arc<Semaphore>,
    /// Uploads under way.
    pub uploads: Arc<Semaphore>,
    /// Those that each address has.
    pub upload_shares: Shares,
    /// Cancelled when the server drains.
    pub stop: CancellationToken,
    /// Every task that has to end before the process does.
    pub tasks: TaskTracker,
}

impl Shared {
    /// The configuration in force now.
    #[must_use]
    pub fn app(&self) -> Arc<App> {
        self.apps.borrow().clone()
    }
}
