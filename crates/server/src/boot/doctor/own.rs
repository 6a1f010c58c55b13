//! What the service itself stands on: its data, the key to that, and the providers of its Apps, by the word of the running one.

use std::path::{Path, PathBuf};

use axum::http::Method;

use super::super::config::Config;
use super::super::local::{AppLine, CommandError};
use super::super::target::Server;
use super::super::{house, provider};
use crate::grants::ProviderSet;
use crate::platform::mattermost::{Finding, State};
use crate::store::{Reading, StoreConfig};
use crate::vault::{RootKey, Vault};

/// Looks at all of it. Nothing is changed, nor made where it is not there yet.
pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let dir = PathBuf::from(&config.store.dir);
    let mut findings = Vec::new();
    let data = look_at_data(config, &dir, &mut findings).await;
    look_at_key(config, &dir, data.as_ref(), &mut findings).await;
    look_at_providers(&Server::Here(dir), &mut findings).await;
    findings
}

async fn look_at_data(config: &Config, dir: &Path, findings: &mut Vec<Finding>) -> Option<Reading> {
    let about = "database";
    let store = match house::store_config(config, dir) {
        Ok(store) => store,
        Err(error) => {
            findings.push(Finding::new(
                about,
                State::Bad,
                error.to_string(),
                "mend the setting that it names",
            ));
            return None;
        }
    };
    let (place, is_new) = match &store {
        StoreConfig::Sqlite { dir } => (dir.display().to_string(), !dir.join("tessera.db").exists()),
        StoreConfig::Postgres { .. } | StoreConfig::Memory => ("PostgreSQL".to_owned(), false),
    };
    if is_new {
        let found = format!("there is none in {place} yet: the service's first start makes one");
        findings.push(Finding::new(about, State::Good, found, ""));
        return None;
    }
    let looked = async {
        let data = Reading::open(&store).await?;
        let (ran, last) = data.migrations().await?;
        Ok::<_, crate::store::Error>((data, ran, last))
    };
    match looked.await {
        Err(error) => {
            let mend = "look at store.dir or store.postgres_url: whoever runs the service must be allowed to read and write there";
            findings.push(Finding::new(about, State::Bad, error.to_string(), mend));
            None
        }
        Ok((_, ran, last)) if ran > last => {
            let found =
                format!("{place} was written by a newer tessera (migration {ran}, this one knows {last})");
            let mend = "start that one, or restore a backup from before it";
            findings.push(Finding::new(about, State::Bad, found, mend));
            None
        }
        Ok((data, ran, last)) => {
            let rest = if ran < last { ", and is brought up to date at the next start" } else { "" };
            findings.push(Finding::new(about, State::Good, format!("{place} can be read{rest}"), ""));
            Some(data)
        }
    }
}

async fn look_at_key(config: &Config, dir: &Path, data: Option<&Reading>, findings: &mut Vec<Finding>) {
    let about = "root key";
    let mut say = |state, found: String, mend: &str| findings.push(Finding::new(about, state, found, mend));
    let beside = config.vault.root_key.is_empty() && config.vault.root_key_file.is_empty();
    let lost =
        "put back the key with which the data was made: without it nothing that is sealed there opens again";
    if beside && data.is_none() && !dir.join("root.key").exists() {
        let mend = "make one with `tessera keys generate`, keep a copy elsewhere, and name its file as vault.root_key_file; otherwise the \
                    first start makes one beside the data";
        return say(State::Warning, "there is none yet".to_owned(), mend);
    }
    let root: RootKey = match house::existing_root_key(config, dir, None) {
        Ok(root) => root,
        Err(error) => return say(State::Bad, error.to_string(), lost),
    };
    if let Some(data) = data
        && let Err(error) = Vault::fits(&root, &data.meta()).await
    {
        return say(State::Bad, error.to_string(), lost);
    }
    let found = if data.is_some() { "it opens the data" } else { "it can be read" };
    let mend = "it lies beside what it seals, so that one copy of the folder has both: move it elsewhere, and name it as \
                vault.root_key_file";
    say(if beside { State::Warning } else { State::Good }, found.to_owned(), mend);
}

/// Each provider of a managed App is asked by the service about the App's client, and about what it says of itself.
async fn look_at_providers(server: &Server, findings: &mut Vec<Finding>) {
    let about = "providers";
    let asked = server.ask(Method::GET, "/apps", Vec::new()).await;
    let lines: Vec<AppLine> = match asked.map(|bytes| serde_json::from_slice(&bytes)) {
        Ok(Ok(lines)) => lines,
        Ok(Err(error)) => {
            let mend = "have doctor and the service be of one version";
            return findings.push(Finding::new(about, State::Warning, error.to_string(), mend));
        }
        Err(CommandError::NoServer { dir, .. }) => {
            let found = format!("not looked at: no service runs on {dir}");
            let mend = "start it, and run doctor again on its machine, as who runs it";
            return findings.push(Finding::new(about, State::Warning, found, mend));
        }
        Err(error) => {
            let mend = "run doctor as who runs the service, on its machine; the service's log has more";
            return findings.push(Finding::new(about, State::Warning, error.to_string(), mend));
        }
    };
    let before = findings.len();
    for line in lines.iter().filter(|line| line.status != "listed") {
        let path = format!("{}?check=true", provider::path(&line.app));
        // An App without a provider keeps its tokens itself: where it gets them, it alone knows.
        let Ok(bytes) = server.ask(Method::GET, &path, Vec::new()).await else { continue };
        let Ok(set) = serde_json::from_slice::<ProviderSet>(&bytes) else { continue };
        findings.push(of_provider(&line.app, &set));
    }
    if findings.len() == before {
        findings.push(Finding::new(
            about,
            State::Good,
            "the service runs, and keeps the tokens of no App's provider",
            "",
        ));
    }
}

fn of_provider(app: &str, set: &ProviderSet) -> Finding {
    let about = format!("provider of {app}");
    let name = &set.display_name;
    let mend = format!("`tessera apps provider check {app}` says more");
    if !set.fault.is_empty() {
        let found = format!("{name} refuses the client ({})", set.fault);
        return Finding::new(about, State::Bad, found, format!("correct its id and secret; {mend}"));
    }
    let said = set.probe.clone().unwrap_or_default();
    if !set.changed.is_empty() {
        let found = format!("{name} says of itself otherwise: {}", set.changed.join("; "));
        return Finding::new(
            about,
            State::Warning,
            found,
            format!("set the record again to take it over; {mend}"),
        );
    }
    match set.is_accepted() {
        true => Finding::new(about, State::Good, said, ""),
        false if said.is_empty() => Finding::new(
            about,
            State::Warning,
            format!("{name}: the App has no client there yet"),
            format!("`tessera apps provider set {app}` gives it one"),
        ),
        false => Finding::new(about, State::Warning, said, mend),
    }
}
