//! Reading a log: its chain is followed, line by line, as far as it has been written.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::Error;
use super::chain::{Chain, Link, chain, link, open_line};

/// What [`verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every line is in its place.
    Whole {
        /// How many lines.
        entries: u64,
    },
    /// The first line that does not follow from the one before it.
    BrokenAt {
        /// Counted from 1.
        line: u64,
    },
}

/// Reads a whole log and follows its chain.
pub fn verify(path: &Path, key: &[u8; 32]) -> Result<Verdict, Error> {
    let mut log = Log::open(path, key)?;
    while log.line()?.is_some() {}
    Ok(log.verdict())
}

/// A log being read. What is appended to it meanwhile can be read as well.
pub struct Log {
    path: PathBuf,
    file: BufReader<File>,
    chain: Chain,
    before: Link,
    entries: u64,
    broken: bool,
    /// The line under way. One without its end is being written, or was cut off by a crash: it does not count.
    line: Vec<u8>,
}

impl Log {
    /// Opens a log at its beginning.
    pub fn open(path: &Path, key: &[u8; 32]) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let (file, chain) = (BufReader::new(file), chain(key));
        let path = path.to_owned();
        Ok(Self { path, file, chain, before: [0; 32], entries: 0, broken: false, line: Vec::new() })
    }

    /// The text of the next line that follows from the one before it, without its hash; `None` at the end, and from
    /// the first line on that does not follow.
    pub fn line(&mut self) -> Result<Option<&str>, Error> {
        if self.line.ends_with(b"\n") {
            self.line.clear();
        }
        if self.broken {
            return Ok(None);
        }
        let read = self.file.read_until(b'\n', &mut self.line);
        read.map_err(|source| Error::File { path: self.path.clone(), source })?;
        let Some(line) = self.line.strip_suffix(b"\n") else { return Ok(None) };
        self.entries += 1;
        let opened = std::str::from_utf8(line).ok().and_then(open_line);
        match opened {
            Some((text, found)) if found == link(&self.chain, &self.before, text) => {
                self.before = found;
                Ok(Some(text))
            }
            _ => {
                self.broken = true;
                Ok(None)
            }
        }
    }

    /// How it is as far as it was read.
    pub fn verdict(&self) -> Verdict {
        match self.broken {
            true => Verdict::BrokenAt { line: self.entries },
            false => Verdict::Whole { entries: self.entries },
        }
    }
}
