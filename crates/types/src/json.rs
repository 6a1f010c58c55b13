//! Reading JSON as liberally as Go's decoder does, and writing it as Go's encoder does: unmodified Go clients and
//! Apps are on the other end (wire specification, sections 0.3 and 0.4; decisions, section 1.6).

mod access;
mod document;
mod error;
mod go_type;
mod index;
mod read;
mod scan;
mod text;
mod write;

pub use error::Error;
pub use write::to_vec;

use serde::de::DeserializeOwned;

use document::{Document, Span};
use read::Reader;

/// The newtype name under which [`RawJson`](crate::RawJson) asks for the text itself.
pub(crate) const RAW_TOKEN: &str = "$tessera::raw_json";

/// Reads a text that is, as a whole, exactly one JSON value.
///
/// # Errors
/// Go's words for what is wrong with the text, or for a value of another type than `T`.
pub fn from_slice_strict<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    let (document, whole) = Document::strict(text)?;
    read(&document, whole)
}

/// Reads the first JSON value of a text, and ignores what follows it.
///
/// # Errors
/// As [`from_slice_strict`]; `EOF` when there is only white space, `unexpected EOF` when the value is cut off.
pub fn from_slice_stream<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    let (document, whole) = Document::stream(text)?;
    read(&document, whole)
}

/// Checks that the whole text is exactly one JSON value, without decoding it.
///
/// # Errors
/// The first stray character, an early end, a nesting over 10,000, or invalid UTF-8.
pub fn valid_strict(text: &[u8]) -> Result<(), Error> {
    Document::strict(text).map(drop)
}

fn read<T: DeserializeOwned>(document: &Document<'_>, whole: Span) -> Result<T, Error> {
    T::deserialize(Reader { document, spans: &[whole], place: None, stack: read::STACK })
}
