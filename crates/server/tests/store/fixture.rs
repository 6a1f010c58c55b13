//! Where a store lives, and rows to put into it.

use std::future::Future;

use tempfile::TempDir;
use tessera_server::store::{ConnectionRow, Store, StoreConfig};
use tessera_testkit::postgres::Database;

/// A database that outlives the stores that are opened on it.
pub(crate) enum Place {
    Memory,
    Disk(TempDir),
    Postgres(Database),
}

impl Place {
    pub(crate) fn memory() -> Self {
        Self::Memory
    }

    pub(crate) fn disk() -> Self {
        Self::Disk(TempDir::new().unwrap())
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(Database::create().await.unwrap())
    }

    pub(crate) fn config(&self) -> StoreConfig {
        match self {
            Self::Memory => StoreConfig::Memory,
            Self::Disk(dir) => StoreConfig::Sqlite { dir: dir.path().to_owned() },
            Self::Postgres(database) => {
                StoreConfig::Postgres { url: database.url().to_owned(), max_connections: 8 }
            }
        }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.config()).await.unwrap()
    }
}

/// Runs `count` futures in tasks of their own and gives their results in order.
pub(crate) async fn in_parallel<F>(count: usize, make: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|index| tokio::spawn(make(index))).collect();
    let mut results = Vec::with_capacity(count);
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

pub(crate) fn connection(app: &str, user: &str, generation: i64) -> ConnectionRow {
    ConnectionRow {
        app: app.into(),
        user: user.into(),
        kind: 0,
        generation,
        sealed: format!("sealed {app} {user} {generation}").into_bytes(),
        created_at: 1_000,
        updated_at: 1_000 + generation,
        managed: None,
    }
}
