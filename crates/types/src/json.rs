//! Reading JSON as liberally as Go's decoder does, and writing it as Go's encoder does: unmodified Go clients and
//! Apps are on the other end (wire specification, sections 0.3 and 0.4).

mod error;
mod index;
mod scan;

pub use error::Error;

use scan::{Fault, Scanner};

/// Checks that the whole text is exactly one JSON value, without decoding it.
///
/// # Errors
/// The first stray character, an early end, a nesting over 10,000, or invalid UTF-8.
pub fn valid_strict(text: &[u8]) -> Result<(), Error> {
    let text = std::str::from_utf8(text).map_err(|_| Error::utf8())?;
    let mut scanner = Scanner::new(text.as_bytes());
    scanner.value().and_then(|()| scanner.end()).map_err(|(Fault::Syntax(error) | Fault::Cut(error))| error)
}
