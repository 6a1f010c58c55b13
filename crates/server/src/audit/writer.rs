//! The file behind the log.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::chain::{Chain, Link, chain, close_line, link, open_line};
use super::{Entry, Error};

/// Disk space set aside: enough for some ten thousand entries about a full disk.
const RESERVE: usize = 4 << 20;

pub(super) struct Writer {
    path: PathBuf,
    reserve: PathBuf,
    chain: Chain,
    tail: Mutex<Tail>,
    /// Entries in line, each with whom to tell.
    waiting: Mutex<Vec<(Body, oneshot::Sender<io::Result<()>>)>>,
    /// A second handle, so that a sync never waits for, or holds up, an append.
    syncing: File,
}

/// An entry that is encoded, and the time at which it was made.
struct Body {
    text: String,
    now_ms: i64,
}

impl Body {
    fn of(entry: &Entry<'_>, now_ms: i64) -> Result<Self, Error> {
        Ok(Self { text: serde_json::to_string(entry)?, now_ms })
    }

    /// Without the brackets around it.
    fn members(&self) -> &str {
        &self.text[1..self.text.len() - 1]
    }
}

struct Tail {
    file: File,
    /// Where the last whole line ends: an append that fails half-way is cut back to here.
    end: u64,
    sequence: u64,
    link: Link,
    line: String,
    lines: String,
}

impl Writer {
    pub(super) fn open(dir: &Path, key: Zeroizing<[u8; 32]>) -> Result<Self, Error> {
        let path = dir.join("audit.log");
        let failed = |source| Error::File { path: path.clone(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Busy(path)),
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        let (end, sequence, link) = last_whole_line(&mut file).map_err(failed)?;
        file.set_len(end).map_err(failed)?;
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        let syncing = file.try_clone().map_err(failed)?;
        let tail = Mutex::new(Tail { file, end, sequence, link, line: String::new(), lines: String::new() });
        let (reserve, chain) = (dir.join("audit.reserve"), chain(&key));
        let waiting = Mutex::default();
        let writer = Self { reserve, chain, tail, waiting, syncing, path: path.clone() };
        writer.set_space_aside().map_err(failed)?;
        Ok(writer)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Numbers, times, links and writes one entry: in the kernel's hands when this returns.
    pub(super) fn append(&self, entry: &Entry<'_>, now_ms: i64) -> Result<(), Error> {
        let body = Body::of(entry, now_ms)?;
        let written = {
            let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
            self.write(&mut tail, std::slice::from_ref(&body))
        };
        self.write_waiting();
        written.map_err(|source| self.failed(source))
    }

    /// The same, where nobody's thread is to wait for another's: while somebody writes, entries wait in line, and are
    /// written together by whoever writes next.
    pub(super) async fn append_in_turn(&self, entry: &Entry<'_>, now_ms: i64) -> Result<(), Error> {
        let body = Body::of(entry, now_ms)?;
        let written = match self.try_tail() {
            Some(mut tail) => Ok(self.write(&mut tail, std::slice::from_ref(&body))),
            None => {
                let (done, waits) = oneshot::channel();
                self.waiting().push((body, done));
                Err(waits)
            }
        };
        // Who wrote has made room for those in line; and whoever held us up may have left before we stood there.
        self.write_waiting();
        let written = match written {
            Ok(written) => written,
            Err(waits) => waits.await.unwrap_or_else(|_| Err(io::Error::other("whoever wrote it died"))),
        };
        written.map_err(|source| self.failed(source))
    }

    /// Writes what stands in line, unless somebody writes now: they do it afterwards.
    fn write_waiting(&self) {
        loop {
            if self.waiting().is_empty() {
                return;
            }
            let Some(mut tail) = self.try_tail() else { return };
            let (bodies, done): (Vec<Body>, Vec<_>) =
                std::mem::take(&mut *self.waiting()).into_iter().unzip();
            let written = self.write(&mut tail, &bodies);
            drop(tail);
            for done in done {
                // Who is not there any more needs no answer: what it asked for is not done.
                let _ = done.send(match &written {
                    Ok(()) => Ok(()),
                    Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
                });
            }
        }
    }

    /// All of them, or none.
    fn write(&self, tail: &mut Tail, bodies: &[Body]) -> io::Result<()> {
        let (mut sequence, mut before) = (tail.sequence, tail.link);
        tail.lines.clear();
        for body in bodies {
            sequence += 1;
            tail.line.clear();
            use std::fmt::Write as _;
            let _ = write!(tail.line, "{{\"n\":{sequence},\"at\":{},{}", body.now_ms, body.members());
            before = link(&self.chain, &before, &tail.line);
            close_line(&mut tail.line, &before);
            tail.lines.push_str(&tail.line);
        }
        if let Err(first) = tail.file.write_all(tail.lines.as_bytes()) {
            // A full disk: spend the reserve once, so that what led here is on record.
            let again = std::fs::remove_file(&self.reserve)
                .and_then(|()| tail.cut_back())
                .and_then(|()| tail.file.write_all(tail.lines.as_bytes()));
            if again.is_err() {
                let _ = tail.cut_back();
                return Err(first);
            }
        }
        tail.end += tail.lines.len() as u64;
        (tail.sequence, tail.link) = (sequence, before);
        Ok(())
    }

    fn try_tail(&self) -> Option<MutexGuard<'_, Tail>> {
        match self.tail.try_lock() {
            Ok(tail) => Some(tail),
            Err(TryLockError::Poisoned(tail)) => Some(tail.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Body, oneshot::Sender<io::Result<()>>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::File { path: self.path.clone(), source }
    }

    pub(super) fn sync(&self) -> Result<(), Error> {
        self.syncing.sync_data().map_err(|source| Error::File { path: self.path.clone(), source })
    }

    fn set_space_aside(&self) -> std::io::Result<()> {
        if std::fs::metadata(&self.reserve).is_ok_and(|found| found.len() == RESERVE as u64) {
            return Ok(());
        }
        // Written, not only sized: a hole in a file reserves nothing.
        std::fs::write(&self.reserve, vec![0xA5; RESERVE])
    }
}

impl Tail {
    fn cut_back(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end)).map(drop)
    }
}

/// Where the last line that ends in a newline ends, its number and its hash. Lines are short: the last 64 KiB suffice.
fn last_whole_line(file: &mut File) -> std::io::Result<(u64, u64, Link)> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(64 << 10);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let Some(newline) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        return Ok((0, 0, [0; 32]));
    };
    let line_start = bytes[..newline].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
    let damaged = || std::io::Error::other("its last line is damaged: run `tessera audit verify`");
    let line = std::str::from_utf8(&bytes[line_start..newline]).map_err(|_| damaged())?;
    let (text, link) = open_line(line).ok_or_else(damaged)?;
    let number = text.strip_prefix("{\"n\":").and_then(|rest| rest.split(',').next()).ok_or_else(damaged)?;
    Ok((start + newline as u64 + 1, number.parse().map_err(|_| damaged())?, link))
}
