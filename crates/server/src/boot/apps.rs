//! `tessera apps`: list, install, enable, disable and uninstall the Apps of a running server.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use axum::http::Method;
use clap::{Args, Subcommand};

use super::cli::{Failure, say};
use super::provider::{self, ProviderCommand};
use super::remote::Remote;
use super::target::{Server, Target};
use super::{fetch, local};

#[derive(Debug, Args)]
pub(super) struct AppsArgs {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: AppsCommand,
}

#[derive(Debug, Subcommand)]
enum AppsCommand {
    #[command(flatten)]
    Life(LifeCommand),
    /// Whose accounts an App's people connect, where the service keeps their tokens (docs/managed.md).
    Provider {
        #[command(subcommand)]
        command: ProviderCommand,
    },
}

#[derive(Debug, Subcommand)]
enum LifeCommand {
    /// Show the Apps.
    List,
    /// List an App by its manifest: a file, or an address such as `http://localhost:4000/manifest.json`.
    Add {
        /// Where the manifest is.
        manifest: String,
    },
    /// Install a listed App.
    Install {
        /// Its id.
        app: String,
    },
    /// Enable an App.
    Enable {
        /// Its id.
        app: String,
    },
    /// Disable an App: its tokens end at once, its data stays.
    Disable {
        /// Its id.
        app: String,
    },
    /// Uninstall an App: everything of it goes.
    Uninstall {
        /// Its id.
        app: String,
    },
}

/// Runs one of them.
pub(super) async fn run(args: AppsArgs, json: bool) -> Result<ExitCode, Failure> {
    let AppsArgs { target, command } = args;
    match command {
        AppsCommand::Provider { command } => return provider::run(&target.server()?, command, json).await,
        AppsCommand::Life(command) => match target.server()? {
            Server::Here(dir) => here(&dir, command, json).await?,
            Server::Elsewhere(remote) => elsewhere(&remote, command, json).await?,
        },
    }
    Ok(ExitCode::SUCCESS)
}

async fn here(dir: &Path, command: LifeCommand, json: bool) -> Result<(), Failure> {
    let (app, verb) = match command {
        LifeCommand::List => {
            let bytes = local::command(dir, Method::GET, "/apps", Vec::new()).await?;
            return show_apps(&bytes, json);
        }
        LifeCommand::Add { manifest } => {
            let manifest = read_manifest(&manifest).await?;
            return say(&local::command(dir, Method::POST, "/apps", manifest).await?, json);
        }
        LifeCommand::Install { app } => (app, "install"),
        LifeCommand::Enable { app } => (app, "enable"),
        LifeCommand::Disable { app } => (app, "disable"),
        LifeCommand::Uninstall { app } => (app, "uninstall"),
    };
    let app = percent_encoding::utf8_percent_encode(&app, percent_encoding::NON_ALPHANUMERIC);
    let path = format!("/apps/{app}/{verb}");
    say(&local::command(dir, Method::POST, &path, Vec::new()).await?, json)
}

async fn elsewhere(remote: &Remote, command: LifeCommand, json: bool) -> Result<(), Failure> {
    let (app, verb) = match command {
        LifeCommand::List => return show_apps(&serde_json::to_vec(&remote.apps().await?)?, json),
        LifeCommand::Add { manifest } => {
            return say(remote.add(&read_manifest(&manifest).await?).await?.as_bytes(), json);
        }
        LifeCommand::Install { app } => (app, "install"),
        LifeCommand::Enable { app } => (app, "enable"),
        LifeCommand::Disable { app } => (app, "disable"),
        LifeCommand::Uninstall { app } => (app, "uninstall"),
    };
    say(remote.switch(&app, verb).await?.as_bytes(), json)
}

async fn read_manifest(place: &str) -> Result<Vec<u8>, Failure> {
    if !place.starts_with("http://") && !place.starts_with("https://") {
        return Ok(std::fs::read(place).map_err(|error| format!("{place}: {error}"))?);
    }
    let url = url::Url::parse(place)?;
    let egress = fetch::egress_for(&url)?;
    Ok(fetch::manifest(&egress, &url).await.map_err(|unread| format!("{place}: {unread}"))?.to_vec())
}

fn show_apps(bytes: &[u8], json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        out.write_all(bytes)?;
        return Ok(writeln!(out)?);
    }
    let lines: Vec<local::AppLine> = serde_json::from_slice(bytes)?;
    writeln!(out, "{:<24} {:<10} {:>11}  WHERE", "APP", "STATUS", "CONNECTIONS")?;
    for line in &lines {
        let connections = line.connections.map_or_else(|| "-".to_owned(), |count| count.to_string());
        writeln!(out, "{:<24} {:<10} {connections:>11}  {}", line.app, line.status, line.root_url)?;
    }
    Ok(())
}
