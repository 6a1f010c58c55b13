//! The real binary as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::site::Site;

/// A running server; killed when it is dropped.
pub(crate) struct Child {
    process: Process,
    pub(crate) site: Site,
    output: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

/// `tessera serve --dev` on a free port, without the settings of whoever runs the tests.
pub(crate) fn serve(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TESSERA_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").current_dir(std::env::temp_dir());
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command
}

impl Child {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) fn start(data: &Path) -> Self {
        Self::spawn(serve(data))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = Arc::new(Mutex::new(Vec::new()));
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let stderr = collect(process.stderr.take().unwrap(), &output);
        let mut port = None;
        let mut line = String::new();
        while port.is_none() && stdout.read_line(&mut line).unwrap() > 0 {
            output.lock().unwrap().extend_from_slice(line.as_bytes());
            let ready = line.trim().strip_prefix("tessera ready on ");
            port = ready.and_then(|url| url.rsplit_once(':')?.1.parse::<u16>().ok());
            line.clear();
        }
        let Some(port) = port else {
            let _ = process.wait();
            let _ = stderr.join();
            panic!("the server did not start: {}", String::from_utf8_lossy(&output.lock().unwrap()));
        };
        let readers = vec![stderr, collect(stdout, &output)];
        let site = Site { address: SocketAddr::from(([127, 0, 0, 1], port)) };
        Self { process, site, output, readers }
    }

    /// SIGKILL, as by `kill -9`. Gives all that it ever printed.
    pub(crate) fn kill(mut self) -> Vec<u8> {
        self.process.kill().unwrap();
        self.end()
    }

    /// SIGTERM, and waits for the orderly end. Gives all that it ever printed.
    pub(crate) fn stop(mut self) -> Vec<u8> {
        let stopped = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(stopped.success());
        self.end()
    }

    fn end(&mut self) -> Vec<u8> {
        self.process.wait().unwrap();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        std::mem::take(&mut self.output.lock().unwrap())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn collect(mut from: impl std::io::Read + Send + 'static, output: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            output.lock().unwrap().extend_from_slice(&piece[..read]);
        }
    })
}

/// Runs a command that is expected to end by itself: its status, and all that it printed. One that serves instead
/// is stopped, and fails the test.
pub(crate) fn run(mut command: Command) -> (ExitStatus, String) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut text = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut text).unwrap();
    if text.starts_with("tessera ready on ") {
        process.kill().unwrap();
        process.wait().unwrap();
        panic!("the server started");
    }
    process.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (process.wait().unwrap(), text)
}
