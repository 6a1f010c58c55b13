//! The measured processes: started, waited for by their readiness line, stopped.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::{Instant, timeout},
};

use crate::Outcome;

/// How long a process may take to be ready, or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A child process that told its port; killed when dropped.
pub(super) struct Child {
    name: &'static str,
    process: tokio::process::Child,
    pub(super) port: u16,
}

impl Child {
    /// The bare handler, from this very program.
    pub(super) async fn bare(body: &Path) -> Outcome<Self> {
        let this = std::env::current_exe().map_err(|error| format!("cannot name this program: {error}"))?;
        let mut command = Command::new(this);
        command.arg("bench-bare").arg("--body").arg(body);
        Self::start("xtask bench-bare", command, "bare ready on ").await
    }

    /// The provider, from this very program.
    pub(super) async fn provider() -> Outcome<Self> {
        let this = std::env::current_exe().map_err(|error| format!("cannot name this program: {error}"))?;
        let mut command = Command::new(this);
        command.arg("bench-provider");
        Self::start("xtask bench-provider", command, "provider ready on ").await
    }

    /// The Mattermost, from this very program.
    pub(super) async fn mattermost() -> Outcome<Self> {
        let this = std::env::current_exe().map_err(|error| format!("cannot name this program: {error}"))?;
        let mut command = Command::new(this);
        command.arg("bench-mattermost");
        Self::start("xtask bench-mattermost", command, "mattermost ready on ").await
    }

    async fn start(name: &'static str, mut command: Command, ready: &str) -> Outcome<Self> {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot start `{name}`: {error}"))?;
        let stdout = process.stdout.take().ok_or_else(|| format!("`{name}` has no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let wait = async {
            while let Some(line) = lines.next_line().await.map_err(|error| format!("`{name}`: {error}"))? {
                if let Some(address) = line.strip_prefix(ready) {
                    return port_of(address).ok_or_else(|| format!("`{name}` told no port: {line}"));
                }
            }
            Err(format!("`{name}` ended before it was ready"))
        };
        let port = timeout(PATIENCE, wait)
            .await
            .map_err(|_| format!("`{name}` was not ready within {} s", PATIENCE.as_secs()))??;
        // Nobody needs what it prints from now on, and a full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { name, process, port })
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn stop(mut self) -> Outcome<()> {
        let name = self.name;
        let id = self.process.id().ok_or_else(|| format!("`{name}` has ended by itself"))?;
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await;
        if !asked.is_ok_and(|status| status.success()) {
            return Err(format!("`kill -TERM {id}` ({name}) failed"));
        }
        match timeout(PATIENCE, self.process.wait()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("`{name}`: {error}")),
            Err(_) => Err(format!("`{name}` did not stop within {} s", PATIENCE.as_secs())),
        }
    }
}

/// `http://localhost:8065/site` → 8065.
fn port_of(address: &str) -> Option<u16> {
    let authority = address.split_once("://")?.1.split('/').next()?;
    authority.rsplit_once(':')?.1.trim().parse().ok()
}

/// The real server on seeded data.
pub(super) struct Service {
    child: Child,
    pub(super) port: u16,
    /// From the spawn to the readiness line, in milliseconds.
    pub(super) start_ms: f64,
}

impl Service {
    pub(super) async fn start(release: &Path, data: &Path) -> Outcome<Self> {
        let mut command = Command::new(release.join("tessera"));
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        let start = Instant::now();
        let child = Child::start("tessera serve", command, "tessera ready on ").await?;
        Ok(Self { port: child.port, start_ms: start.elapsed().as_secs_f64() * 1e3, child })
    }

    /// The real server on seeded data, beside the Mattermost at this port. Its site is where it listens, as what it prints once
    /// it is ready is the site's address.
    pub(super) async fn start_attached(release: &Path, data: &Path, mattermost: u16) -> Outcome<Self> {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| format!("no port is free: {error}"))?.port();
        let mut command = Command::new(release.join("tessera"));
        command
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(data)
            .env("TESSERA_MATTERMOST__URL", format!("http://localhost:{mattermost}"))
            .env("TESSERA_MATTERMOST__TOKEN", "t".repeat(26))
            .env("TESSERA_SITE__URL", format!("http://localhost:{port}"));
        let start = Instant::now();
        let child = Child::start("tessera serve", command, "tessera ready on ").await?;
        Ok(Self { port: child.port, start_ms: start.elapsed().as_secs_f64() * 1e3, child })
    }

    /// Its resident memory in MiB.
    pub(super) fn rss_mb(&self) -> Outcome<f64> {
        let id = self.child.process.id().ok_or("`tessera serve` has ended by itself")?;
        let file = format!("/proc/{id}/status");
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        resident_mb(&text).ok_or_else(|| format!("{file} has no VmRSS"))
    }

    pub(super) async fn stop(self) -> Outcome<()> {
        self.child.stop().await
    }
}

fn resident_mb(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_a_site_url() {
        assert_eq!(port_of("http://localhost:41231"), Some(41231));
        assert_eq!(port_of("http://localhost:80/chat"), Some(80));
        assert_eq!(port_of("http://localhost"), None);
    }

    #[test]
    fn resident_memory_is_read() {
        assert_eq!(resident_mb("VmPeak:\t  9 kB\nVmRSS:\t   20480 kB\nThreads:\t4\n"), Some(20.0));
        assert_eq!(resident_mb("VmPeak: 9 kB"), None);
    }
}
