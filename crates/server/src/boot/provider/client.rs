//! An App's client as it is given at a terminal: its secret is never an argument, which other users of the machine see and
//! the shell remembers.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use axum::http::Method;
use serde::Deserialize;
use tessera_types::ClientSecret;
use zeroize::Zeroizing;

use super::super::cli::Failure;
use super::super::target::Server;
use super::path;
use crate::grants::ProviderSet;

/// What the command line has of it.
pub(super) struct Given<'a> {
    /// Its id.
    pub(super) id: Option<String>,
    /// Where its secret is.
    pub(super) secret_file: Option<&'a Path>,
}

/// What is sent of it: what is empty stays as it is.
pub(super) struct Client {
    /// RFC 6749 section 2.2.
    pub(super) id: String,
    /// RFC 6749 section 2.3.1.
    pub(super) secret: ClientSecret,
}

/// The client, asked for where somebody is there to answer and it is not known yet.
pub(super) async fn of(server: &Server, app: &str, given: Given<'_>) -> Result<Client, Failure> {
    let id = given.id.clone().unwrap_or_default();
    if let Some(file) = given.secret_file {
        return Ok(Client { id, secret: in_file(file)? });
    }
    match std::io::stdin().is_terminal() {
        true => at_terminal(server, app, id).await,
        false => Ok(Client { id, secret: ClientSecret::default() }),
    }
}

fn in_file(file: &Path) -> Result<ClientSecret, Failure> {
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = text.map_err(|error| format!("{}: {error}", file.display()))?;
    match text.trim() {
        "" => Err(format!("{} is empty: write the client's secret into it", file.display()).into()),
        secret => Ok(ClientSecret::new(secret)),
    }
}

/// Whoever sets a provider up for the first time needs the redirect URI before there is a client at all.
async fn at_terminal(server: &Server, app: &str, id: String) -> Result<Client, Failure> {
    let redirect_uri = redirect_uri(server, app).await?;
    // Without a record nobody knows whether the App stored a client itself: an empty answer leaves that one.
    let known = server.ask(Method::GET, &path(app), Vec::new()).await.ok();
    let known = known.and_then(|bytes| serde_json::from_slice::<ProviderSet>(&bytes).ok());
    let (known_id, has_secret) = known.map(|set| (set.client_id, set.has_client_secret)).unwrap_or_default();
    let is_new = !id.is_empty() && id != known_id;
    if has_secret && !is_new {
        return Ok(Client { id, secret: ClientSecret::default() });
    }
    let mut out = std::io::stderr();
    writeln!(out, "Register this redirect URI at the provider, to the letter:\n\n    {redirect_uri}\n")?;
    let id = match id.is_empty() && known_id.is_empty() {
        true => {
            write!(out, "Client id (Enter for none yet, or for the one that {app} stored itself): ")?;
            out.flush()?;
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line.trim().to_owned()
        }
        false => id,
    };
    if id.is_empty() && known_id.is_empty() {
        return Ok(Client { id, secret: ClientSecret::default() });
    }
    let secret = rpassword::prompt_password("Client secret (not shown while you type): ").map(Zeroizing::new);
    let secret = secret.map_err(|error| {
        format!("the secret cannot be asked for ({error}): write it into a file for --client-secret-file")
    })?;
    Ok(Client { id, secret: ClientSecret::new(secret.trim()) })
}

/// Where the provider sends people back to, by the server's own word.
async fn redirect_uri(server: &Server, app: &str) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Line {
        #[serde(alias = "app_id")]
        app: String,
        redirect_uri: String,
    }
    let lines: Vec<Line> = serde_json::from_slice(&server.ask(Method::GET, "/apps", Vec::new()).await?)?;
    let line = lines.into_iter().find(|line| line.app == app);
    let missing = || format!("there is no app {app}: `tessera apps list` shows those that there are");
    Ok(line.ok_or_else(missing)?.redirect_uri)
}
