//! The figures: what is written to the file, what is printed, and which targets they miss.

use std::fmt;

use serde::Serialize;

use super::herd::Herd;
use super::load::Measured;

/// `read_vs_bare` at least.
const READ_VS_BARE: f64 = 0.5;
/// `attached_vs_standalone` at least.
const ATTACHED: f64 = 0.85;
/// `write_vs_fsync` at least.
const WRITE_VS_FSYNC: f64 = 1.0;
/// `refresh_per_s_per_core` at least.
const REFRESHES: f64 = 500.0;
/// `herd_100_beyond_ms` at most.
const HERD_100_MS: f64 = 20.0;
/// `herd_1000_vs_bare` at most.
const HERD_1000: f64 = 2.0;
/// `rss_idle_mb` at most.
const RSS_IDLE_MB: f64 = 64.0;

/// Everything that was measured; the raw rounds included.
#[derive(Serialize)]
pub(super) struct Figures {
    /// Authenticated, audited, decrypted reads per second ÷ those of a bare handler: median of the rounds.
    pub(super) read_vs_bare: f64,
    /// The same of managed connections.
    pub(super) managed_read_vs_bare: f64,
    /// Reads per second beside a Mattermost ÷ those on the site of its own, the callers' tokens being known: median of the
    /// rounds.
    pub(super) attached_vs_standalone: f64,
    /// Durable refreshes per second ÷ cores, against a provider that answers at once; the cores are the load's and the
    /// provider's, too.
    pub(super) refresh_per_s_per_core: f64,
    /// What the slowest one in a hundred of 100 readers of one grant waits beyond the provider, in milliseconds: median
    /// of the herds.
    pub(super) herd_100_beyond_ms: f64,
    /// What the slowest one in a hundred of 1,000 waits beyond the provider ÷ what as many take with a bare handler:
    /// median of the herds.
    pub(super) herd_1000_vs_bare: f64,
    /// Durable writes per second ÷ append-and-fdatasync per second: median of the rounds.
    pub(super) write_vs_fsync: f64,
    /// 99th percentile of the server's reads in milliseconds: median of the rounds.
    pub(super) read_p99_ms: f64,
    /// Resident memory one second after readiness, before any load, in MiB.
    pub(super) rss_idle_mb: f64,
    /// From the spawn to the readiness line on seeded data, in milliseconds: median of the starts.
    pub(super) start_ms: f64,
    pub(super) users: usize,
    pub(super) seconds_per_run: u64,
    pub(super) readers: usize,
    pub(super) writers: usize,
    pub(super) cores: usize,
    pub(super) reads: Vec<ReadRound>,
    pub(super) managed_reads: Vec<ReadRound>,
    /// The first of each pair on the site of its own.
    pub(super) attached: Vec<ReadRound>,
    pub(super) refreshes: Measured,
    pub(super) herds: Vec<Herd>,
    pub(super) writes: Vec<WriteRound>,
    pub(super) starts_ms: Vec<f64>,
}

/// One run of the bare handler and one of the server.
#[derive(Serialize)]
pub(super) struct ReadRound {
    pub(super) ratio: f64,
    pub(super) bare: Measured,
    pub(super) server: Measured,
}

impl ReadRound {
    pub(super) fn new(bare: Measured, server: Measured) -> Self {
        Self { ratio: server.per_second / bare.per_second, bare, server }
    }
}

impl fmt::Display for ReadRound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ratio, bare, server } = self;
        write!(out, "{ratio:.3} = {:.0}/s ÷ {:.0}/s", server.per_second, bare.per_second)
    }
}

/// One run of the disk alone and one of the server.
#[derive(Serialize)]
pub(super) struct WriteRound {
    pub(super) ratio: f64,
    pub(super) fsync_per_second: f64,
    pub(super) server: Measured,
}

impl WriteRound {
    pub(super) fn new(fsync_per_second: f64, server: Measured) -> Self {
        Self { ratio: server.per_second / fsync_per_second, fsync_per_second, server }
    }
}

impl fmt::Display for WriteRound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ratio, fsync_per_second, server } = self;
        write!(out, "{ratio:.3} = {:.0}/s ÷ {fsync_per_second:.0}/s", server.per_second)
    }
}

/// The middle of the values, or the mean of the two middle ones; NaN of none.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// Prints the table; whether every target is met. NaN meets none.
pub(super) fn judge(figures: &Figures) -> bool {
    let rows = [
        (
            "read_vs_bare",
            figures.read_vs_bare,
            format!("{READ_VS_BARE} or more"),
            figures.read_vs_bare >= READ_VS_BARE,
        ),
        (
            "managed_read_vs_bare",
            figures.managed_read_vs_bare,
            format!("{READ_VS_BARE} or more"),
            figures.managed_read_vs_bare >= READ_VS_BARE,
        ),
        (
            "attached_vs_standalone",
            figures.attached_vs_standalone,
            format!("{ATTACHED} or more"),
            figures.attached_vs_standalone >= ATTACHED,
        ),
        (
            "refresh_per_s_per_core",
            figures.refresh_per_s_per_core,
            format!("{REFRESHES:.0} or more"),
            figures.refresh_per_s_per_core >= REFRESHES,
        ),
        (
            "herd_100_beyond_ms",
            figures.herd_100_beyond_ms,
            format!("{HERD_100_MS:.0} or less"),
            figures.herd_100_beyond_ms <= HERD_100_MS,
        ),
        (
            "herd_1000_vs_bare",
            figures.herd_1000_vs_bare,
            format!("{HERD_1000:.1} or less"),
            figures.herd_1000_vs_bare <= HERD_1000,
        ),
        (
            "write_vs_fsync",
            figures.write_vs_fsync,
            format!("{WRITE_VS_FSYNC:.1} or more"),
            figures.write_vs_fsync >= WRITE_VS_FSYNC,
        ),
        ("read_p99_ms", figures.read_p99_ms, "no target".into(), true),
        (
            "rss_idle_mb",
            figures.rss_idle_mb,
            format!("{RSS_IDLE_MB} or less"),
            figures.rss_idle_mb <= RSS_IDLE_MB,
        ),
        ("start_ms", figures.start_ms, "no target".into(), true),
    ];
    println!("\n{:<24} {:>10}   {:<14} met", "figure", "value", "target");
    for (name, value, target, met) in &rows {
        println!("{name:<24} {value:>10.3}   {target:<14} {}", if *met { "yes" } else { "NO" });
    }
    rows.iter().all(|(.., met)| *met)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(read_vs_bare: f64, write_vs_fsync: f64, rss_idle_mb: f64) -> Figures {
        Figures {
            read_vs_bare,
            managed_read_vs_bare: 0.5,
            attached_vs_standalone: 0.85,
            attached: vec![],
            refresh_per_s_per_core: 500.0,
            herd_100_beyond_ms: 20.0,
            herd_1000_vs_bare: 2.0,
            managed_reads: vec![],
            refreshes: Measured { requests: 1, per_second: 1.0, p50_ms: 1.0, p99_ms: 1.0, max_ms: 1.0 },
            herds: vec![],
            write_vs_fsync,
            read_p99_ms: 1.0,
            rss_idle_mb,
            start_ms: 1.0,
            users: 1,
            seconds_per_run: 1,
            readers: 1,
            writers: 1,
            cores: 1,
            reads: vec![],
            writes: vec![],
            starts_ms: vec![],
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median([]).is_nan());
    }

    #[test]
    fn each_target_is_judged() {
        assert!(judge(&figures(0.5, 1.0, 64.0)));
        assert!(!judge(&figures(0.49, 1.0, 64.0)));
        assert!(!judge(&figures(0.5, 0.99, 64.0)));
        assert!(!judge(&figures(0.5, 1.0, 64.1)));
        assert!(!judge(&figures(f64::NAN, 1.0, 64.0)));
        let met = || figures(0.5, 1.0, 64.0);
        assert!(!judge(&Figures { managed_read_vs_bare: 0.49, ..met() }));
        assert!(!judge(&Figures { attached_vs_standalone: 0.84, ..met() }));
        assert!(!judge(&Figures { refresh_per_s_per_core: 499.0, ..met() }));
        assert!(!judge(&Figures { herd_100_beyond_ms: 20.1, ..met() }));
        assert!(!judge(&Figures { herd_1000_vs_bare: f64::NAN, ..met() }));
    }
}
