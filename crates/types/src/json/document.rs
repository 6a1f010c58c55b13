//! A checked text, and steps over its parts. Nothing here fails: the scanner has seen the text before.

use super::error::Error;
use super::index::Index;
use super::scan::{Fault, Scanner};

/// One value in the text, or one quoted member name.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

/// A text that holds one valid JSON value.
pub(super) struct Document<'de> {
    text: &'de str,
    index: Index,
}

impl<'de> Document<'de> {
    /// The whole of `text` is one value.
    pub(super) fn strict(text: &'de [u8]) -> Result<(Self, Span), Error> {
        let text = std::str::from_utf8(text).map_err(|_| Error::utf8())?;
        let mut scanner = Scanner::new(text.as_bytes());
        scanner
            .value()
            .and_then(|()| scanner.end())
            .map_err(|(Fault::Syntax(error) | Fault::Cut(error))| error)?;
        Ok(Self::checked(text, scanner))
    }

    /// The first value of `text`; what follows is not looked at, be it UTF-8 or not.
    pub(super) fn stream(text: &'de [u8]) -> Result<(Self, Span), Error> {
        let valid = match std::str::from_utf8(text) {
            Ok(valid) => valid,
            Err(error) => {
                let valid = text.get(..error.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        let mut scanner = Scanner::new(valid.as_bytes());
        match scanner.value() {
            Ok(()) => {}
            Err(Fault::Syntax(error)) => return Err(error),
            Err(Fault::Cut(_)) if valid.len() < text.len() => return Err(Error::utf8()),
            Err(Fault::Cut(_)) if valid.bytes().all(is_space) => return Err(Error::syntax("EOF")),
            Err(Fault::Cut(_)) => return Err(Error::syntax("unexpected EOF")),
        }
        let text = valid.get(..scanner.position()).unwrap_or_default();
        Ok(Self::checked(text, scanner))
    }

    fn checked(text: &'de str, scanner: Scanner<'_>) -> (Self, Span) {
        let document = Self { text, index: scanner.into_index() };
        let start = document.after_space(0);
        let whole = Span { start, end: document.after_value(start) };
        (document, whole)
    }

    /// The text of a value, as it was sent.
    pub(super) fn text(&self, span: Span) -> &'de str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The parts of the array or object at `span`.
    pub(super) fn parts(&self, span: Span) -> Parts {
        Parts { at: span.start + 1, object: self.byte(span.start) == Some(b'{') }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn rest(&self, at: usize) -> &[u8] {
        self.text.as_bytes().get(at..).unwrap_or_default()
    }

    fn after_space(&self, at: usize) -> usize {
        let rest = self.rest(at);
        at + rest.iter().position(|&byte| !is_space(byte)).unwrap_or(rest.len())
    }

    fn after_string(&self, mut at: usize) -> usize {
        at += 1;
        loop {
            let rest = self.rest(at);
            let Some(plain) = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\')) else {
                return self.text.len();
            };
            if rest.get(plain) == Some(&b'"') {
                return at + plain + 1;
            }
            at += plain + 2;
        }
    }

    fn after_value(&self, at: usize) -> usize {
        match self.byte(at) {
            Some(b'"') => self.after_string(at),
            Some(b'{' | b'[') => self.index.end_of(at).unwrap_or_else(|| self.after_nest(at)),
            _ => {
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':') || is_space(*byte);
                let rest = self.rest(at);
                at + rest.iter().position(ends).unwrap_or(rest.len())
            }
        }
    }

    fn after_nest(&self, mut at: usize) -> usize {
        let mut open = 0_usize;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'"' => {
                    at = self.after_string(at);
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            at += 1;
            if open == 0 {
                break;
            }
        }
        at
    }
}

/// A walk over the members of an object or the elements of an array.
pub(super) struct Parts {
    at: usize,
    object: bool,
}

impl Parts {
    /// The next part: the quoted name (empty for an element) and the value.
    pub(super) fn next(&mut self, document: &Document<'_>) -> Option<(Span, Span)> {
        let mut at = document.after_space(self.at);
        if document.byte(at) == Some(b',') {
            at = document.after_space(at + 1);
        }
        if matches!(document.byte(at), None | Some(b']' | b'}')) {
            return None;
        }
        let mut name = Span { start: at, end: at };
        if self.object {
            name.end = document.after_string(at);
            let colon = document.after_space(name.end);
            at = document.after_space(colon + 1);
        }
        let value = Span { start: at, end: document.after_value(at) };
        self.at = value.end;
        Some((name, value))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
