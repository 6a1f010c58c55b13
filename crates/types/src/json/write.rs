//! Writing as Go's encoder does: compact, and safe to stand in an HTML page.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use super::error::Error;

/// The compact encoding, with `<`, `>`, `&`, U+2028 and U+2029 escaped as Go does. A [`RawJson`](crate::RawJson)
/// inside is compacted and escaped likewise, and otherwise kept: its numbers, order and escapes.
///
/// # Errors
/// A map whose keys are not strings, or what the value's own `Serialize` says.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Go);
    value.serialize(&mut serializer).map_err(|error| Error::write(&error))?;
    Ok(out)
}

struct Go;

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        escape(writer, text)
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size >= 1e21 {
            // Go signs the exponent.
            return writer.write_all(format!("{value:e}").replace('e', "e+").as_bytes());
        }
        if size != 0.0 && size < 1e-6 { write!(writer, "{value:e}") } else { write!(writer, "{value}") }
    }

    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, json: &str) -> io::Result<()> {
        let mut rest = json;
        // Outside a string there are white space and characters that need no escape.
        while let Some(quote) = rest.find('"') {
            let (outside, string) = rest.split_at(quote);
            squeeze(writer, outside)?;
            let (string, left) = string.split_at(string_end(string));
            escape(writer, string)?;
            rest = left;
        }
        squeeze(writer, rest)
    }
}

/// The length of the quoted string at the start of `text`.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn squeeze<W: ?Sized + Write>(writer: &mut W, text: &str) -> io::Result<()> {
    text.split([' ', '\t', '\r', '\n']).try_for_each(|piece| writer.write_all(piece.as_bytes()))
}

fn escape<W: ?Sized + Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        let (plain, found) = rest.split_at(at);
        writer.write_all(plain.as_bytes())?;
        let mut characters = found.chars();
        if let Some(character) = characters.next() {
            write!(writer, "\\u{:04x}", u32::from(character))?;
        }
        rest = characters.as_str();
    }
    writer.write_all(rest.as_bytes())
}
