//! Just enough of a Rust lexer to read a source file without being fooled by its comments, strings and tests.

/// A piece of source that the laws speak about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word: keyword or identifier.
    Word(String),
    /// What stands between the quotes of a string, raw or not.
    Text(String),
    /// A single character of punctuation; `::` is two of them.
    Mark(char),
}

/// A token and the line it begins on.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Counted from 1.
    pub(super) line: usize,
}

impl Token {
    /// The word, if it is one.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether it is this character of punctuation.
    pub(super) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// The tokens of a file, without comments, numbers, characters, lifetimes, and items under `#[cfg(test)]`.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    without_tests(&lex(source))
}

fn lex(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: source.chars().collect(), place: 0, line: 1, tokens: Vec::new() };
    while lexer.place < lexer.rest.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer {
    rest: Vec<char>,
    place: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.rest.get(self.place + ahead).copied().unwrap_or('\0')
    }

    fn next(&mut self) -> char {
        let character = self.peek(0);
        self.line += usize::from(character == '\n');
        self.place += 1;
        character
    }

    fn step(&mut self) {
        let line = self.line;
        let kind = match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while self.place < self.rest.len() && self.peek(0) != '\n' {
                    self.next();
                }
                return;
            }
            ('/', '*') => return self.block_comment(),
            ('"', _) => Kind::Text(self.text()),
            ('\'', _) => return self.character_or_lifetime(),
            (first, _) if first.is_alphabetic() || first == '_' => {
                let word = self.word();
                match (word.as_str(), self.peek(0)) {
                    ("r" | "br" | "cr", '"' | '#') if self.raw_begins() => Kind::Text(self.raw_text()),
                    ("b" | "c", '"') => Kind::Text(self.text()),
                    ("b", '\'') => return self.character_or_lifetime(),
                    _ => Kind::Word(word),
                }
            }
            (first, _) if first.is_ascii_digit() => {
                self.word();
                return;
            }
            (first, _) => {
                self.next();
                if first.is_whitespace() {
                    return;
                }
                Kind::Mark(first)
            }
        };
        self.tokens.push(Token { kind, line });
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
            word.push(self.next());
        }
        word
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.place < self.rest.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.next();
                    continue;
                }
            }
            self.next();
            self.next();
            if depth == 0 {
                return;
            }
        }
    }

    fn text(&mut self) -> String {
        self.next();
        let mut text = String::new();
        while self.place < self.rest.len() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                text.push(self.next());
            }
            text.push(self.next());
        }
        self.next();
        text
    }

    /// After `r`: hashes and a quote follow. `r#word` is a word.
    fn raw_begins(&self) -> bool {
        let hashes = (0..).take_while(|ahead| self.peek(*ahead) == '#').count();
        self.peek(hashes) == '"'
    }

    fn raw_text(&mut self) -> String {
        let mut hashes = 0;
        while self.next() == '#' {
            hashes += 1;
        }
        let mut text = String::new();
        while self.place < self.rest.len() {
            if self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#') {
                self.place += 1 + hashes;
                return text;
            }
            text.push(self.next());
        }
        text
    }

    fn character_or_lifetime(&mut self) {
        self.next();
        if self.peek(0) == '\\' {
            self.next();
            self.next();
            while self.place < self.rest.len() && self.next() != '\'' {}
        } else if self.peek(1) == '\'' {
            self.next();
            self.next();
        } else {
            self.word();
        }
    }
}

/// Drops each item that stands under `#[cfg(test)]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut place = 0;
    while place < tokens.len() {
        if is_cfg_test(&tokens[place..]) {
            place = end_of_item(tokens, place);
        } else {
            kept.push(tokens[place].clone());
            place += 1;
        }
    }
    kept
}

fn is_cfg_test(tokens: &[Token]) -> bool {
    let shape = |token: &Token| match &token.kind {
        Kind::Word(word) => word.clone(),
        Kind::Mark(mark) => mark.to_string(),
        Kind::Text(_) => "\"".into(),
    };
    tokens.len() >= 7 && tokens[..7].iter().map(shape).collect::<String>() == "#[cfg(test)]"
}

/// Behind the item whose attributes begin here: behind its closing brace, or its semicolon.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_i32;
    for (place, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            Kind::Mark('{' | '(' | '[') => depth += 1,
            Kind::Mark(mark @ ('}' | ')' | ']')) => {
                depth -= 1;
                if depth == 0 && mark == '}' {
                    return place + 1;
                }
            }
            Kind::Mark(';') if depth == 0 => return place + 1,
            _ => {}
        }
    }
    tokens.len()
}
