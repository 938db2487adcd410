//! The folder of files that were handed in, kept in order: what was left behind is swept, and what is past its time goes.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::spawn_blocking;

use crate::config::{Config, Period, Uploads};
use crate::listen::Shared;
use crate::store::{Overdue, Removal, Store, StoreError};
use crate::vault::{KeptName, Vault, VaultError};

/// Between two looks for what is past its time.
const OFTEN: Duration = Duration::from_mins(10);

/// Files that go at once: each is a row, and their removal holds up who writes.
const BATCH: i64 = 100;

/// Between two such batches.
const PAUSE: Duration = Duration::from_millis(200);

/// Names that are looked up at once.
const NAMES: usize = 500;

/// Who removes what is past its time, for the record of its case.
const WHO: &str = "the server";

/// Whatever keeps the folder from being in order; it is tried again.
#[derive(Debug, thiserror::Error)]
enum Untidy {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("{0}")]
    Task(#[from] tokio::task::JoinError),
}

/// What came or ended before a time.
type Before = fn(Timestamp) -> Overdue;

/// What is kept in order.
struct Keeper {
    shared: Arc<Shared>,
    store: Arc<Store>,
    vault: Arc<Vault>,
    settings: Uploads,
    /// Whether events are kept.
    is_told: bool,
}

/// Starts it, where files are handed in.
pub(super) fn start(config: &Config, shared: &Arc<Shared>) {
    let (Some(settings), Some(store), Some(vault)) = (&config.uploads, &shared.store, &shared.vault) else { return };
    let keeper = Keeper {
        shared: shared.clone(),
        store: store.clone(),
        vault: vault.clone(),
        settings: settings.clone(),
        is_told: config.events.is_some(),
    };
    for (overdue, _) in keeper.kinds() {
        shared.metrics.case_files.removed(overdue(Timestamp::MIN).as_str(), 0);
    }
    shared.tasks.spawn(keeper.keep());
}

impl Keeper {
    async fn keep(self) {
        let keeping = async {
            loop {
                if let Err(error) = self.sweep().await {
                    tracing::warn!(%error, "files that were left behind are not swept away now");
                }
                if let Err(error) = self.expire().await {
                    tracing::warn!(%error, "files that are past their time are still there");
                }
                tokio::time::sleep(OFTEN).await;
            }
        };
        tokio::select! {
            () = self.shared.stop.cancelled() => {}
            () = keeping => {}
        }
    }

    /// Removes what nobody writes any more, and what nobody lists.
    async fn sweep(&self) -> Result<(), Untidy> {
        let swept = self.blocking(Vault::sweep_unfinished).await?;
        if swept.removed > 0 {
            tracing::info!(files = swept.removed, "swept away what was left of uploads that broke off");
        }
        let known = match self.blocking(Vault::mark).await? {
            Some(mark) => self.store.knows_folder(&mark.text, mark.is_new).await?,
            None => false,
        };
        let folder = self.vault.folder().display();
        if !known {
            tracing::warn!(%folder, "the store does not know this folder of uploads: what is not listed stays there");
            return Ok(());
        }
        let finished = self.blocking(Vault::finished).await?;
        for names in finished.chunks(NAMES) {
            let unlisted = self.store.unlisted(names.to_vec()).await?;
            if !unlisted.is_empty() {
                tracing::warn!(%folder, files = unlisted.len(), "swept away files that nobody lists");
                self.remove(unlisted).await?;
            }
        }
        Ok(())
    }

    /// What goes after which time.
    fn kinds(&self) -> [(Before, Period); 4] {
        let settings = &self.settings;
        [
            (Overdue::Reports as Before, settings.keep_reports),
            (Overdue::ProblemReports, settings.keep_problem_reports),
            (Overdue::Cases, settings.keep_cases),
            (Overdue::Partial, settings.keep_partial),
        ]
    }

    /// Removes what is past its time, a few at once.
    async fn expire(&self) -> Result<(), Untidy> {
        for (overdue, kept) in self.kinds() {
            loop {
                let overdue = overdue(before(kept));
                let uploads = self.store.overdue(overdue, BATCH).await?;
                if uploads.is_empty() {
                    break;
                }
                let why = format!("kept for {kept}, which is over");
                let removal = Removal { who: WHO, why: &why, is_told: self.is_told };
                let removed = self.store.remove_uploads(&uploads, removal).await?;
                let (kind, files, bytes) = (overdue.as_str(), removed.files, removed.bytes);
                tracing::info!(kind, files, bytes, %kept, "removed files that are past their time");
                self.shared.metrics.case_files.removed(kind, removed.files);
                self.remove(removed.kept).await?;
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    async fn remove(&self, names: Vec<KeptName>) -> Result<(), Untidy> {
        self.blocking(move |vault| names.iter().try_for_each(|name| vault.remove(name))).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Vault) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, Untidy> {
        let vault = self.vault.clone();
        Ok(spawn_blocking(move || work(&vault)).await??)
    }
}

/// When something came or ended whose time is over now.
fn before(kept: Period) -> Timestamp {
    let kept = SignedDuration::try_from(kept.duration()).unwrap_or(SignedDuration::MAX);
    Timestamp::now().saturating_sub(kept).unwrap_or(Timestamp::MIN)
}
