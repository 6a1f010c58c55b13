//! A Mattermost to attach to: REST v4, its own OAuth2 provider and its sign-in page, as far as a service beside it sees
//! them (mattermost-attach.md part C). Settings and versions are switches; every request is remembered.

mod asked;
mod commands;
mod dialogs;
mod front_door;
mod login;
mod oauth;
mod people;
mod rooms;
mod state;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub use asked::Logged;
use asked::{Asked, Json, Refusal};
pub use commands::Seen;
pub use dialogs::Dialog;
pub use front_door::FrontDoor;
pub use state::{Session, Version};
use state::{State, User};

type Shared = Arc<Mutex<State>>;

/// A running Mattermost. It ends when it is dropped.
pub struct FakeMattermost {
    address: SocketAddr,
    state: Shared,
    serving: JoinHandle<()>,
}

/// What happens to the next request whose path begins so.
#[derive(Debug, Clone)]
pub enum Failure {
    /// It is answered with this status and nothing else.
    Status(u16),
    /// It is one too many: there is room again in so many seconds.
    Limited(u32),
}

impl FakeMattermost {
    /// Starts one of this version, with every setting as a service beside it needs it.
    pub async fn start(version: Version) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state =
            Arc::new(Mutex::new(State::new(version, &format!("http://localhost:{}", address.port()))));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&state));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, state, serving }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.address.port())
    }

    /// Changes a setting, by its own name: `ServiceSettings.EnableCommands`.
    pub fn set(&self, key: &str, value: impl Into<Value>) {
        self.state().config.insert(key.to_owned(), value.into());
    }

    /// Where browsers find it.
    pub fn set_site_url(&self, url: &str) {
        self.set("ServiceSettings.SiteURL", url);
    }

    /// Adds a person with the role `system_user`, whose password is their name; gives their id.
    pub fn add_user(&self, name: &str) -> String {
        let user = User::person(name);
        let id = user.id.clone();
        self.state().users.insert(id.clone(), user);
        id
    }

    /// Adds a system administrator.
    pub fn add_admin(&self, name: &str) -> String {
        let id = self.add_user(name);
        self.set_roles(&id, "system_user system_admin");
        id
    }

    /// Changes somebody's roles: names with blanks between.
    pub fn set_roles(&self, user: &str, roles: &str) {
        roles.clone_into(&mut self.state().users.get_mut(user).unwrap().roles);
    }

    /// Adds a role of the site's own.
    pub fn add_role(&self, name: &str, permissions: &[&str]) {
        let permissions = permissions.iter().map(|one| (*one).to_owned()).collect();
        self.state().roles.insert(name.to_owned(), permissions);
    }

    /// Gives a permission to a role.
    pub fn grant(&self, role: &str, permission: &str) {
        self.state().roles.get_mut(role).unwrap().push(permission.to_owned());
    }

    /// Deactivates somebody: their sessions and tokens end.
    pub fn deactivate(&self, user: &str) {
        self.state().set_active(user, false);
    }

    /// Signs somebody in.
    pub fn session(&self, user: &str) -> Session {
        self.state().new_session(user, false)
    }

    /// Signs somebody out everywhere: what is not a personal access token ends.
    pub fn end_sessions(&self, user: &str) {
        self.state().sessions.retain(|_, session| session.user != user || session.pat.is_some());
    }

    /// Ends a token, as an administrator does.
    pub fn revoke(&self, token: &str) {
        self.state().sessions.remove(token).unwrap();
    }

    /// Refresh tokens that are out.
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.state().refresh.keys().cloned().collect()
    }

    /// The secrets of the clients that are registered at its provider.
    pub fn client_secrets(&self) -> Vec<String> {
        let secret = |app: &oauth::OAuthApp| app.shown(true)["client_secret"].as_str().unwrap().to_owned();
        self.state().oauth_apps.values().map(secret).collect()
    }

    /// A personal access token of a system administrator who is there for it.
    pub fn service_token(&self) -> String {
        let id = self.add_admin("tessera");
        self.state().new_pat(&id, "for the service")
    }

    /// Adds a team; gives its id.
    pub fn add_team(&self, name: &str) -> String {
        self.state().add_team(name)
    }

    /// Adds a channel of a kind (`O`, `P`); gives its id.
    pub fn add_channel(&self, team: &str, name: &str, kind: &str) -> String {
        self.state().add_channel(team, name, kind)
    }

    /// Makes somebody a member of a team or a channel.
    pub fn join(&self, place: &str, user: &str) {
        self.state().members.insert((place.to_owned(), user.to_owned()));
    }

    /// What was posted, oldest first.
    pub fn posts(&self) -> Vec<Value> {
        self.state().posts.clone()
    }

    /// What was shown to somebody alone.
    pub fn ephemeral_posts(&self) -> Vec<Value> {
        self.state().ephemeral.clone()
    }

    /// What it was asked so far.
    pub fn requests(&self) -> Vec<Logged> {
        self.state().log.clone()
    }

    /// How often a path was asked for that begins so.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let asked = self.requests();
        asked.iter().filter(|one| one.method == method && one.path.starts_with(path)).count()
    }

    /// The clients that are registered at its provider.
    pub fn oauth_apps(&self) -> Vec<Value> {
        self.state().oauth_apps.values().map(|app| app.shown(false)).collect()
    }

    /// Makes the next request fail whose path begins so.
    pub fn fail_next(&self, path: &str, failure: Failure) {
        self.state().failures.push((path.to_owned(), failure));
    }
}

impl Drop for FakeMattermost {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    Extract(shared): Extract<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked::new(method, &uri, headers, body);
    let mut state = shared.lock().unwrap();
    state.log.push(asked.logged());
    if let Some(response) = state.fail(&asked.path) {
        return response;
    }
    match route(&mut state, &asked) {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

fn route(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let segments: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["api", "v4", rest @ ..] => api(state, asked, rest),
        ["hooks", "commands", _] => {
            state.hooks.push(asked.json()?);
            Ok(people::ok())
        }
        ["oauth", ..] | [".well-known", ..] => oauth::route(state, asked),
        _ => login::route(state, asked),
    }
}

fn api(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    match (asked.method.as_str(), path) {
        ("GET", ["system", "ping"]) => Ok(Json(json!({"status": "OK"})).into_response()),
        ("GET", ["config", "client"]) => Ok(Json(state.client_config()).into_response()),
        ("GET", ["config"]) => {
            state.require(asked, "manage_system")?;
            Ok(Json(state.nested_config()).into_response())
        }
        (_, ["users" | "roles" | "bots", ..]) => people::route(state, asked, path),
        ("POST", ["actions", "dialogs", "open"]) => dialogs::open(state, asked),
        (_, ["commands", ..]) => commands::route(state, asked, path),
        (_, ["oauth", "apps", ..]) => oauth::apps(state, asked, path),
        _ => rooms::route(state, asked, path),
    }
}
