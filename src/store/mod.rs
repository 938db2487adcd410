//! Where devices are kept: SQLite in a file, or PostgreSQL for several nodes. The only SQL of the program.
//!
//! One way in: a [`Writing`] takes the revision's row, numbers the change, writes it and its history, and commits both or
//! neither. So changes have an order, `undo` has what it needs, and other nodes learn from the history what has changed.
//! Both databases are given the same statements; `engine` is where their ways part.

mod case;
mod codes;
mod disk;
mod engine;
mod error;
mod events;
mod group;
mod history;
mod keys;
mod layers;
mod migrate;
mod outlook;
mod queue;
mod read;
mod remember;
mod removal;
mod reports;
mod reseal;
mod retention;
mod reveal;
mod rows;
mod seal;
mod standing;
mod trim;
mod undo;
mod upload;
mod uploaded;
mod waiting;
mod whole;
mod write;

use std::future::Future;
use std::time::Duration;

use sqlx::AnyPool;

pub use self::case::{CaseEntry, CaseTotal, Others};
pub use self::codes::{Account, Given};
pub use self::disk::Filled;
use self::engine::Engine;
pub use self::error::StoreError;
pub use self::events::Wanted;
pub use self::group::Group;
pub use self::history::{Change, Layer};
pub use self::keys::{KeyState, Stage, in_one_word};
pub use self::layers::Defaults;
pub use self::outlook::Outlook;
use self::queue::Queue;
pub use self::read::{Entry, Filter, Kind, Seen};
pub use self::removal::Removal;
pub use self::reseal::{Known, Resealed, Sealed};
pub use self::retention::{Overdue, Removed};
use self::seal::Sealer;
pub use self::upload::{Load, NewUpload, Quota, UploadKind};
pub use self::uploaded::{Part, Upload, UploadState};
pub use self::waiting::Waiting;
pub use self::write::{Changed, Writing};
use crate::config::Place;

/// The longest that a question to the store may take: a phone waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The store of devices.
#[derive(Debug)]
pub struct Store {
    pool: AnyPool,
    engine: Engine,
    place: String,
    sealer: Sealer,
    queue: Queue,
}

impl Store {
    /// The store of this place, not reached yet. A file is made where there is none.
    ///
    /// # Errors
    /// The file cannot be made, or the URL is not understood.
    pub fn new(place: &Place) -> Result<Self, StoreError> {
        Ok(Self {
            pool: Engine::pool(place)?,
            engine: Engine::of(place),
            place: engine::shown(place),
            sealer: Sealer::of(None),
            queue: Queue::default(),
        })
    }

    /// The same, reached, and brought to the form that this program knows.
    ///
    /// # Errors
    /// It is not to be reached, of a newer form, or cannot be written.
    pub async fn open(place: &Place) -> Result<Self, StoreError> {
        let store = Self::new(place)?;
        store.migrate().await?;
        Ok(store)
    }

    /// Where it is, without a password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Closes every connection; what is under way is finished.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn error(&self, error: sqlx::Error) -> StoreError {
        StoreError::of(&self.place, error)
    }

    /// Waits for an answer, but not for ever: a server may be gone without a word.
    async fn within<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
            Err(StoreError::Away { place: self.place.clone(), reason: format!("no answer for {PATIENCE:?}") })
        })
    }
}
