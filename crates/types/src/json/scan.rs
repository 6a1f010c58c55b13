//! The grammar of JSON, checked without recursion, with the complaints of Go's scanner.

use super::error::{Error, TOO_DEEP};
use super::index::Index;

/// Arrays and objects inside one another that are accepted, as in Go.
const MAX_DEPTH: usize = 10_000;

/// Why scanning stopped.
pub(super) enum Fault {
    /// A character that cannot stand there.
    Syntax(Error),
    /// The text ended inside the value. Holds what Go's strict reader says, which feigns a space at the end.
    Cut(Error),
}

type Scanned<T> = Result<T, Fault>;

/// Walks over one value, noting where its larger parts end.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// One per open array or object: whether it is an object, and where the index knows it.
    open: Vec<(bool, Option<usize>)>,
    index: Index,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, open: Vec::new(), index: Index::for_text(text.len()) }
    }

    /// The first byte that is not yet read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn into_index(self) -> Index {
        self.index
    }

    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Only white space may be left.
    pub(super) fn end(&mut self) -> Scanned<()> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.stray("after top-level value")) }
    }

    /// Reads one value, with the white space before it.
    pub(super) fn value(&mut self) -> Scanned<()> {
        loop {
            let opened = self.begin()?;
            if !opened && self.close_up()? {
                return Ok(());
            }
        }
    }

    /// Reads a scalar or an empty array or object whole; otherwise opens it, up to where its first value begins.
    fn begin(&mut self) -> Scanned<bool> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => {
                self.push(true)?;
                if self.peek() == Some(b'}') {
                    self.pop();
                    return Ok(false);
                }
                self.key()?;
                return Ok(true);
            }
            Some(b'[') => {
                self.push(false)?;
                if self.peek() == Some(b']') {
                    self.pop();
                    return Ok(false);
                }
                return Ok(true);
            }
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.literal("true")?,
            Some(b'f') => self.literal("false")?,
            Some(b'n') => self.literal("null")?,
            _ => return Err(self.stray("looking for beginning of value")),
        }
        Ok(false)
    }

    /// After a value: closes what ends here. True when nothing is open any more, false before a next value.
    fn close_up(&mut self) -> Scanned<bool> {
        while let Some(&(object, _)) = self.open.last() {
            self.skip_space();
            match (self.peek(), object) {
                (Some(b','), true) => {
                    self.at += 1;
                    self.key()?;
                    return Ok(false);
                }
                (Some(b','), false) => {
                    self.at += 1;
                    return Ok(false);
                }
                (Some(b'}'), true) | (Some(b']'), false) => self.pop(),
                (_, true) => return Err(self.stray("after object key:value pair")),
                (_, false) => return Err(self.stray("after array element")),
            }
        }
        Ok(true)
    }

    fn push(&mut self, object: bool) -> Scanned<()> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.stray(TOO_DEEP));
        }
        let noted = self.index.open(self.at, self.open.len());
        self.open.push((object, noted));
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn pop(&mut self) {
        self.at += 1;
        if let Some((_, Some(noted))) = self.open.pop() {
            self.index.close(noted, self.at);
        }
    }

    fn key(&mut self) -> Scanned<()> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.stray("looking for beginning of object key string"));
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.stray("after object key"));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Scanned<()> {
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(self.stray("in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Scanned<()> {
        self.at += 1;
        match self.peek() {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.stray("in \\u hexadecimal character escape"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.stray("in string escape code")),
        }
        Ok(())
    }

    fn number(&mut self) -> Scanned<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self, place: &str) -> Scanned<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.stray(place)) } else { Ok(()) }
    }

    fn literal(&mut self, word: &'static str) -> Scanned<()> {
        for wanted in word.bytes() {
            if self.peek() != Some(wanted) {
                return Err(self.stray(&format!("in literal {word} (expecting '{}')", char::from(wanted))));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next byte cannot stand here, or there is none.
    fn stray(&self, place: &str) -> Fault {
        let complain = |byte| Error::syntax(format!("invalid character {} {place}", quoted(byte)));
        match self.peek() {
            Some(byte) => Fault::Syntax(complain(byte)),
            None if tolerates_space(place) => Fault::Cut(Error::syntax("unexpected end of JSON input")),
            None => Fault::Cut(complain(b' ')),
        }
    }
}

/// At the end of the text Go's strict reader tries a space: where one may stand, the end itself is the complaint.
fn tolerates_space(place: &str) -> bool {
    place.starts_with("looking")
        || place.starts_with("after object")
        || place.starts_with("after array")
        || place == "in string literal"
}

/// A byte as Go's scanner shows it: as the Latin-1 character of its number, escaped where that does not print.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0..=0x1f | 0x7f => format!("'\\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}
