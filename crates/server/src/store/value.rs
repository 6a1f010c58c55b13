//! The few kinds of value that both databases speak.

use super::Error;

/// One value of a column or a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer (`BIGINT`); times are unix milliseconds.
    Int(i64),
    /// Unicode text (`TEXT`). PostgreSQL has no NUL in it, and gets U+FFFD instead.
    Text(String),
    /// Bytes (`BLOB`, `BYTEA`).
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One SQL statement with its parameters, in SQL that both databases speak.
///
/// `$n` is `params[n - 1]`, in any order and as often as needed. The text is `'static` because engines keep
/// prepared statements by it; nothing is ever spliced into SQL.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The SQL text.
    pub sql: &'static str,
    /// The parameters.
    pub params: Vec<Value>,
}

impl Statement {
    /// A statement; `values![…]` writes the parameters.
    pub fn new(sql: &'static str, params: Vec<Value>) -> Self {
        Self { sql, params }
    }
}

/// `values![a, b]` is the parameter list `$1 = a`, `$2 = b`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::Value::from($value)),*] };
}
pub(crate) use values;

/// One row of an answer. Columns are taken out by index, each once: taking moves the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub(super) Vec<Value>);

impl Row {
    fn take(&mut self, index: usize) -> Result<Value, Error> {
        let slot = self.0.get_mut(index).ok_or_else(|| Error::Shape(format!("no column {index}")))?;
        Ok(std::mem::replace(slot, Value::Null))
    }

    /// Takes an integer; anything else is [`Error::Shape`].
    pub fn int(&mut self, index: usize) -> Result<i64, Error> {
        self.opt_int(index)?.ok_or_else(|| null(index))
    }

    /// Takes a text; anything else is [`Error::Shape`].
    pub fn text(&mut self, index: usize) -> Result<String, Error> {
        self.opt_text(index)?.ok_or_else(|| null(index))
    }

    /// Takes bytes; anything else is [`Error::Shape`].
    pub fn blob(&mut self, index: usize) -> Result<Vec<u8>, Error> {
        self.opt_blob(index)?.ok_or_else(|| null(index))
    }

    /// Takes bytes of a known length; anything else is [`Error::Shape`].
    pub fn array<const N: usize>(&mut self, index: usize) -> Result<[u8; N], Error> {
        let bytes = self.blob(index)?;
        bytes.try_into().map_err(|_| Error::Shape(format!("column {index} is not {N} bytes long")))
    }

    /// Takes an integer or NULL.
    pub fn opt_int(&mut self, index: usize) -> Result<Option<i64>, Error> {
        match self.take(index)? {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(value)),
            other => Err(mismatch(index, "an integer", &other)),
        }
    }

    /// Takes a text or NULL.
    pub fn opt_text(&mut self, index: usize) -> Result<Option<String>, Error> {
        match self.take(index)? {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value)),
            other => Err(mismatch(index, "text", &other)),
        }
    }

    /// Takes bytes or NULL.
    pub fn opt_blob(&mut self, index: usize) -> Result<Option<Vec<u8>>, Error> {
        match self.take(index)? {
            Value::Null => Ok(None),
            Value::Blob(value) => Ok(Some(value)),
            other => Err(mismatch(index, "bytes", &other)),
        }
    }
}

fn null(index: usize) -> Error {
    Error::Shape(format!("column {index} is NULL, or was taken before"))
}

/// Names the kinds only: a value may be somebody's.
fn mismatch(index: usize, wanted: &str, found: &Value) -> Error {
    let found = match found {
        Value::Null => "NULL",
        Value::Int(_) => "an integer",
        Value::Text(_) => "text",
        Value::Blob(_) => "bytes",
    };
    Error::Shape(format!("column {index} is {found}, not {wanted}"))
}

/// What a write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows of its `RETURNING`, else empty.
    pub rows: Vec<Row>,
    /// Rows inserted, updated or deleted.
    pub affected: u64,
}
