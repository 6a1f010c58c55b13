//! Every path that a source file names, `use` groups unfolded and `self` and `super` resolved.

use super::source::{Kind, Token};

/// A path, from `crate` or from another crate's name on, and the line it begins on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Its segments.
    pub(super) path: Vec<String>,
    /// Counted from 1.
    pub(super) line: usize,
}

/// The paths of a file that is this module (`["grants", "connections"]`), in the order they stand there.
pub(super) fn named(tokens: &[Token], module: &[String]) -> Vec<Named> {
    let mut reader =
        Reader { tokens, place: 0, module: module.to_vec(), inline: Vec::new(), depth: 0, named: vec![] };
    while reader.place < tokens.len() {
        reader.step();
    }
    reader.named
}

struct Reader<'a> {
    tokens: &'a [Token],
    place: usize,
    /// Where we are: the file's module and the inline ones around us.
    module: Vec<String>,
    /// The depth of braces around each inline module.
    inline: Vec<usize>,
    depth: usize,
    named: Vec<Named>,
}

impl Reader<'_> {
    fn word(&self, ahead: usize) -> Option<&str> {
        self.tokens.get(self.place + ahead).and_then(Token::word)
    }

    fn mark(&self, ahead: usize, mark: char) -> bool {
        self.tokens.get(self.place + ahead).is_some_and(|token| token.is(mark))
    }

    fn colons(&self, ahead: usize) -> bool {
        self.mark(ahead, ':') && self.mark(ahead + 1, ':')
    }

    fn step(&mut self) {
        match &self.tokens[self.place].kind {
            Kind::Word(word) if word == "use" && !self.after_path() => {
                self.place += 1;
                self.tree(&[]);
            }
            Kind::Word(word) if word == "mod" && self.word(1).is_some() && self.mark(2, '{') => {
                self.module.push(self.word(1).unwrap_or_default().to_owned());
                self.inline.push(self.depth);
                self.depth += 1;
                self.place += 3;
            }
            Kind::Word(_) if self.colons(1) && !self.after_path() => self.tree(&[]),
            Kind::Mark('{') => {
                self.depth += 1;
                self.place += 1;
            }
            Kind::Mark('}') => {
                self.depth = self.depth.saturating_sub(1);
                if self.inline.last() == Some(&self.depth) {
                    self.inline.pop();
                    self.module.pop();
                }
                self.place += 1;
            }
            _ => self.place += 1,
        }
    }

    /// Whether what stands here continues a path, as `use<'a>` does in `impl Trait + use<'a>`, or `c` in `a::b::c`.
    fn after_path(&self) -> bool {
        let before = |back: usize| self.place.checked_sub(back).and_then(|place| self.tokens.get(place));
        let here = self.word(0) == Some("use") && self.mark(1, '<');
        here || (before(1).is_some_and(|token| token.is(':')) && before(2).is_some_and(|token| token.is(':')))
    }

    /// Reads `a::b`, `a::{b, c::d}`, `a::*`, `a as b` from here on, below the prefix.
    fn tree(&mut self, prefix: &[String]) {
        let line = self.tokens.get(self.place).map_or(0, |token| token.line);
        let mut path = prefix.to_vec();
        if self.colons(0) {
            self.place += 2;
        }
        loop {
            if let Some(word) = self.word(0) {
                path.push(word.to_owned());
            } else if self.mark(0, '*') {
                path.push("*".into());
            } else if self.mark(0, '{') {
                self.place += 1;
                while self.place < self.tokens.len() && !self.mark(0, '}') {
                    let before = self.place;
                    self.tree(&path);
                    if self.word(0) == Some("as") {
                        self.place += 2;
                    }
                    self.place += usize::from(self.mark(0, ',') || self.place == before);
                }
                self.place += 1;
                return;
            } else {
                break;
            }
            self.place += 1;
            if !self.colons(0) {
                break;
            }
            self.place += 2;
        }
        if let Some(path) = self.resolve(&path) {
            self.named.push(Named { path, line });
        }
    }

    /// From `crate` on, or from the other crate's name; `None` for no path at all.
    fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let mut here = self.module.clone();
        let mut segments = path.iter().map(String::as_str).peekable();
        match *segments.peek()? {
            "crate" | "tessera_server" => {
                segments.next();
                here.clear();
            }
            "self" | "super" => {}
            _ => return Some(path.to_vec()),
        }
        while let Some(relative) = segments.next_if(|segment| ["self", "super"].contains(segment)) {
            if relative == "super" {
                here.pop();
            }
        }
        let rest = segments.map(str::to_owned);
        Some(std::iter::once("crate".to_owned()).chain(here).chain(rest).collect())
    }
}
