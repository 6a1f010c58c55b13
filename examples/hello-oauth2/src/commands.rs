//! What follows `/hello-oauth2`.

use std::sync::Arc;
use std::time::Duration;

use tessera_driver::binding::TopBinding;
use tessera_driver::oauth2::OAuth2Token;
use tessera_driver::{
    CallRequest, CallRequestExt as _, CallResponse, Client, ClientSecret, OAuth2App, binding, call, form,
    respond,
};

use crate::{APP_ID, Failure, Hello, ProviderError};

/// A token with less life left than this is refreshed before it is used: the request takes time too.
const MIN_TTL: Duration = Duration::from_secs(15);

pub(crate) fn bindings() -> TopBinding {
    let configure = call("/configure").oauth2_app().as_acting_user();
    let configure = form::form("Configure the OAuth2 provider", configure)
        .field(form::text("client_id").label("client-id").required().description("The client id"))
        .field(
            form::password("client_secret")
                .label("client-secret")
                .required()
                .description("The client secret"),
        );
    let connect = call("/connect").oauth2_app().oauth2_user();
    // A token that has expired is refreshed and stored: hence the credentials, and the token to act as the user.
    let send = call("/send").oauth2_app().oauth2_user().as_acting_user();
    // The credentials are for the provider, which is told.
    let disconnect = call("/disconnect").oauth2_app().oauth2_user().as_acting_user();
    binding::command(APP_ID)
        .description("Hello, OAuth2!")
        .child(binding::form("configure", configure).description("Store the provider's client id and secret"))
        .child(binding::action("connect", connect).description("Connect your account"))
        .child(binding::action("send", send).description("List your calendars"))
        .child(binding::action("disconnect", disconnect).description("Forget your token"))
}

/// The page's `configure`. Says which redirect URI the provider has to know.
pub(crate) async fn configure(_hello: Arc<Hello>, creq: CallRequest) -> Result<CallResponse, Failure> {
    let value =
        |name| creq.value_str(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let (client_id, client_secret) = match (value("client_id"), value("client_secret")) {
        (Some(id), Some(secret)) => (id, secret),
        (id, secret) => {
            let missing = [("client_id", id.is_none()), ("client_secret", secret.is_none())];
            let errors = missing.iter().filter(|(_, missing)| *missing).map(|(name, _)| (*name, "is needed"));
            return Ok(respond::field_errors("client id and client secret are both needed", errors));
        }
    };
    let app =
        OAuth2App { client_id, client_secret: ClientSecret::new(client_secret), ..OAuth2App::default() };
    match Client::as_acting_user(&creq.context).store_oauth2_app(&app).await {
        Ok(()) => {}
        Err(error) if error.text().is_some_and(|text| text.contains("manage_system")) => {
            return Err(Failure::AdminsOnly);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(respond::text(format!(
        "Updated OAuth client credentials. Register this redirect URI with the provider:\n`{}`",
        creq.context.oauth2.complete_url
    )))
}

pub(crate) async fn connect(hello: Arc<Hello>, creq: CallRequest) -> Result<CallResponse, Failure> {
    let oauth2 = &creq.context.oauth2;
    if oauth2.client_id.is_empty() {
        return Err(ProviderError::NotConfigured.into());
    }
    let again =
        if creq.is_connected_user() { " You are connected already; this connects you anew." } else { "" };
    Ok(respond::text(format!(
        "[Connect your account with {}]({}).{again}",
        hello.provider.name(),
        oauth2.connect_url
    )))
}

/// The page's `useRemoteService`.
pub(crate) async fn send(hello: Arc<Hello>, creq: CallRequest) -> Result<CallResponse, Failure> {
    let Some(token) = creq.oauth2_user::<OAuth2Token>().map_err(|_| Failure::Record)? else {
        return Err(Failure::NotConnected);
    };
    let token = fresh(&hello, &creq, token).await?;
    let calendars = hello.provider.calendars(&token.access_token).await?;
    let name = hello.provider.name();
    if calendars.is_empty() {
        return Ok(respond::text(format!("Hello from {name}! You have no calendars.")));
    }
    let list: String = calendars.iter().map(|calendar| format!("\n* {}", plain(calendar))).collect();
    Ok(respond::text(format!("Hello from {name}! Your calendars:{list}")))
}

/// The token itself while it lives, else a new one, stored before it is used.
async fn fresh(hello: &Hello, creq: &CallRequest, token: OAuth2Token) -> Result<OAuth2Token, Failure> {
    if !token.expires_within(hello.now(), MIN_TTL) {
        return Ok(token);
    }
    let _turn = hello.turn(creq).await;
    // The call brought what was stored when it was made. Another one of this user may have been quicker since.
    let client = Client::as_acting_user(&creq.context);
    let token = client.get_oauth2_user::<OAuth2Token>().await?.ok_or(Failure::NotConnected)?;
    if !token.expires_within(hello.now(), MIN_TTL) {
        return Ok(token);
    }
    let Some(refresh_token) = &token.refresh_token else {
        return Err(hello.provider.connect_again().into());
    };
    let new = hello.provider.refresh(&creq.context.oauth2, refresh_token, hello.now()).await?;
    client.store_oauth2_user(&new.expose()).await?;
    Ok(new)
}

pub(crate) async fn disconnect(hello: Arc<Hello>, creq: CallRequest) -> Result<CallResponse, Failure> {
    if !creq.is_connected_user() {
        return Ok(respond::text("You were not connected."));
    }
    let _turn = hello.turn(&creq).await;
    let client = Client::as_acting_user(&creq.context);
    // Not what the call brought: a refresh may have ended since. A record that is no token says nothing to the provider.
    let token = client.get_oauth2_user::<OAuth2Token>().await;
    // Here first: whatever becomes of the provider, the token is not used from now on.
    client.disconnect_oauth2_user().await?;
    let Ok(Some(token)) = token else { return Ok(respond::text("Disconnected your account.")) };
    Ok(respond::text(match hello.provider.revoke(&creq.context.oauth2, &token).await {
        Ok(true) => {
            format!("Disconnected your account, and {} has revoked the access.", hello.provider.name())
        }
        Ok(false) => "Disconnected your account.".to_owned(),
        Err(error) => {
            format!("Disconnected your account here, but {error}. The access may go on there until it ends.")
        }
    }))
}

/// A calendar's name is somebody else's text: it stays one line and makes no markdown.
fn plain(text: &str) -> String {
    let text = text.chars().filter(|c| !c.is_control()).take(100);
    text.flat_map(|c| "\\`*_[]<>|~".contains(c).then_some('\\').into_iter().chain([c])).collect()
}
