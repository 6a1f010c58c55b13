//! A Mattermost to attach to: REST v4, its own OAuth2 provider, its pages, and what it sends to integrations, as far as a
//! service beside it sees them (mattermost-attach.md part C). Settings and versions are switches; every request is
//! remembered; its clock stands still until it is moved.

mod accounts;
mod actions;
mod asked;
mod blocks;
mod bots;
mod builder;
mod channels;
mod commands;
mod dialog_answers;
mod dialog_check;
mod dialogs;
mod door;
mod failures;
mod front_door;
mod handles;
mod late;
mod limits;
mod login;
mod members;
mod oauth;
mod oauth_apps;
mod oauth_tokens;
mod outgoing;
mod people;
mod pkce;
mod places;
mod posts;
mod refusal;
mod rights;
mod sessions;
mod settings;
mod state;
mod system;
mod teams;
mod tokens;
mod triggers;
mod typed;
mod version;
mod websocket;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::task::JoinHandle;

pub use asked::Logged;
pub use builder::Builder;
pub use dialogs::Dialog;
pub use failures::Failure;
pub use front_door::FrontDoor;
pub use sessions::Session;
use state::State;
pub use typed::Seen;
pub use version::Version;

type Shared = Arc<Mutex<State>>;

/// A running Mattermost. It ends when it is dropped.
pub struct FakeMattermost {
    address: SocketAddr,
    state: Shared,
    serving: JoinHandle<()>,
}

impl FakeMattermost {
    /// Starts one of this version, with every setting as a service beside it needs it.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(version: Version) -> Self {
        Self::builder(version).start().await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// One of this version that is yet to be set up.
    pub fn builder(version: Version) -> Builder {
        Builder::new(version)
    }

    async fn serve(state: State) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(state));
        let service = door::service(Arc::clone(&state));
        let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, state, serving }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its own address as a URL, below the site's path if it has one: where a service beside it reaches it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.address.port(), self.state().subpath())
    }
}

impl Drop for FakeMattermost {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
