//! The file behind the log.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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
    /// A second handle, so that a sync never waits for, or holds up, an append.
    syncing: File,
}

struct Tail {
    file: File,
    /// Where the last whole line ends: an append that fails half-way is cut back to here.
    end: u64,
    sequence: u64,
    link: Link,
    line: String,
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
        let tail = Mutex::new(Tail { file, end, sequence, link, line: String::new() });
        let (reserve, chain) = (dir.join("audit.reserve"), chain(&key));
        let writer = Self { reserve, chain, tail, syncing, path: path.clone() };
        writer.set_space_aside().map_err(failed)?;
        Ok(writer)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Numbers, times, links and writes one entry: in the kernel's hands when this returns.
    pub(super) fn append(&self, entry: &Entry<'_>, now_ms: i64) -> Result<(), Error> {
        let body = serde_json::to_string(entry)?;
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let tail = &mut *tail;
        let sequence = tail.sequence + 1;
        tail.line.clear();
        use std::fmt::Write as _;
        let _ = write!(tail.line, "{{\"n\":{sequence},\"at\":{now_ms},{}", &body[1..body.len() - 1]);
        let link = link(&self.chain, &tail.link, &tail.line);
        close_line(&mut tail.line, &link);
        if let Err(first) = tail.file.write_all(tail.line.as_bytes()) {
            // A full disk: spend the reserve once, so that what led here is on record.
            let again = std::fs::remove_file(&self.reserve)
                .and_then(|()| tail.cut_back())
                .and_then(|()| tail.file.write_all(tail.line.as_bytes()));
            if again.is_err() {
                let _ = tail.cut_back();
                return Err(Error::File { path: self.path.clone(), source: first });
            }
        }
        tail.end += tail.line.len() as u64;
        tail.sequence = sequence;
        tail.link = link;
        Ok(())
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
