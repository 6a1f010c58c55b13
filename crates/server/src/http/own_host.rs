//! On a host name of our own beside a Mattermost: people sign in by Mattermost's own provider into a session of ours.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use tessera_types::{AccessToken, routes};

use super::agreement::is_ours;
use super::caller::Caller;
use super::connect::{append, refuse_embedded};
use super::errors::WireError;
use super::extract::first;
use super::{House, Rooms, cookies, only, pages, window};
use crate::connect::CallbackQuery;
use crate::platform::{CameBack, OwnHost, SIGN_IN, SIGNED_IN, SIGNED_OUT, safe_return};
use crate::web::SignedOut;
use crate::web::sign_in::{DETOUR, DETOUR_SECONDS};

/// The name of the session's cookie, without prefix.
pub const SESSION: &str = "tessera-session";

type Over = Arc<dyn OwnHost>;

/// Where people sign in and come back; `site` is where their Mattermost is.
pub fn router(rooms: &Arc<Rooms>, own: &Over, site: String) -> Router {
    let (leads, ends) = (Arc::clone(own), Arc::clone(own));
    let sign_in = move |state, caller, query, headers| sign_in(state, caller, query, headers, leads, site);
    let signed_in = move |state, caller, query, headers| signed_in(state, caller, query, headers, ends);
    Router::new()
        .route(SIGN_IN, only(get(sign_in)))
        .route(SIGNED_IN, only(get(signed_in)))
        .with_state(Arc::clone(rooms))
}

async fn sign_in(
    State(house): State<House>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    own: Over,
    site: String,
) -> Response {
    let query = query.unwrap_or_default();
    let led = async {
        refuse_embedded(&headers)?;
        let asked = first(&query, "return_to");
        let return_to = safe_return(&asked).filter(|path| is_ours(&house, path)).ok_or_else(|| {
            WireError::new(StatusCode::BAD_REQUEST, "return_to is no address of this service: invalid input")
        })?;
        if caller.identity.is_some() {
            return Ok(Redirect::to(return_to).into_response());
        }
        let handed = window::handed_on(return_to);
        if let Some(page) = handed.and_then(|path| window::leave(&house, &headers, &path)) {
            return Ok(page);
        }
        if query.split('&').any(|pair| pair == SIGNED_OUT) {
            let again = house.platform.sign_in_url(return_to);
            return Ok(pages::respond(SignedOut::page(&site, &again)));
        }
        let leading = own.lead(return_to).await?;
        let mut response = Redirect::to(leading.url.as_str()).into_response();
        append(
            &mut response,
            cookies::set(&house.settings, &leading.cookie, &leading.value, leading.max_age),
        );
        Ok::<_, WireError>(response)
    };
    Box::pin(led).await.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

async fn signed_in(
    State(house): State<House>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    own: Over,
) -> Response {
    let entered = async {
        refuse_embedded(&headers)?;
        let query = CallbackQuery::parse(query.as_deref().unwrap_or_default())?;
        let forbidden = |text: &str| WireError::new(StatusCode::FORBIDDEN, format!("{text}: forbidden"));
        let not_begun = || forbidden("this browser began no such sign-in, or too long ago");
        let state = query.state().ok_or_else(not_begun)?;
        let name = own.trip_cookie(state);
        let trip =
            cookies::get(&headers, &cookies::own_name(&house.settings, &name)).ok_or_else(not_begun)?;
        if let Some(code) = query.declined() {
            return Err(forbidden(&format!("Mattermost did not sign you in ({code})")));
        }
        let code = query.get("code").filter(|code| !code.is_empty()).ok_or_else(not_begun)?;
        let back = CameBack { state, code, iss: query.get("iss") };
        let entered = own.enter(&trip, back).await?.ok_or_else(not_begun)?;
        // What the browser had before is nobody's any more, whoever put it there (fixation).
        if let Some(before) = cookies::get(&headers, &house.settings.session_cookie) {
            house.platform.sign_out(&before).await?;
        }
        let accounts =
            routes::below_site(house.settings.site_url.as_str(), &format!("{}/accounts", routes::TESSERA_V1));
        let to = if entered.return_to.is_empty() { &accounts } else { &entered.return_to };
        let mut response = Redirect::to(to).into_response();
        let settings = &house.settings;
        append(&mut response, cookies::set(settings, SESSION, &entered.session, entered.max_age));
        append(&mut response, cookies::set(settings, &name, &AccessToken::default(), 0));
        // Whoever signed in now may have been led here: they are asked before an account is connected (OS-17).
        append(&mut response, cookies::set(settings, DETOUR, &AccessToken::new("1"), DETOUR_SECONDS));
        Ok::<_, WireError>(response)
    };
    Box::pin(entered).await.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}
