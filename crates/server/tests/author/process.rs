//! Programs that are followed by what they print.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;
use tessera_testkit::child::run;
use tessera_testkit::site::Site;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The binary under test.
pub(crate) const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");

/// `tessera` with these words, without the settings of whoever runs the tests.
pub(crate) fn tessera(words: &[&str]) -> Command {
    let mut command = Command::new(TESSERA);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TESSERA_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").args(words);
    command
}

/// Has `tessera new tea-time` write into this folder.
pub(crate) fn new(folder: &Path, more: &[&str]) {
    let mut command = tessera(&[&["new", "tea-time"], more].concat());
    command.current_dir(folder);
    let (status, text) = run(command);
    assert!(status.success(), "{text}");
}

/// A program that runs; killed when it is dropped.
pub(crate) struct Running {
    process: Child,
    lines: UnboundedReceiver<String>,
    errors: Option<JoinHandle<String>>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (said, lines) = unbounded_channel();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // Nobody listens any more once the test has ended.
                drop(said.send(line));
            }
        });
        let mut stderr = process.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            drop(stderr.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        Self { process, lines, errors: Some(errors) }
    }

    /// The next line, which there must be.
    pub(crate) async fn line(&mut self) -> String {
        match self.lines.recv().await {
            Some(line) => line,
            None => {
                let errors = self.errors.take().map(|errors| errors.join().unwrap()).unwrap_or_default();
                panic!("it ended, and said:\n{errors}")
            }
        }
    }

    /// Sends the signal of Ctrl-C, and waits for the end: whether it was a good one, and the lines since.
    pub(crate) async fn interrupt(mut self) -> (bool, Vec<String>) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let mut last = Vec::new();
        while let Some(line) = self.lines.recv().await {
            last.push(line);
        }
        (self.process.wait().unwrap().success(), last)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// `tessera dev`, told as JSON lines.
pub(crate) struct Dev {
    running: Running,
    /// The site.
    pub(crate) site: Site,
}

impl Dev {
    /// Follows the App at this address with a site on a free port.
    pub(crate) async fn start(app: &str, data: &Path, more: &[&str]) -> Self {
        let words = [&["dev", app, "--json", "--listen", "127.0.0.1:0"], more].concat();
        let mut command = tessera(&words);
        command.arg("--data").arg(data);
        let mut running = Running::start(command);
        let ready: Value = serde_json::from_str(&running.line().await).unwrap();
        assert_eq!(ready["event"], "ready", "{ready}");
        let (_, port) = ready["site_url"].as_str().unwrap().rsplit_once(':').unwrap();
        let site = Site::at(([127, 0, 0, 1], port.parse().unwrap()).into());
        Self { running, site }
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> Value {
        serde_json::from_str(&self.running.line().await).unwrap()
    }

    /// The next event, which must be of this name.
    pub(crate) async fn next(&mut self, name: &str) -> Value {
        let event = self.event().await;
        assert_eq!(event["event"], name, "{event}");
        event
    }

    /// Ctrl-C: the names of the events that follow.
    pub(crate) async fn interrupt(self) -> Vec<String> {
        let (well, lines) = self.running.interrupt().await;
        assert!(well, "{lines:?}");
        let name = |line: &String| {
            serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned()
        };
        lines.iter().map(name).collect()
    }
}
