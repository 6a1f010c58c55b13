//! hello-oauth2 where the service keeps the tokens: what is left of an App when an administrator gave it a provider
//! record.
//!
//! `/hello-managed connect` shows a link, `send` reads the list of the user's calendars, `disconnect` ends the
//! connection, also at the provider. There is no client secret here, no code that is swapped, no refresh, and no OAuth2
//! library: a test looks at the dependencies.

mod calendars;

use tessera_driver::{
    App, CallRequest, Client, ConnectionStatus, Error, OAuth2ContextExt as _, binding, call, manifest,
};
use url::Url;

/// The App id.
pub const APP_ID: &str = "hello-managed";

/// Makes the App: where the server reaches it, and the calendars that it reads (JSON with `items`, each with a
/// `summary`).
pub fn app(root_url: &str, calendars_url: Url) -> App {
    let send = call("/send").oauth2_app().as_acting_user();
    let commands = binding::command(APP_ID)
        .description("Hello, managed!")
        .child(binding::action("connect", call("/connect").oauth2_app()).description("Connect your account"))
        .child(binding::action("send", send).description("List your calendars"))
        .child(
            binding::action("disconnect", call("/disconnect").as_acting_user())
                .description("End the connection"),
        );
    let manifest = manifest(APP_ID, "Hello, managed!")
        .version("v0.1.0")
        .homepage("https://developers.mattermost.com/integrate/apps/authentication/oauth2/")
        .description("Lists your calendars with a token that the service keeps fresh")
        .permissions(["act_as_bot", "act_as_user", "remote_oauth2"])
        .location("/command")
        .http(root_url.trim_end_matches('/'));
    App::new(manifest)
        .bindings(commands)
        .call("/connect", connect)
        .call("/send", move |creq| send_calendars(calendars_url.clone(), creq))
        .call("/disconnect", disconnect)
}

async fn connect(creq: CallRequest) -> String {
    format!("[Connect your account]({}).", creq.context.oauth2.connect_link())
}

async fn send_calendars(calendars_url: Url, creq: CallRequest) -> Result<String, String> {
    let client = Client::as_acting_user(&creq.context);
    let connection = client.oauth2_token(None).await.map_err(|error| error.to_string())?;
    let link = creq.context.oauth2.connect_link();
    match (connection.token, connection.status) {
        (Some(token), _) => calendars::list(calendars_url, &token.access_token).await,
        (None, ConnectionStatus::NotConnected) => {
            Err(format!("You are not connected: [connect your account]({link})."))
        }
        (None, ConnectionStatus::NeedsReconnect) => {
            Err(format!("Your connection has ended: [connect again]({link})."))
        }
        // The provider is away: nothing is lost.
        (None, status) => Err(format!("Please try again in a moment: {status}.")),
    }
}

async fn disconnect(creq: CallRequest) -> Result<&'static str, Error> {
    Client::as_acting_user(&creq.context).disconnect_oauth2_user().await?;
    Ok("Disconnected your account.")
}
