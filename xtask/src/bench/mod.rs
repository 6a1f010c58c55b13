//! `cargo xtask bench`: release builds in separate processes, judged against the project's targets.
//!
//! `build_and_run` builds and hands over to the release build of this very program (`bench-run`), so that nothing
//! that is measured, and nothing that measures, runs unoptimised. The bare handler and the load generator are
//! processes of their own too.

pub(crate) mod bare;
mod fsync;
mod herd;
pub(crate) mod load;
pub(crate) mod mattermost;
pub(crate) mod provider;
mod report;
mod seed;
mod server;

use std::{
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use clap::Args;

use self::{
    herd::{Herd, Ports},
    load::Kind,
    report::{Figures, ReadRound, WriteRound, median},
    server::{Child, Service},
};
use crate::{Outcome, process};

/// How much is measured; the defaults are what the targets are stated for.
#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Also write the figures to this file.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// Users with a token and a stored record.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) users: usize,
    /// How often each pair of runs is repeated.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// How long one run lasts, in seconds.
    #[arg(long, default_value_t = 4)]
    pub(crate) seconds: u64,
}

/// Readers of one grant at once.
const HERDS: [usize; 2] = [100, 1000];
const READERS: usize = 32;
const WRITERS: usize = 64;

/// Builds in release and runs the measuring part from that build.
pub(crate) fn build_and_run(json: Option<&Path>) -> Outcome<bool> {
    process::run(&mut process::cargo([
        "build",
        "--release",
        "-p",
        "tessera-server",
        "-p",
        "xtask",
        "--features",
        "xtask/bench",
    ]))?;
    let mut command = Command::new(release_directory()?.join("xtask"));
    command.arg("bench-run");
    if let Some(file) = json {
        command.arg("--json").arg(file);
    }
    // Its own messages say what is wrong; its status is ours.
    let status =
        command.status().map_err(|error| format!("cannot start `{}`: {error}", process::shown(&command)))?;
    Ok(status.success())
}

/// Measures everything, prints the table, writes the file; `Ok(false)` when a target is missed.
pub(crate) fn run(options: &Options) -> Outcome<bool> {
    let release = release_directory()?;
    // Beside the build and not in /tmp, which may be memory: the disk is part of what is measured.
    let home = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(&release)
        .map_err(|error| format!("cannot make a directory in {}: {error}", release.display()))?;
    let data = home.path().join("data");
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&data)
        .map_err(|error| format!("cannot make {}: {error}", data.display()))?;
    // One worker, so that what the server prints is read while we wait for the load.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start a runtime: {error}"))?;
    let figures = runtime.block_on(async {
        let provider = Child::provider().await?;
        println!("seeding {} users, and as many with a managed connection", options.users);
        let users = seed::seed(&data, options.users, HERDS.len() * options.rounds, provider.port).await?;
        let file = |name: &str, users: &[load::User]| {
            let file = home.path().join(name);
            load::write_users(&file, users).map(|()| file)
        };
        let users_file = file("users.json", &users.stored)?;
        let managed_file = file("managed.json", &users.managed)?;
        let slow_file = file("slow.json", &users.slow)?;
        let body = |name: &str, users: &[load::User]| {
            let file = home.path().join(name);
            let body = users.first().map(|user| user.body.as_bytes()).unwrap_or_default();
            write(&file, body).map(|()| file)
        };
        let body_file = body("body", &users.stored)?;
        let managed_body = body("managed-body", &users.managed)?;

        let mut starts = Vec::new();
        for _ in 0..options.rounds {
            let service = Service::start(&release, &data).await?;
            starts.push(service.start_ms);
            service.stop().await?;
        }
        let service = Service::start(&release, &data).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let rss_idle_mb = service.rss_mb()?;

        let bare = Child::bare(&body_file).await?;
        let run = load::Run { users: &users_file, seconds: options.seconds };
        let mut reads = Vec::new();
        for round in 0..options.rounds {
            let bare = run.start(Kind::ReadBare, READERS, bare.port, round)?;
            let server = run.start(Kind::Read, READERS, service.port, round)?;
            reads.push(ReadRound::new(bare, server));
            println!("read  {}: {}", round + 1, reads[round]);
        }
        bare.stop().await?;

        let bare = Child::bare(&managed_body).await?;
        let of_managed = load::Run { users: &managed_file, seconds: options.seconds };
        let mut managed_reads = Vec::new();
        for round in 0..options.rounds {
            let alone = of_managed.start(Kind::ReadBare, READERS, bare.port, round)?;
            let server = of_managed.start(Kind::Read, READERS, service.port, round)?;
            managed_reads.push(ReadRound::new(alone, server));
            println!("managed read {}: {}", round + 1, managed_reads[round]);
        }
        // Each grant is refreshed once, so there is one run of it: as long as it takes.
        let of_managed = load::Run { users: &managed_file, seconds: 600 };
        let refreshes = of_managed.start(Kind::Refresh, WRITERS, service.port, 0)?;
        println!("refreshes: {:.0}/s", refreshes.per_second);
        let of_slow = load::Run { users: &slow_file, seconds: 60 };
        let ports = Ports { service: service.port, bare: bare.port, provider: provider.port };
        let mut herds = Vec::new();
        for (place, readers) in HERDS.into_iter().enumerate() {
            for round in 0..options.rounds {
                let herd = Herd::run(&of_slow, readers, ports, place * options.rounds + round)?;
                println!("herd  {}: {herd}", round + 1);
                herds.push(herd);
            }
        }
        bare.stop().await?;

        let attached = attached(&home.path().join("attached"), &run, &release, &service, options).await?;

        let mut writes = Vec::new();
        for round in 0..options.rounds {
            let fsync = fsync::per_second(home.path(), Duration::from_secs(options.seconds))?;
            let server = run.start(Kind::Write, WRITERS, service.port, round)?;
            writes.push(WriteRound::new(fsync, server));
            println!("write {}: {}", round + 1, writes[round]);
        }
        service.stop().await?;
        provider.stop().await?;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let of = |readers: usize| herds.iter().filter(move |herd| herd.readers == readers);
        Ok::<_, String>(Figures {
            managed_read_vs_bare: median(managed_reads.iter().map(|round| round.ratio)),
            refresh_per_s_per_core: refreshes.per_second / cores as f64,
            herd_100_beyond_ms: median(of(HERDS[0]).map(Herd::beyond_ms)),
            herd_1000_vs_bare: median(of(HERDS[1]).map(Herd::beyond_vs_bare)),
            managed_reads,
            refreshes,
            herds,
            read_vs_bare: median(reads.iter().map(|round| round.ratio)),
            write_vs_fsync: median(writes.iter().map(|round| round.ratio)),
            read_p99_ms: median(reads.iter().map(|round| round.server.p99_ms)),
            rss_idle_mb,
            start_ms: median(starts.iter().copied()),
            users: options.users,
            seconds_per_run: options.seconds,
            readers: READERS,
            writers: WRITERS,
            cores,
            reads,
            attached_vs_standalone: median(attached.iter().map(|round| round.ratio)),
            attached,
            writes,
            starts_ms: starts,
        })
    })?;

    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&figures)
            .map_err(|error| format!("cannot write the figures: {error}"))?;
        write(file, text.as_bytes())?;
    }
    Ok(report::judge(&figures))
}

/// How many people read beside a Mattermost, and on the site of its own that this is compared with: so few that their tokens
/// are asked about once, before anything is measured.
const ATTACHED: usize = 1_000;

/// The same reads on the site of its own, and beside a Mattermost.
async fn attached(
    data: &Path,
    standalone: &load::Run<'_>,
    release: &Path,
    service: &Service,
    options: &Options,
) -> Outcome<Vec<ReadRound>> {
    let private = |error: std::io::Error| format!("cannot make {}: {error}", data.display());
    std::fs::DirBuilder::new().mode(0o700).create(data).map_err(private)?;
    let mattermost = Child::mattermost().await?;
    let users = seed::attached(data, ATTACHED, mattermost.port).await?;
    let (theirs, ours) = (data.join("users.json"), data.join("standalone.json"));
    load::write_users(&theirs, &users)?;
    load::write_users(&ours, &standalone.first_users(ATTACHED)?)?;
    let beside = Service::start_attached(release, data, mattermost.port).await?;
    let (alone, with) = (
        load::Run { users: &ours, seconds: options.seconds },
        load::Run { users: &theirs, seconds: options.seconds },
    );
    let mut rounds = Vec::new();
    for round in 0..options.rounds {
        let own = alone.start(Kind::Read, READERS, service.port, round)?;
        // Who they are has been asked by then.
        load::Run { seconds: 1, ..with }.start(Kind::Read, READERS, beside.port, round)?;
        let server = with.start(Kind::Read, READERS, beside.port, round)?;
        rounds.push(ReadRound::new(own, server));
        println!("beside a Mattermost {}: {}", round + 1, rounds[round]);
    }
    beside.stop().await?;
    mattermost.stop().await?;
    Ok(rounds)
}

fn write(file: &Path, bytes: &[u8]) -> Outcome<()> {
    std::fs::write(file, bytes).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Where cargo puts release builds, wherever the target directory is.
fn release_directory() -> Outcome<PathBuf> {
    Ok(process::target_directory()?.join("release"))
}
