//! The two databases: how each is reached, and where their ways part. Everything else is the same statements for both.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions as _, Connection as _, Executor as _};

use super::StoreError;
use crate::config::Place;

/// Connections that a process has to SQLite: readers do not wait for the one that writes.
const READERS: u32 = 4;

/// Connections of a node to PostgreSQL, whose default is 100 for all.
const CONNECTIONS: u32 = 8;

/// The longest wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(3);

/// Two thousand names in one question are found by an index, one by one. PostgreSQL's default counts on a disk that turns, and
/// reads all rows instead.
const NEAR: &str = "set random_page_cost = 1.1";

/// What a URL gives a meaning of its own.
const SPECIAL: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'"').add(b'<').add(b'>');

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// The engine of a place.
    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::Sqlite(_) => Self::Sqlite,
            Place::Postgres(_) => Self::Postgres,
        }
    }

    /// How a change begins: SQLite takes its write lock at once, where it would fail half-way; PostgreSQL waits at the
    /// row of the revision.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }

    /// What is said once to a store that is to be used. SQLite's readers go on beside a writer then; that every change is
    /// on the disk before it is acknowledged is its default.
    pub(super) fn settle(self) -> &'static str {
        match self {
            Self::Sqlite => "pragma journal_mode = wal",
            Self::Postgres => "select 1",
        }
    }

    /// What is said at the beginning of a change of form, which is one process's at a time. SQLite's own beginning sees to
    /// that; PostgreSQL would let two make the same first table, and one of them fail.
    pub(super) fn alone(self) -> &'static str {
        match self {
            Self::Sqlite => "select 1",
            Self::Postgres => "select 1 from pg_advisory_xact_lock(1885892462)",
        }
    }

    /// Connections, none of which is open yet.
    pub(super) fn pool(place: &Place) -> Result<AnyPool, StoreError> {
        sqlx::any::install_default_drivers();
        // A full disk ends a transaction of SQLite's without sqlx, which then takes the connection for one within it, for ever.
        let options = AnyPoolOptions::new()
            .acquire_timeout(ACQUIRE)
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
        let (options, url) = match place {
            Place::Sqlite(file) => {
                prepare(file).map_err(|reason| StoreError::Closed { place: file.display().to_string(), reason })?;
                let path = file.to_string_lossy();
                // Nobody hangs up but us.
                let options = options.max_connections(READERS).test_before_acquire(false);
                (options, format!("sqlite://{}?mode=rw", utf8_percent_encode(&path, SPECIAL)))
            }
            Place::Postgres(url) => {
                let options = options
                    .max_connections(CONNECTIONS)
                    .after_connect(|connection, _| Box::pin(async move { connection.execute(NEAR).await.map(drop) }));
                (options, url.expose().to_owned())
            }
        };
        // A slow statement would be logged with all of its text, which is as long as what it asks for.
        let to = url.parse::<AnyConnectOptions>().map_err(|error| StoreError::of(&shown(place), error))?;
        Ok(options.connect_lazy_with(to.disable_statement_logging()))
    }
}

/// Where the store is, as people are told: a URL's password is none of their business.
pub(super) fn shown(place: &Place) -> String {
    match place {
        Place::Sqlite(file) => file.display().to_string(),
        Place::Postgres(url) => {
            let text = url.expose();
            let (scheme, rest) = text.split_once("://").unwrap_or(("postgres", ""));
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{rest}")
        }
    }
}

/// Makes the file and its folder, for this user alone: profiles are made from what is in it.
fn prepare(file: &Path) -> Result<(), String> {
    if file.exists() {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
    made.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Secret;

    #[test]
    fn people_see_no_password() {
        let shown = |url: &str| shown(&Place::Postgres(Secret::new(url.into())));
        assert_eq!(shown("postgres://prov:hush@db:5432/phoneprov?sslmode=require"), "postgres://db:5432/phoneprov");
        assert_eq!(shown("postgres:///phoneprov?host=/run/x&password=hush"), "postgres:///phoneprov");
        assert_eq!(shown("postgres://prov:a@hush@db/x"), "postgres://db/x");
    }

    #[test]
    fn no_statement_is_logged_however_long_it_takes() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = Secret::new("postgres://db/phoneprov".into());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _guard = runtime.enter();
        for place in [Place::Sqlite(folder.path().join("a.db")), Place::Postgres(url)] {
            let options = Engine::pool(&place).expect("a pool").connect_options();
            let levels = [options.log_settings.statements_level, options.log_settings.slow_statements_level];
            assert_eq!(levels.map(|level| level.to_string()), ["OFF", "OFF"]);
        }
    }

    #[test]
    fn a_connection_whose_transaction_sqlite_has_ended_by_itself_is_not_used_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::Sqlite(folder.path().join("a.db"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let pool = Engine::pool(&place).expect("a pool");
            for _ in 0..READERS {
                let mut transaction = pool.begin().await.expect("a transaction");
                // As a full disk does.
                sqlx::query("rollback").execute(&mut *transaction).await.expect("ended");
            }
            for _ in 0..READERS * 2 {
                let transaction = pool.begin_with("begin immediate").await.expect("on another connection");
                transaction.commit().await.expect("committed");
            }
        });
    }
}
