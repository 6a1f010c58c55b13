//! A Mattermost App that connects its users' accounts at an OAuth2 provider.
//!
//! It keeps nothing itself: the client id and secret, and each user's token, are with the server, which sends them
//! along with the calls that ask for them (`oauth2_app`, `oauth2_user`).

mod provider;
#[cfg(test)]
mod tests;

use provider::{Failure, Provider};
use tessera_driver::binding::TopBinding;
use tessera_driver::oauth2::OAuth2Token;
use tessera_driver::{
    App, CallRequest, CallRequestExt as _, CallResponse, Client, ClientSecret, OAuth2App, binding,
    call, form, manifest, respond,
};

const APP_ID: &str = "my-app";
const DISPLAY_NAME: &str = "My App";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "4000".into());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let root_url = format!("http://{}", listener.local_addr()?);
    println!("{APP_ID} answers on {root_url}");
    Ok(app(&root_url).serve(listener).await?)
}

/// What the App is, and what it does when it is called.
fn app(root_url: &str) -> App {
    let manifest = manifest(APP_ID, DISPLAY_NAME)
        .homepage("https://example.com")
        .permissions(["act_as_user", "remote_oauth2"])
        .location("/command")
        .http(root_url);
    App::new(manifest)
        .bindings(commands())
        .call("/configure", configure)
        .call("/connect", connect)
        .call("/me", me)
        .call("/disconnect", disconnect)
        // These two are called while a browser is on its way to the provider, and back.
        .call("/oauth2/connect", oauth2_connect)
        .call("/oauth2/complete", oauth2_complete)
}

/// What can be typed, and what each call needs to be sent along.
fn commands() -> TopBinding {
    let configure = form::form("Configure", call("/configure").oauth2_app().as_acting_user())
        .field(form::text("client_id").required())
        .field(form::password("client_secret").required())
        .field(form::text("provider_url").required());
    let me = call("/me").oauth2_app().oauth2_user().as_acting_user();
    let disconnect = call("/disconnect").oauth2_user().as_acting_user();
    binding::command(APP_ID)
        .description(DISPLAY_NAME)
        .child(binding::form("configure", configure).description("Name the OAuth2 provider"))
        .child(binding::action("connect", call("/connect").oauth2_app()).description("Connect"))
        .child(binding::action("me", me).description("Who am I at the provider?"))
        .child(binding::action("disconnect", disconnect).description("Forget my account"))
}

/// For administrators: which provider, and what this App is called there.
async fn configure(creq: CallRequest) -> Result<String, Failure> {
    let value = |name| creq.value_or(name, "").trim().to_owned();
    let record = OAuth2App {
        client_id: value("client_id"),
        client_secret: ClientSecret::new(value("client_secret")),
        remote_root_url: value("provider_url"),
        ..OAuth2App::default()
    };
    provider::discover(&record.remote_root_url).await?;
    Client::as_acting_user(&creq.context).store_oauth2_app(&record).await?;
    let redirect_uri = &creq.context.oauth2.complete_url;
    Ok(format!("Stored. Register this redirect URI at the provider: `{redirect_uri}`"))
}

async fn connect(creq: CallRequest) -> String {
    format!("[Connect your account]({})", creq.context.oauth2.connect_url)
}

/// Where the browser shall go. The server made the state, and will check it.
async fn oauth2_connect(creq: CallRequest) -> Result<CallResponse, Failure> {
    let state = creq.value_str("state").ok_or("the call has no state")?;
    let provider = Provider::of(&creq.context.oauth2).await?;
    Ok(respond::data(&provider.authorize_url(&state)?))
}

/// The provider sent the browser back: the code becomes a token, and the token the user's record.
async fn oauth2_complete(creq: CallRequest) -> Result<(), Failure> {
    if let Some(error) = creq.value_str("error") {
        return Err(format!("the provider refused: {error}").into());
    }
    let code = creq.value_str("code").ok_or("the provider sent no code")?;
    let token = Provider::of(&creq.context.oauth2).await?.exchange(&code).await?;
    Client::as_acting_user(&creq.context).store_oauth2_user(&token.expose()).await?;
    Ok(())
}

/// Uses the token: asks the provider whose it is.
async fn me(creq: CallRequest) -> Result<String, Failure> {
    let token: OAuth2Token = creq.oauth2_user()?.ok_or_else(not_connected)?;
    let provider = Provider::of(&creq.context.oauth2).await?;
    let token = match provider.refreshed(&token).await? {
        None => token,
        Some(new) => {
            Client::as_acting_user(&creq.context).store_oauth2_user(&new.expose()).await?;
            new
        }
    };
    Ok(format!("At the provider you are `{}`.", provider.user_name(&token).await?))
}

async fn disconnect(creq: CallRequest) -> Result<&'static str, Failure> {
    if !creq.is_connected_user() {
        return Err(not_connected());
    }
    Client::as_acting_user(&creq.context).disconnect_oauth2_user().await?;
    Ok("Your account is forgotten.")
}

fn not_connected() -> Failure {
    format!("You are not connected: type `/{APP_ID} connect`").into()
}
