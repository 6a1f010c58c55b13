//! `tessera apps provider`: whose accounts an App's people connect, set up from a terminal.

mod client;
mod socket;
mod told;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use axum::http::Method;
use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;

use super::cli::{Failure, say};
use super::local::CommandError;
use super::target::Server;
use crate::grants::{Preset, ProviderSet};

pub(super) use socket::routes;

/// What there is to do.
#[derive(Debug, Subcommand)]
pub(super) enum ProviderCommand {
    /// Show the providers that there are, and what each wants filled in.
    List,
    /// Set an App's provider, in place of the one before, and ask it about the client. The client's secret is asked for
    /// at the terminal or read from a file.
    Set(SetArgs),
    /// Show an App's provider.
    Show {
        /// The App's id.
        app: String,
    },
    /// Ask an App's provider now whether it accepts the client, and what it says of itself. Exit code 1 when it refuses
    /// the client, or says something else than what is in use.
    Check {
        /// The App's id.
        app: String,
    },
    /// Take an App's provider away: from then on the App keeps its users' tokens itself.
    Remove {
        /// The App's id.
        app: String,
    },
}

/// A provider, and the App's client there.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("provider").required(true).args(["preset", "descriptor"])))]
pub(super) struct SetArgs {
    /// The App's id.
    app: String,
    /// One of those that `tessera apps provider list` shows.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// A file that describes one, in TOML (docs/managed.md).
    #[arg(long, value_name = "FILE")]
    descriptor: Option<PathBuf>,
    /// Fills in what the provider wants filled in. May be given several times.
    #[arg(long = "value", value_name = "NAME=VALUE", value_parser = pair)]
    values: Vec<(String, String)>,
    /// A scope to ask people for, in place of the provider's usual ones. May be given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A scope of the App's own token, which its bot has without anybody's consent; an empty one asks for what a client
    /// gets anyway. May be given several times.
    #[arg(long = "bot-scope", value_name = "SCOPE")]
    bot_scopes: Vec<String>,
    /// The App's client id at the provider; without it the one that is stored stays.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A file with the client's secret, or with its private key (PEM) where it signs for itself. Without it the one that
    /// is stored stays, or it is asked for at the terminal.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Where the client signs for itself: the `kid` that the provider knows its key by.
    #[arg(long, value_name = "KID")]
    key_id: Option<String>,
}

/// Runs one of them.
pub(super) async fn run(server: &Server, command: ProviderCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        ProviderCommand::List => list(&server.ask(Method::GET, "/providers", Vec::new()).await?, json)?,
        ProviderCommand::Set(args) => set(server, args, json).await?,
        ProviderCommand::Show { app } => {
            show(&server.ask(Method::GET, &path(&app), Vec::new()).await?, json)?
        }
        ProviderCommand::Check { app } => return check(server, &app, json).await,
        ProviderCommand::Remove { app } => {
            server.ask(Method::DELETE, &path(&app), Vec::new()).await?;
            let text =
                format!("{app} has no provider any more: it keeps its users' tokens itself from now on");
            say(text.as_bytes(), json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(server: &Server, args: SetArgs, json: bool) -> Result<(), Failure> {
    let descriptor = args.descriptor.as_deref().map(read).transpose()?;
    let given = client::Given { id: args.client_id, secret_file: args.client_secret_file.as_deref() };
    let client = client::of(server, &args.app, given).await?;
    let record = json!({
        "preset": args.preset.unwrap_or_default(),
        "descriptor": descriptor.unwrap_or_default(),
        "values": args.values.into_iter().collect::<BTreeMap<_, _>>(),
        "scopes": args.scopes,
        "bot_scopes": args.bot_scopes,
        "key_id": args.key_id.unwrap_or_default(),
        "client_id": client.id,
        "client_secret": client.secret.expose(),
    });
    let answer = server.ask(Method::PUT, &path(&args.app), record.to_string().into_bytes()).await;
    let in_file = |error| match (&args.descriptor, error) {
        (Some(file), CommandError::Refused(why)) => format!("{}: {why}", file.display()).into(),
        (_, error) => Failure::from(error),
    };
    show(&answer.map_err(in_file)?, json)
}

async fn check(server: &Server, app: &str, json: bool) -> Result<ExitCode, Failure> {
    let bytes = server.ask(Method::GET, &format!("{}?check=true", path(app)), Vec::new()).await?;
    show(&bytes, json)?;
    let set: ProviderSet = serde_json::from_slice(&bytes)?;
    let fine = set.probe.is_some() && set.fault.is_empty() && set.changed.is_empty();
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(bytes: &[u8], json: bool) -> Result<(), Failure> {
    let text = match json {
        true => format!("{}\n", String::from_utf8_lossy(bytes).trim_end()),
        false => told::of(&serde_json::from_slice(bytes)?),
    };
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn list(bytes: &[u8], json: bool) -> Result<(), Failure> {
    let text = match json {
        true => format!("{}\n", String::from_utf8_lossy(bytes).trim_end()),
        false => told::catalogue(&serde_json::from_slice::<Vec<Preset>>(bytes)?),
    };
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn read(file: &Path) -> Result<String, Failure> {
    Ok(std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?)
}

/// Where an App's provider is, for [`Server::ask`].
pub(super) fn path(app: &str) -> String {
    let app = percent_encoding::utf8_percent_encode(app, percent_encoding::NON_ALPHANUMERIC);
    format!("/apps/{app}/provider")
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, for instance subdomain=example".to_owned()),
    }
}
