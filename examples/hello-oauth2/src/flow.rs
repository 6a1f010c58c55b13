//! The two calls that the server makes while a browser is on its way to the provider and back.

use std::sync::Arc;

use tessera_driver::{CallRequest, CallResponse, Client, respond};

use crate::{Failure, Hello};

/// `/oauth2/connect`: where the browser shall go. The state is the server's; it checks it too.
pub(crate) async fn connect(hello: Arc<Hello>, creq: CallRequest) -> Result<CallResponse, Failure> {
    let state = creq.value_str("state").ok_or(Failure::Missing("state"))?;
    Ok(respond::data(&hello.provider.authorize_url(&creq.context.oauth2, &state)?))
}

/// `/oauth2/complete`, the page's `oauth2Complete`: the provider sent the browser back.
pub(crate) async fn complete(hello: Arc<Hello>, creq: CallRequest) -> Result<CallResponse, Failure> {
    if let Some(error) = creq.value_str("error") {
        let description = creq.value_str("error_description");
        return Err(hello.provider.refused(&error, description.as_deref()).into());
    }
    let code = creq.value_str("code").ok_or(Failure::Missing("code"))?;
    let state = creq.value_str("state").ok_or(Failure::Missing("state"))?;
    let token = hello.provider.exchange(&creq.context.oauth2, &code, &state, hello.now()).await?;
    Client::as_acting_user(&creq.context).store_oauth2_user(&token.expose()).await?;
    Ok(respond::ok())
}
