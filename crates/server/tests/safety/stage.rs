//! A data folder with the real binary on it, and hands that reach past it into the database.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;
use tessera_testkit::child::{Child, run};
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::site::{PERMISSIONS, Person, Site};

use crate::TESSERA;

/// The Apps of a stage.
pub(crate) const APPS: [&str; 2] = ["hello", "other"];

/// A server on a folder, with two Apps and three people.
pub(crate) struct Stage {
    pub(crate) data: TempDir,
    pub(crate) child: Option<Child>,
    pub(crate) fake: FakeApp,
    pub(crate) admin: Person,
    pub(crate) user: Person,
    pub(crate) other: Person,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let data = tempfile::tempdir().unwrap();
        let child = Child::start(TESSERA, data.path());
        let fake = FakeApp::start().await;
        let site = child.site;
        let admin = site.sign_in("sysadmin").await;
        for app in APPS {
            site.install(&admin, &fake.manifest(app, &PERMISSIONS)).await;
        }
        let (user, other) = (site.sign_in("user-1").await, site.sign_in("user-2").await);
        Self { data, child: Some(child), fake, admin, user, other }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn site(&self) -> Site {
        self.child.as_ref().unwrap().site
    }

    /// The token with which an App acts as this person.
    pub(crate) async fn token(&self, person: &Person, app: &str) -> String {
        self.site().tokens(person, &self.fake, app).await.0
    }

    /// The token of an App's bot.
    pub(crate) async fn bot(&self, app: &str) -> String {
        self.site().tokens(&self.admin, &self.fake, app).await.1
    }

    /// Stops the server in order; gives all that it printed.
    pub(crate) fn stop(&mut self) -> String {
        self.child.take().map(|child| String::from_utf8_lossy(&child.stop()).into_owned()).unwrap_or_default()
    }

    pub(crate) fn start(&mut self) {
        self.child = Some(Child::start(TESSERA, self.data.path()));
    }

    /// Runs SQL on the data, past the server.
    pub(crate) fn sql(&self, sql: &str) -> usize {
        let database = Connection::open(self.data.path().join("tessera.db")).unwrap();
        database.execute(sql, []).unwrap()
    }

    /// All rows of a query.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        rows(&self.data.path().join("tessera.db"), sql)
    }

    /// Puts rows of a table back as they were.
    pub(crate) fn put_back(&self, table: &str, rows: &[Vec<Value>]) {
        let database = Connection::open(self.data.path().join("tessera.db")).unwrap();
        for row in rows {
            let marks = vec!["?"; row.len()].join(", ");
            let sql = format!("INSERT OR REPLACE INTO {table} VALUES ({marks})");
            assert_eq!(database.execute(&sql, rusqlite::params_from_iter(row)).unwrap(), 1);
        }
    }
}

/// All rows of a query on a database file.
pub(crate) fn rows(file: &Path, sql: &str) -> Vec<Vec<Value>> {
    let database = Connection::open(file).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// `tessera audit verify` on a folder: whether it ended well, and what it printed.
pub(crate) fn verify(dir: &Path, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(TESSERA);
    command.args(["audit", "verify", "--data"]).arg(dir).args(words);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TESSERA_")) {
        command.env_remove(name);
    }
    let (status, text) = run(command);
    (status.success(), text)
}

/// Copies a folder's files, as a backup would.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
