//! What is counted of a database, and an engine that counts.

use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::{Engine, Error, Row, Statement, Written};
use crate::meter::Timing;

/// Each label with the database's name and, where there is one, what was done there.
type Labels = [(&'static str, &'static str); 2];

/// The counters of a whole store.
#[derive(Clone)]
pub(super) struct Meters {
    took: Family<Labels, Timing>,
    failed: Family<Labels, Counter<u64, AtomicU64>>,
    batches: Histogram,
}

impl Default for Meters {
    fn default() -> Self {
        let batches = Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]);
        Self { took: Family::default(), failed: Family::default(), batches }
    }
}

impl Meters {
    pub(super) fn announce(&self, registry: &mut Registry) {
        registry.register(
            "store_seconds",
            "Time that the database took, by database and operation; what a cache answers is not counted",
            self.took.clone(),
        );
        registry.register(
            "store_failures",
            "Operations that the database failed, by database and operation",
            self.failed.clone(),
        );
        registry.register(
            "store_commit_writes",
            "Writes that shared one commit, and so one sync (embedded database)",
            self.batches.clone(),
        );
    }

    /// Where the writer of an embedded database says how many shared a commit.
    pub(super) fn batches(&self) -> Histogram {
        self.batches.clone()
    }

    /// The engine, counted under this name.
    pub(super) fn over<E: Engine>(&self, engine: E, database: &'static str) -> Metered<E> {
        let of = |operation| Operation {
            took: self.took.get_or_create_owned(&[("database", database), ("operation", operation)]),
            failed: self.failed.get_or_create_owned(&[("database", database), ("operation", operation)]),
        };
        Metered { engine, read: of("read"), write: of("write") }
    }
}

/// An engine that counts.
pub(super) struct Metered<E> {
    engine: E,
    read: Operation,
    write: Operation,
}

struct Operation {
    took: Timing,
    failed: Counter<u64, AtomicU64>,
}

impl Operation {
    async fn count<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let began = Instant::now();
        let result = work.await;
        self.took.observe(began.elapsed());
        if result.is_err() {
            self.failed.inc();
        }
        result
    }
}

#[async_trait]
impl<E: Engine> Engine for Metered<E> {
    async fn read(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        self.read.count(self.engine.read(statement)).await
    }

    async fn write(&self, statement: Statement) -> Result<Written, Error> {
        self.write.count(self.engine.write(statement)).await
    }

    async fn write_all(&self, statements: Vec<Statement>) -> Result<Vec<Written>, Error> {
        self.write.count(self.engine.write_all(statements)).await
    }

    fn sole_writer(&self) -> bool {
        self.engine.sole_writer()
    }
}
