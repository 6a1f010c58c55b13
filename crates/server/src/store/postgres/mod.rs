//! PostgreSQL: a bounded pool, prepared statements, any number of nodes.

mod connect;
mod values;

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{
    GenericClient, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio_postgres::types::ToSql;

use super::migrations::{self, Set};
use super::{Engine, Error, Row, Statement, Value, Written};

/// How long a request waits for a free connection, and the server for a new one.
const PATIENCE: Duration = Duration::from_secs(5);

/// One schema of a PostgreSQL database.
pub(super) struct Postgres {
    pool: Pool,
}

impl Postgres {
    /// Connects, checks what durability and text rest on, and migrates the schema.
    pub(super) async fn open(url: &str, max_connections: usize, set: &Set) -> Result<Self, Error> {
        let target = connect::target(url, set.schema, PATIENCE)?;
        let this = Self::over(target, max_connections).await?;
        migrate(&mut this.client().await?, set).await?;
        Ok(this)
    }

    /// Connects in order to read alone: the server refuses whatever would change something.
    pub(super) async fn to_read(url: &str, set: &Set) -> Result<Self, Error> {
        let mut target = connect::target(url, set.schema, PATIENCE)?;
        let options = target.config.get_options().unwrap_or_default().to_owned();
        target.config.options(format!("{options} -c default_transaction_read_only=on"));
        Self::over(target, 1).await
    }

    async fn over(target: connect::Target, max_connections: usize) -> Result<Self, Error> {
        let what = connect::describe(&target.config);
        let open = |reason: String| Error::Open { what: what.clone(), reason };
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(target.config, target.tls, manager);
        let pool = Pool::builder(manager)
            .max_size(max_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| open(error.to_string()))?;
        let client = pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => open(connect::explain(&error)),
            other => open(other.to_string()),
        })?;
        connect::check(&client).await.map_err(|error| match error {
            Error::Database(reason) => open(reason),
            other => other,
        })?;
        drop(client);
        Ok(Self { pool })
    }

    async fn client(&self) -> Result<Object, Error> {
        Ok(self.pool.get().await?)
    }
}

#[async_trait]
impl Engine for Postgres {
    async fn read(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        Ok(run(&self.client().await?, &statement).await?.rows)
    }

    async fn write(&self, statement: Statement) -> Result<Written, Error> {
        run(&self.client().await?, &statement).await
    }

    async fn write_all(&self, statements: Vec<Statement>) -> Result<Vec<Written>, Error> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let mut written = Vec::with_capacity(statements.len());
        for statement in &statements {
            written.push(run(&transaction, statement).await?);
        }
        transaction.commit().await?;
        Ok(written)
    }

    fn sole_writer(&self) -> bool {
        false
    }
}

async fn run(client: &impl GenericClient, statement: &Statement) -> Result<Written, Error> {
    let prepared = client.prepare_cached(statement.sql).await?;
    let (given, wanted) = (statement.params.len(), prepared.params().len());
    if given != wanted {
        return Err(Error::Shape(format!("{given} values for {wanted} parameters")));
    }
    let params: Vec<&(dyn ToSql + Sync)> = statement.params.iter().map(|value| value as _).collect();
    if prepared.columns().is_empty() {
        let affected = client.execute(&prepared, &params).await?;
        return Ok(Written { rows: Vec::new(), affected });
    }
    let mut rows = Vec::new();
    for row in client.query(&prepared, &params).await? {
        let values = (0..row.len()).map(|column| row.try_get::<_, Value>(column)).collect::<Result<_, _>>();
        rows.push(Row(values.map_err(|error| Error::Shape(connect::explain(&error)))?));
    }
    let affected = rows.len() as u64;
    Ok(Written { rows, affected })
}

/// Any number of nodes may start at once: one migrates, the others wait and find it done.
async fn migrate(client: &mut Object, set: &Set) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    transaction.query("SELECT pg_advisory_xact_lock(hashtextextended('tessera migrations', 0))", &[]).await?;
    // Asked first, because CREATE needs a right that the owner of a ready-made schema may not have.
    let there = transaction.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&set.schema]).await?;
    if there.is_empty() {
        transaction.batch_execute(&format!("CREATE SCHEMA {}", set.schema)).await?;
    }
    transaction.batch_execute(migrations::TABLE).await?;
    let mut applied = Vec::new();
    for row in transaction.query(migrations::APPLIED, &[]).await? {
        applied.push(migrations::Applied {
            version: row.try_get(0)?,
            name: row.try_get(1)?,
            checksum: row.try_get(2)?,
        });
    }
    for step in migrations::plan(set, |migration| migration.postgres, &applied)? {
        transaction.batch_execute(step.sql).await?;
        transaction.execute(migrations::RECORD, &[&step.version, &step.name, &step.checksum]).await?;
    }
    transaction.commit().await?;
    Ok(())
}
