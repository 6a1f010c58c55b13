//! What the disk alone can do: one thread appends a record's worth of bytes and waits for the disk, again and again.

use std::{fs::OpenOptions, io::Write, path::Path, time::Duration};

use tokio::time::Instant;

use crate::Outcome;

const RECORD: [u8; 200] = [b'x'; 200];

/// Appends and `fdatasync`s per second, in a new file of this directory.
pub(super) fn per_second(directory: &Path, time: Duration) -> Outcome<f64> {
    let path = directory.join("appended");
    let broken = |error: std::io::Error| format!("cannot append to {}: {error}", path.display());
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(broken)?;
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < time {
        file.write_all(&RECORD).map_err(broken)?;
        file.sync_data().map_err(broken)?;
        count += 1;
    }
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    std::fs::remove_file(&path).map_err(broken)?;
    Ok(rate)
}
