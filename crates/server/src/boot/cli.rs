//! The command line. Exit codes: 0 done, 1 it could not be done, 2 the command itself is wrong.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use axum::http::Method;
use clap::{Args, Parser, Subcommand};

use super::apps::{self, AppsArgs};
use super::check::{self, CheckArgs};
use super::dev::{self, DevArgs};
use super::doctor::{self, DoctorArgs};
use super::new::{self, NewArgs};
use super::setup::{self, SetupCommand};
use super::target::Target;
use super::verify::{self, VerifyArgs};
use super::{lines, local, manual, serve};
use crate::env::Env;
use crate::vault::RootKey;

/// Tessera for Mattermost Apps: OAuth2 for Apps, as a service of its own. Unofficial; not affiliated with Mattermost.
#[derive(Debug, Parser)]
#[command(
    name = "tessera",
    version,
    after_help = "Exit codes: 0 done, 1 it could not be done, 2 the command itself is wrong."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a site.
    Serve(ServeArgs),
    /// A development server that has the App at this address: waits for it, lists and installs it, and does so again
    /// whenever its manifest changes.
    Dev(DevArgs),
    /// Write a new App that runs: a crate with the driver, or one file of Python.
    New(NewArgs),
    /// Read an App's manifest and bindings, say what is wrong, and what will work where.
    Check(CheckArgs),
    /// A development server, an example App and a local OAuth2 provider, all in one.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// The local OAuth2 provider alone, to try an App or a server against: it misbehaves as it is told.
    #[cfg(feature = "demo")]
    Simulate(super::simulate::SimulateArgs),
    /// List, install, enable, disable and uninstall Apps of a running server.
    Apps(AppsArgs),
    /// Show who is connected, never with what, or end a connection.
    Connections(ConnectionsArgs),
    /// Look at the Mattermost beside which the service stands, say what keeps them from working together, and what to do
    /// about it. Changes nothing but for a slash command that is there for a moment (see --read-only). Exit code 1 when something is bad.
    Doctor(DoctorArgs),
    /// Prepare a Mattermost and the service for each other, or take that back.
    Setup {
        #[command(subcommand)]
        command: SetupCommand,
    },
    /// Make a root key.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Check the audit log.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Print every setting with its default and what it does, as a settings file.
    Config {
        /// Print the page `docs/config.md` instead.
        #[arg(long)]
        markdown: bool,
    },
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Print a new root key. Keep it in a file of mode 0600 and name that file in `vault.root_key_file`.
    Generate,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Follow the chain of the whole log, and compare the store with what it says: a line that was removed or altered
    /// is named, and so is a row that was put back, altered or removed past the server. Exit code 1 when there is one.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// A development server: the standalone site, loopback only, well-known passwords.
    #[arg(long)]
    dev: bool,
    /// The settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Listen beyond loopback although everyone knows the passwords.
    #[arg(long)]
    danger_public: bool,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
struct DemoArgs {
    /// Walk the whole flow without a browser, print each step, and end.
    #[arg(long)]
    headless: bool,
    /// With an App whose users' tokens the service keeps: it has a provider record, and no OAuth2 code.
    #[arg(long)]
    managed: bool,
    /// Keep data here instead of in a fresh temporary folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the site listens.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<std::net::SocketAddr>,
}

#[derive(Debug, Args)]
struct ConnectionsArgs {
    #[command(flatten)]
    target: Target,
    /// With this App only.
    #[arg(long, value_name = "ID")]
    app: Option<String>,
    /// Of this user id only.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    #[command(subcommand)]
    command: Option<ConnectionsCommand>,
}

#[derive(Debug, Subcommand)]
enum ConnectionsCommand {
    /// End somebody's connection: it is deleted here at once, and its provider is asked to end it where the service can.
    End {
        /// With this App.
        #[arg(long, value_name = "ID")]
        app: String,
        /// Of this user id.
        #[arg(long, value_name = "ID")]
        user: String,
    },
}

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Until there is a log. What a panic says may hold anything, a secret included: only its place is told.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(std::io::stderr(), "tessera: a task panicked at {place}");
    }));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &Failure) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "tessera: {error}");
    ExitCode::from(1)
}

async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let json = cli.json;
    match cli.command {
        Command::Serve(args) => run_serve(args).await?,
        Command::Dev(args) => Box::pin(dev::run(args, json)).await?,
        Command::New(args) => new::run(&args, json)?,
        Command::Check(args) => return Box::pin(check::run(args, json)).await,
        #[cfg(feature = "demo")]
        Command::Demo(args) => {
            let DemoArgs { headless, managed, data, listen } = args;
            let options = super::demo::DemoOptions { headless, managed, data, listen, json };
            return Ok(super::demo::run(options).await);
        }
        #[cfg(feature = "demo")]
        Command::Simulate(args) => return super::simulate::run(args, json).await,
        Command::Apps(args) => return apps::run(args, json).await,
        Command::Connections(args) => connections(args, json).await?,
        Command::Doctor(args) => return Box::pin(doctor::run(args, json)).await,
        Command::Setup { command: SetupCommand::Mattermost(args) } => {
            return Box::pin(setup::run(args, json)).await;
        }
        Command::Keys { command: KeysCommand::Generate } => {
            writeln!(std::io::stdout(), "{}", *RootKey::generate(&Env::system())?.to_text())?;
        }
        Command::Audit { command: AuditCommand::Verify(args) } => {
            return verify::run(args, json).await;
        }
        Command::Config { markdown } => {
            let settings = manual::settings()?;
            let text = if markdown { manual::page(&settings) } else { manual::file(&settings) };
            std::io::stdout().write_all(text.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_serve(args: ServeArgs) -> Result<(), Failure> {
    let ServeArgs { dev, config, listen, data, danger_public } = args;
    let options = serve::Options { dev, config, listen, data, danger_public };
    let (listening, traces) = serve::ready(&options).await?;
    let stop = serve::signals();
    writeln!(std::io::stdout(), "tessera ready on {}", listening.site_url().as_str().trim_end_matches('/'))?;
    std::io::stdout().flush()?;
    listening.serve(stop).await?;
    traces.close().await;
    Ok(())
}

async fn connections(args: ConnectionsArgs, json: bool) -> Result<(), Failure> {
    if let Some(ConnectionsCommand::End { app, user }) = &args.command {
        return end_connection(&args.target, app, user, json).await;
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("app", &args.app), ("user", &args.user)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let path = format!("/connections?{}", query.finish());
    let bytes = match args.target.remote()? {
        None => local::command(&args.target.data, Method::GET, &path, Vec::new()).await?,
        Some(remote) => {
            let app = args.app.as_deref().ok_or("with --server, name the App with --app")?;
            let mut found = remote.connections(app).await?;
            found.retain(|connection| args.user.as_ref().is_none_or(|user| *user == connection.user));
            serde_json::to_vec(&found)?.into()
        }
    };
    lines::connections(&bytes, json)
}

async fn end_connection(target: &Target, app: &str, user: &str, json: bool) -> Result<(), Failure> {
    if let Some(remote) = target.remote()? {
        return say(remote.end(app, user).await?.as_bytes(), json);
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let query = query.extend_pairs([("app", app), ("user", user)]).finish();
    let path = format!("/connections?{query}");
    say(&local::command(&target.data, Method::DELETE, &path, Vec::new()).await?, json)
}

pub(super) fn say(bytes: &[u8], json: bool) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(bytes);
    let mut out = std::io::stdout().lock();
    match json {
        true => writeln!(out, "{}", serde_json::json!({ "message": text }))?,
        false => writeln!(out, "{text}")?,
    }
    Ok(())
}
