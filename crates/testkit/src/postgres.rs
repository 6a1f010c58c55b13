//! A PostgreSQL of the test process's own: one temporary cluster on a unix socket, a fresh database per test.
//!
//! The cluster is looked after by a shell that ends it, and removes its folder, when the shell's standard
//! input closes. The kernel closes that when the test process ends in whatever way, so nothing is left behind
//! by a panic, a Ctrl-C or a kill.

use std::io::{BufRead, BufReader, Error, Result};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;

/// Starts a cluster with the programs in `$1`, says `ready DIR`, waits for the end of its input.
///
/// `fsync` is off: these clusters never outlive a power cut.
const SUPERVISOR: &str = r#"
set -eu
dir=$(mktemp -d /tmp/tessera-postgres.XXXXXX)
end() {
    "$1/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || :
    rm -rf "$dir"
}
trap 'end "$1"' EXIT
if ! "$1/initdb" -D "$dir/data" -U tessera --auth=trust --encoding=UTF8 --locale=C --no-sync >"$dir/log" 2>&1 ||
   ! "$1/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -o "-k $dir -c listen_addresses= -c fsync=off \
     -c max_connections=300 -c shared_buffers=32MB" start >/dev/null 2>&1
then
    echo "failed: $(tail -n 3 "$dir/log" | tr '\n' ' ')"
    exit 1
fi
echo "ready $dir"
cat >/dev/null || :
"#;

/// A fresh, empty database of the process's own cluster. It goes with the cluster, at the end of the process.
#[derive(Debug, Clone)]
pub struct Database {
    url: String,
}

impl Database {
    /// Makes a database, and first the cluster if this is the first.
    ///
    /// # Errors
    /// When PostgreSQL's server programs are not installed or do not start. A test that needs them fails then:
    /// it is left out by name (`--skip postgres`), never by itself.
    pub async fn create() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let socket = cluster()?;
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        run(&url(socket, "postgres"), &format!("CREATE DATABASE {name}")).await?;
        Ok(Self { url: url(socket, &name) })
    }

    /// The connection string.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL in it past the server under test, for tests that damage or inspect what is stored.
    pub async fn run(&self, sql: &str) -> Result<()> {
        run(&self.url, sql).await
    }
}

fn url(socket: &Path, name: &str) -> String {
    format!("host={} user=tessera dbname={name}", socket.display())
}

async fn run(url: &str, sql: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(Error::other)?;
    let connection = tokio::spawn(connection);
    let done = client.batch_execute(sql).await.map_err(Error::other);
    drop(client);
    let _ = connection.await;
    done
}

/// The folder of the cluster's socket.
fn cluster() -> Result<&'static Path> {
    struct Cluster {
        socket: PathBuf,
        /// Its standard input stays open as long as this process lives.
        _supervisor: Child,
    }
    static CLUSTER: OnceLock<std::result::Result<Cluster, String>> = OnceLock::new();
    let started = CLUSTER.get_or_init(|| {
        let (socket, _supervisor) = start().map_err(|error| error.to_string())?;
        Ok(Cluster { socket, _supervisor })
    });
    started.as_ref().map(|cluster| cluster.socket.as_path()).map_err(|text| Error::other(text.as_str()))
}

fn start() -> Result<(PathBuf, Child)> {
    let programs = programs()?;
    let mut command = unprivileged()?;
    command.args(["sh", "-c", SUPERVISOR, "supervisor"]).arg(programs);
    // A group of its own: Ctrl-C is for the tests, their end is for the cluster.
    command.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut supervisor = command.spawn()?;
    let mut line = String::new();
    if let Some(output) = supervisor.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    match line.trim().strip_prefix("ready ") {
        Some(dir) => Ok((dir.into(), supervisor)),
        None => Err(Error::other(format!("PostgreSQL did not start: {}", line.trim()))),
    }
}

/// A command that runs its arguments, as user `postgres` when this is root: the server refuses root.
fn unprivileged() -> Result<Command> {
    if std::fs::metadata("/proc/self").map(|me| me.uid()).unwrap_or(1) != 0 {
        return Ok(Command::new("env"));
    }
    if let Some(setpriv) = on_path("setpriv") {
        let mut command = Command::new(setpriv);
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
        return Ok(command);
    }
    let runuser =
        on_path("runuser").ok_or_else(|| Error::other("neither setpriv nor runuser is installed"))?;
    let mut command = Command::new(runuser);
    command.args(["-u", "postgres", "--"]);
    Ok(command)
}

/// The folder of `initdb`, `pg_ctl` and `postgres`: from PATH, else the newest of Debian's.
fn programs() -> Result<PathBuf> {
    let complete =
        |dir: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|name| dir.join(name).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = debian.map(|entry| entry.path().join("bin")).collect();
    debian.sort_by_key(|dir| version(dir));
    let found = std::env::split_paths(&path).chain(debian.into_iter().rev()).find(complete);
    found.ok_or_else(|| {
        Error::other(
            "the PostgreSQL server (initdb, pg_ctl, postgres) is not installed; \
             without it run the tests with --skip postgres",
        )
    })
}

fn version(bin: &Path) -> u32 {
    let name = bin.parent().and_then(Path::file_name);
    name.and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}
