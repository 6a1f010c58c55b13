//! Which running server a command is for: the one that has a data folder, or one elsewhere.

use std::path::PathBuf;

use axum::http::Method;
use bytes::Bytes;
use clap::Args;
use tessera_types::AccessToken;

use super::cli::Failure;
use super::local::{self, CommandError};
use super::remote::Remote;

/// Which running server.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The data folder of the running server.
    #[arg(long, global = true, value_name = "DIR", default_value = "tessera-dev-data")]
    pub(super) data: PathBuf,
    /// A server elsewhere, by its address, instead of the one that has the folder.
    #[arg(long, global = true, value_name = "URL")]
    server: Option<url::Url>,
    /// A file with an administrator's token for `--server`, unless `TESSERA_TOKEN` has it.
    #[arg(long, global = true, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
}

impl Target {
    /// The server elsewhere, if one is named.
    pub(super) fn remote(&self) -> Result<Option<Remote>, Failure> {
        let Some(server) = &self.server else { return Ok(None) };
        let token = match &self.token_file {
            Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?,
            None => std::env::var("TESSERA_TOKEN")
                .map_err(|_| "--server needs an administrator's token: name its file with --token-file, or set TESSERA_TOKEN")?,
        };
        Ok(Some(Remote::new(server.clone(), AccessToken::new(token.trim()))?))
    }

    /// The one that is meant.
    pub(super) fn server(self) -> Result<Server, Failure> {
        Ok(match self.remote()? {
            Some(remote) => Server::Elsewhere(Box::new(remote)),
            None => Server::Here(self.data),
        })
    }
}

/// A running server that takes commands.
pub(super) enum Server {
    /// The one that has this data folder, by its local socket.
    Here(PathBuf),
    /// One elsewhere, by its REST API.
    Elsewhere(Box<Remote>),
}

impl Server {
    /// Sends what both take alike: a path such as `/apps/hello/provider`, on the socket or below `tessera/v1`.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes, CommandError> {
        match self {
            Self::Here(dir) => local::command(dir, method, path, body).await,
            Self::Elsewhere(remote) => remote.ask(method, path, body).await,
        }
    }
}
