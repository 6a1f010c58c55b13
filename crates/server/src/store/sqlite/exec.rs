//! One statement on one SQLite connection.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ToSql};

use crate::store::{Error, Row, Statement, Value, Written};

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(cause, text) => {
                let text = text.unwrap_or_else(|| cause.to_string());
                match cause.code {
                    ErrorCode::ConstraintViolation => Self::Constraint(text),
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy(text),
                    _ => Self::Database(text),
                }
            }
            other => Self::Database(other.to_string()),
        }
    }
}

/// Prepares (once), binds, steps to the end.
pub(super) fn execute(connection: &Connection, statement: &Statement) -> Result<Written, Error> {
    let mut prepared = connection.prepare_cached(statement.sql)?;
    bind(&mut prepared, &statement.params)?;
    let columns = prepared.column_count();
    if columns == 0 {
        let affected = prepared.raw_execute()?;
        return Ok(Written { rows: Vec::new(), affected: affected as u64 });
    }
    let mut rows = Vec::new();
    let mut cursor = prepared.raw_query();
    while let Some(row) = cursor.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(own(row.get_ref(column)?)?);
        }
        rows.push(Row(values));
    }
    let affected = rows.len() as u64;
    Ok(Written { rows, affected })
}

/// To SQLite `$2` is a name, numbered by first appearance; to PostgreSQL it is the second parameter. Reading
/// the name makes them the same.
fn bind(prepared: &mut CachedStatement<'_>, params: &[Value]) -> Result<(), Error> {
    let mut highest = 0;
    for index in 1..=prepared.parameter_count() {
        let place = prepared
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok())
            .ok_or_else(|| Error::Shape("a parameter is not written as $n".into()))?;
        highest = highest.max(place);
        let value = place.checked_sub(1).and_then(|at| params.get(at));
        let value = value.ok_or_else(|| Error::Shape(format!("no value for ${place}")))?;
        prepared.raw_bind_parameter(index, value)?;
    }
    if highest != params.len() {
        return Err(Error::Shape(format!("{} values for {highest} parameters", params.len())));
    }
    Ok(())
}

fn own(value: ValueRef<'_>) -> Result<Value, Error> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(value) => Ok(Value::Int(value)),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(_) => Err(Error::Shape("text that is not UTF-8".into())),
        },
        ValueRef::Blob(bytes) => Ok(Value::Blob(bytes.to_vec())),
        _ => Err(Error::Shape("a floating-point number".into())),
    }
}
