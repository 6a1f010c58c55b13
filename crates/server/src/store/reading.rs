//! A database opened to be looked at: no migration, no lock, no write. What `tessera audit verify` compares, and
//! what `tessera doctor` looks at.

use std::sync::Arc;

use super::connections::columns;
use super::migrations::DATA;
use super::postgres::Postgres;
use super::sqlite::ToRead;
use super::{ConnectionRow, CredentialRow, Engine, Error, Meta, Statement, StoreConfig, values};

/// All rows that a seal binds to their place, in parts.
pub struct Reading {
    engine: Arc<dyn Engine>,
}

impl Reading {
    /// Opens the data, not the keys. A folder may be a copy or in use, and need not hold more than `tessera.db` with
    /// its `-wal`.
    pub async fn open(config: &StoreConfig) -> Result<Self, Error> {
        let engine: Arc<dyn Engine> = match config {
            StoreConfig::Memory => {
                let reason = "what is in memory ends with its process".to_owned();
                return Err(Error::Open { what: "a store in memory".into(), reason });
            }
            StoreConfig::Sqlite { dir } => Arc::new(ToRead::open(dir, &DATA)?),
            StoreConfig::Postgres { url, .. } => Arc::new(Postgres::to_read(url, &DATA).await?),
        };
        Ok(Self { engine })
    }

    /// Connections in the order of App and user, after this App and user, at most `limit`.
    pub async fn connections(&self, after: (&str, &str), limit: i64) -> Result<Vec<ConnectionRow>, Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM connections WHERE (app, user_id) > ($1, $2) ORDER BY app, user_id LIMIT $3"
        );
        self.engine.all(Statement::new(sql, values![after.0, after.1, limit])).await
    }

    /// Values about the installation itself.
    pub fn meta(&self) -> Meta {
        Meta::new(Arc::clone(&self.engine))
    }

    /// The number of the last migration that ran on it, and of the last that this program has.
    pub async fn migrations(&self) -> Result<(i64, i64), Error> {
        let sql = "SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 1";
        let rows = self.engine.read(Statement::new(sql, values![])).await?;
        let ran = rows.into_iter().next().map(|mut row| row.int(0)).transpose()?;
        Ok((ran.unwrap_or_default(), DATA.migrations.last().map_or(0, |last| last.version)))
    }

    /// Apps' records in the order of Apps, after this App, at most `limit`.
    pub async fn credentials(&self, after: &str, limit: i64) -> Result<Vec<CredentialRow>, Error> {
        let sql = "SELECT app, generation, sealed, updated_at, updated_by FROM credentials
            WHERE app > $1 ORDER BY app LIMIT $2";
        self.engine.all(Statement::new(sql, values![after, limit])).await
    }
}
