//! The binary itself.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn on_a_port_of_the_systems_choice_the_manifest_names_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hello-oauth2"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HELLO_OAUTH2_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env("NO_COLOR", "1").env("HELLO_OAUTH2_LISTEN", "127.0.0.1:0");
    let mut child = Killed(command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let (_, rest) = line.split_once("manifest=\"").unwrap_or_else(|| panic!("{line}"));
    let url = rest.split('"').next().unwrap();
    let http = tessera_driver::http_client_builder().unwrap().no_proxy().build().unwrap();
    let manifest = http.get(url).send().await.unwrap().bytes().await.unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let root = url.strip_suffix("/manifest.json").unwrap();
    assert_eq!(manifest["http"]["root_url"], root);
    assert!(!root.ends_with(":0"), "{root}");
}
