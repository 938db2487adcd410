//! The store's form: every change of it is a file under `migrations/`, run once, in order.

use std::time::Duration;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::{Store, StoreError};

/// Between two tries of what another process keeps from being done.
const PAUSE: Duration = Duration::from_millis(20);

/// Every migration: its number, and its statements.
const MIGRATIONS: [(i64, &str, &str); 9] = [
    (1, "devices", include_str!("migrations/0001_devices.sql")),
    (2, "waiting", include_str!("migrations/0002_waiting.sql")),
    (100, "keys", include_str!("migrations/0100_keys.sql")),
    (101, "codes", include_str!("migrations/0101_codes.sql")),
    (200, "events", include_str!("migrations/0200_events.sql")),
    (300, "uploads", include_str!("migrations/0300_uploads.sql")),
    (301, "proven", include_str!("migrations/0301_proven.sql")),
    (302, "files", include_str!("migrations/0302_files.sql")),
    (303, "nobodys events", include_str!("migrations/0303_nobodys_events.sql")),
];

impl Store {
    /// Brings the store to the form that this program knows. Several processes may do so at once.
    ///
    /// # Errors
    /// It has a newer form, cannot be reached or cannot be written; it is as it was then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let known = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or_default();
        let migrations = MIGRATIONS.iter().map(|(version, name, statements)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, statements.into_sql_str(), false)
        });
        let migrator = Migrator::with_migrations(migrations.collect());
        // All of them in one transaction.
        let begun = self.within(async {
            loop {
                let settled = sqlx::query(self.engine.settle()).execute(&self.pool).await;
                match settled.map_err(|error| self.error(error)) {
                    // Another process does the same: for this, SQLite does not wait by itself.
                    Err(StoreError::Busy(_)) => tokio::time::sleep(PAUSE).await,
                    Err(error) => return Err(error),
                    Ok(_) => break,
                }
            }
            self.pool.begin_with(self.engine.begin()).await.map_err(|error| self.error(error))
        });
        let mut transaction = begun.await?;
        let alone = sqlx::query(self.engine.alone()).execute(&mut *transaction).await;
        alone.map_err(|error| self.error(error))?;
        let ran = migrator.run_direct(None, &mut *transaction, false).await;
        ran.map_err(|error| StoreError::of_migration(&self.place, known, error))?;
        transaction.commit().await.map_err(|error| self.error(error))
    }
}
