//! Files of cases on their way in, whatever protocol brings them: who may hand in, and one file as it comes.
//!
//! A door reads its protocol and does three things here. [`Intake::login`] makes a grant of a case's number and a token,
//! or refuses, later for those who guess. [`Intake::begin`] begins a file for a grant. A [`Receiving`] takes its bytes and
//! ends it: acknowledge nothing to a client before [`Receiving::finish`] has. Nothing here ever reads a file back.

mod announced;
mod desk;
mod error;
pub mod http;
mod login;
mod pace;
mod pledge;
mod receiving;
mod tag;
mod turn;

use std::sync::Arc;

use tokio::sync::Semaphore;

use self::announced::Told;
pub use self::announced::{Announced, Place};
pub use self::desk::{Client, Desk, NotTaken, Upload};
pub use self::error::{Denied, IntakeError};
use self::pace::Pace;
pub use self::pace::STALLED;
use self::pledge::Pledges;
pub use self::receiving::{Receiving, Taken};
pub use self::tag::Tag;
use self::turn::Turns;
use crate::config::Uploads;
use crate::event::Journal;
use crate::metrics::Metrics;
use crate::store::{Quota, Store};
use crate::vault::Vault;

/// Files that come in at once: each has some hundred KiB of memory.
const AT_ONCE: usize = 256;

/// What all doors share.
#[derive(Debug)]
pub struct Intake {
    store: Arc<Store>,
    vault: Arc<Vault>,
    quota: Quota,
    settings: Uploads,
    metrics: Arc<Metrics>,
    journal: Option<Arc<Journal>>,
    places: Arc<Semaphore>,
    turns: Turns,
    pledges: Pledges,
}

impl Intake {
    /// Where files of these settings come in.
    #[must_use]
    pub fn new(
        settings: &Uploads,
        (store, vault): (Arc<Store>, Arc<Vault>),
        (metrics, journal): (Arc<Metrics>, Option<Arc<Journal>>),
    ) -> Self {
        Self {
            store,
            vault,
            quota: Quota::from(settings),
            settings: settings.clone(),
            metrics,
            journal,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            turns: Turns::default(),
            pledges: Pledges::default(),
        }
    }

    /// What the configuration says of uploads.
    #[must_use]
    pub fn settings(&self) -> &Uploads {
        &self.settings
    }

    /// Where files are listed.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }
}
