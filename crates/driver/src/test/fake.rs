//! A stand-in for the server, in process, for testing an App alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tessera_types::{
    AccessToken, AppId, CallResponse, ClientSecret, Context, OAuth2App, OAuth2Context, Post, routes,
};
use tokio::net::TcpListener;

use super::routes::router;
use super::state::{Identity, State};
use crate::Client;

/// A fake of the Apps API and of the few REST v4 routes that the [`Client`] uses, on a free port of the
/// loopback interface. It answers as the server does, statuses and texts included, for one App; it knows
/// who a token belongs to, who is a system administrator, and keeps what is stored, in memory. With
/// [`manage`](Self::manage) it keeps the tokens of the App's users itself, as the server does for a managed App.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use tessera_driver::test::FakeService;
///
/// let service = FakeService::start().await.unwrap();
/// let client = service.client_of("user-1");
/// client.store_oauth2_user(&serde_json::json!({"token": "xxxxxxxxxxxx"})).await.unwrap();
/// assert_eq!(service.stored_user("user-1").unwrap()["token"], "xxxxxxxxxxxx");
/// # });
/// ```
///
/// The server stops when the last handle is dropped.
#[derive(Clone)]
pub struct FakeService {
    inner: Arc<Inner>,
}

struct Inner {
    site_url: String,
    state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request that the fake got.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// `POST`, …
    pub method: String,
    /// Below the site URL.
    pub path: String,
    /// The user id of whose token it carried; `None` without a known one.
    pub user_id: Option<String>,
    /// The body, if it was JSON.
    pub body: Option<Value>,
}

impl FakeService {
    /// Starts it for the App `test-app` at the root of its site.
    ///
    /// # Errors
    ///
    /// When no port of the loopback interface can be had.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_for("test-app", "").await
    }

    /// Starts it for this App id, its site under this path (`"/chat"`, or `""` for the root).
    ///
    /// # Errors
    ///
    /// When no port of the loopback interface can be had.
    pub async fn start_for(app_id: &str, sub_path: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let sub_path = sub_path.trim_end_matches('/');
        let site_url = format!("http://{}{sub_path}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State::new(app_id)));
        let router = router(Arc::clone(&state), sub_path);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the fake service stopped");
            }
        });
        Ok(Self { inner: Arc::new(Inner { site_url, state, task }) })
    }

    /// What Apps know as `mattermost_site_url`; without a trailing slash.
    pub fn site_url(&self) -> &str {
        &self.inner.site_url
    }

    /// The bot's user id.
    pub fn bot_user_id(&self) -> String {
        self.state().bot_user_id.clone()
    }

    /// A token of this user for the App, as `acting_user_access_token` has it. A user that is not known
    /// yet becomes an ordinary one.
    pub fn token_of(&self, user_id: &str) -> AccessToken {
        let mut state = self.state();
        state.token(Identity { user_id: user_id.to_owned(), bot: false })
    }

    /// A token of the bot, as `bot_access_token` has it.
    pub fn bot_token(&self) -> AccessToken {
        let mut state = self.state();
        let user_id = state.bot_user_id.clone();
        state.token(Identity { user_id, bot: true })
    }

    /// Makes the user a system administrator, who may store the OAuth2 app record.
    pub fn make_admin(&self, user_id: &str) {
        self.state().admins.insert(user_id.to_owned());
    }

    /// Makes every token invalid, as after ten minutes.
    pub fn expire_tokens(&self) {
        self.state().tokens.clear();
    }

    /// A client that acts as this user.
    pub fn client_of(&self, user_id: &str) -> Client {
        Client::new(self.site_url(), self.token_of(user_id)).sender(user_id)
    }

    /// The context of a call by this user, with everything expanded that the fake knows: tokens, acting
    /// user, the OAuth2 app record, its URLs, and the user's own record.
    pub fn context_of(&self, user_id: &str) -> Context {
        let acting_user_access_token = self.token_of(user_id);
        let bot_access_token = self.bot_token();
        let mut state = self.state();
        let app = AppId::unchecked(&state.app_id);
        let OAuth2App { remote_root_url, client_id, client_secret, data } = state.oauth2_app.clone();
        let connect_url = routes::connect_url(self.site_url(), &app);
        let is_managed = state.managed.is_some();
        let (user, status) = state.expanded(user_id);
        let reconnect_url = if matches!(status.as_str(), "" | "connected") { "" } else { &connect_url };
        Context {
            mattermost_site_url: self.site_url().to_owned(),
            app_path: routes::app_path(&app),
            bot_user_id: state.bot_user_id.clone(),
            bot_access_token,
            acting_user: Some(state.user(user_id)),
            acting_user_access_token,
            oauth2: OAuth2Context {
                remote_root_url,
                client_id,
                // A managed App needs none, and gets none.
                client_secret: if is_managed { ClientSecret::default() } else { client_secret },
                data,
                complete_url: routes::complete_url(self.site_url(), &app),
                user,
                status,
                reconnect_url: reconnect_url.to_owned(),
                connect_url,
            },
            ..Context::default()
        }
    }

    /// The context of a call that nobody makes: bot token and OAuth2 app record, no acting user.
    pub fn context_without_user(&self) -> Context {
        let mut context = self.context_of("");
        context.acting_user = None;
        context.acting_user_access_token = AccessToken::default();
        context.oauth2.user = None;
        (context.oauth2.status, context.oauth2.reconnect_url) = <(String, String)>::default();
        context
    }

    /// The OAuth2 app record that was stored, or an empty one.
    pub fn stored_app(&self) -> OAuth2App {
        self.state().oauth2_app.clone()
    }

    /// Stores an OAuth2 app record without asking who may.
    pub fn set_stored_app(&self, app: OAuth2App) {
        self.state().oauth2_app = app;
    }

    /// What was stored for the user: `None` if nothing ever was, `Some(Value::Null)` after a disconnect.
    pub fn stored_user(&self, user_id: &str) -> Option<Value> {
        let state = self.state();
        state.users.get(user_id).and_then(|bytes| serde_json::from_slice(bytes).ok())
    }

    /// Stores a user's record.
    ///
    /// # Errors
    ///
    /// When the value cannot be written as JSON.
    pub fn set_stored_user(&self, user_id: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
        self.state().users.insert(user_id.to_owned(), serde_json::to_vec(value)?.into());
        Ok(())
    }

    /// The posts that were made, in order.
    pub fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state().requests.clone()
    }

    /// What `POST …/api/v1/call` answers for this path; without it, that the App is not installed.
    pub fn answer_call(&self, path: &str, response: CallResponse) {
        self.state().answers.insert(path.to_owned(), response);
    }

    /// Lets the next request fail with this status and text, whatever it is. Several are used in order.
    pub fn fail_next(&self, status: StatusCode, text: &str) {
        self.state().failures.push_back((status, text.to_owned()));
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.inner.state)
    }
}

/// A test that panicked while it held the lock has failed already; the others may go on.
pub(super) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
