//! The App of the documentation page, written with [`tessera_driver`].
//!
//! `/hello-oauth2 configure` stores the client id and secret of an OAuth2 provider, `connect` connects a
//! user, `send` reads the list of that user's calendars, `disconnect` forgets the user's token. By
//! default the provider is Google with the page's three scopes; [`Settings`] name another.
//!
//! The App keeps nothing itself: credentials and tokens are with the server, and come with each call.

mod commands;
mod flow;
mod provider;
mod settings;
mod turns;

use std::future::Future;
use std::sync::Arc;

use tessera_driver::time::OffsetDateTime;
use tessera_driver::{App, CallRequest, CallResponse, manifest};
use tokio::sync::OwnedMutexGuard;

use provider::Provider;
pub use provider::ProviderError;
pub use settings::{ClientAuth, ProviderSettings, Settings, SettingsError};
use turns::Turns;

/// The App id.
pub const APP_ID: &str = "hello-oauth2";

/// Makes the App.
///
/// # Errors
///
/// When the HTTP client for the provider cannot be made, for example without root certificates.
pub fn app(settings: Settings) -> Result<App, String> {
    let hello = Arc::new(Hello { provider: Provider::new(settings.provider)?, turns: Turns::default() });
    let manifest = manifest(APP_ID, "Hello, OAuth2!")
        .version("v0.1.0")
        .homepage("https://developers.mattermost.com/integrate/apps/authentication/oauth2/")
        .description("Connects you to an OAuth2 provider and lists your calendars")
        .permissions(["act_as_bot", "act_as_user", "remote_oauth2"])
        .location("/command")
        .http(settings.root_url.as_str().trim_end_matches('/'));
    let app = App::new(manifest)
        .bindings(commands::bindings())
        .call("/configure", hello.handler(commands::configure))
        .call("/connect", hello.handler(commands::connect))
        .call("/send", hello.handler(commands::send))
        .call("/disconnect", hello.handler(commands::disconnect))
        .call("/oauth2/connect", hello.handler(flow::connect))
        .call("/oauth2/complete", hello.handler(flow::complete));
    Ok(match settings.jwt_secret {
        Some(secret) => app.jwt_secret(secret),
        None => app,
    })
}

/// What every handler gets.
struct Hello {
    provider: Provider,
    turns: Turns,
}

impl Hello {
    /// A handler of the driver's kind from a function that also wants the App.
    fn handler<Fut>(
        self: &Arc<Self>,
        function: impl Fn(Arc<Self>, CallRequest) -> Fut + Send + Sync + 'static,
    ) -> impl Fn(CallRequest) -> Fut + Send + Sync + 'static
    where
        Fut: Future<Output = Result<CallResponse, Failure>> + Send,
    {
        let hello = Arc::clone(self);
        move |creq| function(Arc::clone(&hello), creq)
    }

    /// Waits until nothing else changes this user's token.
    async fn turn(&self, creq: &CallRequest) -> OwnedMutexGuard<()> {
        // Every call that changes it asks for the user, and is not made without.
        let user = creq.context.acting_user.as_ref().map_or("", |user| user.id.as_str());
        self.turns.of(user).await
    }

    /// The one place where the App looks at the clock.
    fn now(&self) -> OffsetDateTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "an App is a program of its own and has the machine's clock"
        )]
        OffsetDateTime::now_utc()
    }
}

/// What a chat user is told when a command fails.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("only a system administrator can configure this App")]
    AdminsOnly,
    #[error("the server did not take it: {0}")]
    Server(#[from] tessera_driver::Error),
    #[error(
        "the record that is stored for you cannot be read as a token. Use `/hello-oauth2 connect` to connect again"
    )]
    Record,
    #[error("You are not connected. Use `/hello-oauth2 connect` to connect your account")]
    NotConnected,
    #[error("the call has no {0}")]
    Missing(&'static str),
}
