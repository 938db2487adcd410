//! A throw-away PostgreSQL, begun by the first test that wants one and ended with the process: its script waits for the
//! end of the pipe that it is told by.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::outsider::run;

/// One server of databases.
pub(crate) struct Postgres {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: String,
}

impl Postgres {
    /// Starts one that a test has for itself.
    pub(crate) fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres");
        let mut command = Command::new(script);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("tests/postgres, which needs bash");
        let orders = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut url = String::new();
        answers.read_line(&mut url).expect("a line");
        let folder = url.split("host=").nth(1).and_then(|rest| rest.split('&').next());
        let folder = folder.expect("a URL: tests/run installs PostgreSQL").to_owned();
        Self { child, orders, answers, folder }
    }

    /// A new database, as a URL.
    pub(crate) fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database {name}"));
        format!("postgres:///{name}?host={}&user=phoneprov", self.folder)
    }

    /// Runs a statement by psql, and returns what it prints.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        let output = run("psql", &["-h", &self.folder, "-U", "phoneprov", "-d", database, "-qAtc", statement], b"");
        assert!(output.status.success(), "{statement}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Stops or starts it; returns when that is done.
    pub(crate) fn order(&mut self, order: &str) {
        let pipe = self.orders.as_mut().expect("a pipe that is open until the end");
        writeln!(pipe, "{order}").expect("a script that listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("a line");
        assert_eq!(answer.trim(), format!("{order}: done"));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

/// A new database on the server that all tests of the process share.
pub(crate) fn database() -> String {
    shared().database()
}

/// A new store of each kind, as URLs.
pub(crate) fn stores() -> [String; 2] {
    ["sqlite://state/phoneprov.db".to_owned(), database()]
}

/// Runs a statement in a database of that server.
pub(crate) fn shared_sql(database: &str, statement: &str) -> String {
    shared().sql(database, statement)
}

fn shared() -> MutexGuard<'static, Postgres> {
    static SHARED: OnceLock<Mutex<Postgres>> = OnceLock::new();
    SHARED.get_or_init(|| Mutex::new(Postgres::start())).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of a URL's database.
pub(crate) fn name_of(url: &str) -> &str {
    url.split(['/', '?']).nth(3).expect("a URL of this module")
}
