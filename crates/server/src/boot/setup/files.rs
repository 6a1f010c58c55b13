//! Files of the service: settings, its token at Mattermost, its root key. What is there stays.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::super::cli::Failure;
use super::LISTEN;
use crate::env::Env;
use crate::platform::mattermost::Settings;
use crate::vault::RootKey;

pub(super) const SETTINGS: &str = "tessera.toml";
pub(super) const TOKEN: &str = "mattermost.token";
pub(super) const ROOT_KEY: &str = "root.key";
pub(super) const DATA: &str = "tessera-data";

/// Writes settings and root key where there are none; gives what was written, in words.
pub(super) fn write(dir: &Path, url: &str, settings: &Settings, env: &Env) -> Result<Vec<String>, Failure> {
    let mut written = Vec::new();
    let dir = dir.canonicalize().map_err(|error| format!("{}: {error}", dir.display()))?;
    let key = dir.join(ROOT_KEY);
    if RootKey::read_or_create(&key, env)?.1 {
        written.push(format!(
            "wrote {}: keep a copy elsewhere, without it nothing that is stored opens again",
            key.display()
        ));
    }
    let path = dir.join(SETTINGS);
    if !path.exists() {
        let internal = settings.internal_url.as_str().trim_end_matches('/');
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let file = |name: &str| text(&dir.join(name).display().to_string());
        let mut lines = vec![
            "# Every setting: `tessera config`. Looked at by `tessera doctor`.".to_owned(),
            format!("[server]\nlisten = {}\n", text(LISTEN)),
            format!("[mattermost]\nurl = {}", text(url)),
        ];
        if internal != url {
            lines.push(format!("internal_url = {}", text(internal)));
        }
        lines.push(format!("token_file = {}\n", file(TOKEN)));
        lines.push(format!("[store]\ndir = {}\n", file(DATA)));
        lines.push(format!("[vault]\nroot_key_file = {}", file(ROOT_KEY)));
        fs::write(&path, lines.join("\n") + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
        written.push(format!("wrote {}", path.display()));
    }
    Ok(written)
}

/// Writes what only its owner may read, in place of what was there.
pub(super) fn write_secret(path: &Path, secret: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    remove_secret(path)?;
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    writeln!(file, "{secret}").map_err(failed)?;
    Ok(file.sync_all().map_err(failed)?)
}

/// Removes it; nothing is done where it is not there.
pub(super) fn remove_secret(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", path.display()).into())
        }
        _ => Ok(()),
    }
}
