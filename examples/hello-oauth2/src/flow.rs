//! The two calls that the server makes while a browser is on its way to the provider and back.

use std::sync::Arc;

use tessera_driver::{CallRequest, CallRequestExt as _, CallResponse, Client, respond};

use crate::{Failure, Hello};

/// `/oauth2/connect`: where the browser shall go. The state is the server's; it checks it too.
pub(crate) async fn connect(hello: Arc<Hello>, creq: CallRequest) -> Result<CallResponse, Failure> {
    let state = creq.value_str("state").ok_or(Failure::Missing("state"))?;
    Ok(respond::data(&hello.provider.authorize_url(&creq.context.oauth2, &state)?))
}

/// `/oauth2/complete`, the page's `oauth2Complete`: the provider sent the browser back.
pub(crate) async fn complete(hello: Arc<Hello>, creq: CallRequest) -> Result<CallResponse, Failure> {
    let iss = creq.value_str("iss");
    if creq.value_str("error").is_some() || creq.value_str("code").is_some() {
        // Before anything is believed or sent: a code of another provider must not be brought to this one.
        hello.provider.check_issuer(iss.as_deref())?;
    }
    if let Some(error) = creq.value_str("error") {
        let description = creq.value_str("error_description");
        return Err(hello.provider.refused(&error, description.as_deref()).into());
    }
    let oauth2 = &creq.context.oauth2;
    if creq.value_str("code").is_none() && oauth2.client_secret.is_empty() && creq.is_connected_user() {
        // The server manages the connection: it has swapped the code itself and keeps the secret to itself.
        return Ok(respond::text(format!("Your account with {} is connected.", hello.provider.name())));
    }
    let code = creq.value_str("code").ok_or(Failure::Missing("code"))?;
    let state = creq.value_str("state").ok_or(Failure::Missing("state"))?;
    let _turn = hello.turn(&creq).await;
    let token = hello.provider.exchange(oauth2, &code, &state, hello.now()).await?;
    Client::as_acting_user(&creq.context).store_oauth2_user(&token.expose()).await?;
    Ok(respond::ok())
}
