//! The real binary as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use crate::site::Site;

/// A running server; killed when it is dropped.
pub struct Child {
    process: Process,
    /// Where it answers.
    pub site: Site,
    output: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

/// `tessera serve --dev` on a free port, without the settings of whoever runs the tests.
pub fn serve(binary: &str, data: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TESSERA_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").current_dir(std::env::temp_dir());
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command
}

impl Child {
    /// Starts a server and waits until it says that it is ready.
    pub fn start(binary: &str, data: &Path) -> Self {
        Self::spawn(serve(binary, data))
    }

    /// Starts a server by this command and waits until it says that it is ready.
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = Arc::new(Mutex::new(Vec::new()));
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let (port, ports) = mpsc::channel();
        let stderr = collect(process.stderr.take().unwrap(), &output, Some(port));
        let mut line = String::new();
        while !line.starts_with("tessera ready on ") {
            line.clear();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let _ = process.wait();
                let _ = stderr.join();
                panic!("the server did not start: {}", String::from_utf8_lossy(&output.lock().unwrap()));
            }
            output.lock().unwrap().extend_from_slice(line.as_bytes());
        }
        // The site may have another port than this process, so the log says which.
        let port = ports.recv().unwrap();
        let readers = vec![stderr, collect(stdout, &output, None)];
        let site = Site::at(SocketAddr::from(([127, 0, 0, 1], port)));
        Self { process, site, output, readers }
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// SIGKILL, as by `kill -9`. Gives all that it ever printed.
    pub fn kill(mut self) -> Vec<u8> {
        self.process.kill().unwrap();
        self.end()
    }

    /// SIGTERM, and waits for the orderly end. Gives all that it ever printed.
    pub fn stop(mut self) -> Vec<u8> {
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

/// The port in the line that says so, which is text or JSON.
fn listening_port(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("listening")?;
    let (_, number) = rest.split_once("port")?;
    let digits = number.trim_start_matches(['"', '=', ':']);
    digits.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn collect(
    from: impl std::io::Read + Send + 'static,
    output: &Arc<Mutex<Vec<u8>>>,
    port: Option<mpsc::Sender<u16>>,
) -> JoinHandle<()> {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while let Ok(1..) = from.read_until(b'\n', &mut line) {
            output.lock().unwrap().extend_from_slice(&line);
            let text = String::from_utf8_lossy(&line);
            if let (Some(port), Some(number)) = (&port, listening_port(&text)) {
                let _ = port.send(number);
            }
            line.clear();
        }
    })
}

/// Runs a command that is expected to end by itself: its status, and all that it printed. One that serves instead
/// is stopped, and fails the test.
pub fn run(mut command: Command) -> (ExitStatus, String) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut text = String::new();
    let mut stdout = BufReader::new(process.stdout.take().unwrap());
    stdout.read_line(&mut text).unwrap();
    if text.starts_with("tessera ready on ") {
        process.kill().unwrap();
        process.wait().unwrap();
        panic!("the server started");
    }
    stdout.read_to_string(&mut text).unwrap();
    process.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (process.wait().unwrap(), text)
}
