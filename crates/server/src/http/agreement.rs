//! On a site that is not ours: where people sign in, and where they agree that an App acts for them (C.4).

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use tessera_types::{AccessToken, AppId, routes};

use super::caller::Caller;
use super::connect::{append, leave, refuse_embedded, sign_in_or_refuse, visitor};
use super::errors::WireError;
use super::extract::{Segment, first};
use super::from_mattermost::refusal;
use super::{House, Rooms, cookies, only, pages, window};
use crate::bridge::{Bridge, Replayed};
use crate::connect::flow_cookie_name;
use crate::platform::{AGREE, AGREED, SIGN_IN, safe_return};
use crate::web::sign_in::{DETOUR, DETOUR_SECONDS};
use crate::web::{Connected, Connection, Declined, Elsewhere};

/// A longer text is no ticket of ours.
const LONGEST_TICKET: usize = 64;
/// Seconds between two looks of the page whether somebody has signed in.
const LOOK_AGAIN: &str = "4";

/// Where people agree that an App acts for them.
pub fn router(rooms: &Arc<Rooms>, bridge: Arc<Bridge>) -> Router {
    let app = |path: &str| format!("{}/apps/{{app}}{path}", routes::PLUGIN_PATH);
    let agreed = move |state, caller, app, query, headers| {
        agreed(state, caller, app, query, headers, Arc::clone(&bridge))
    };
    Router::new()
        .route(&app(AGREE), only(get(agree)))
        .route(&app(AGREED), only(get(agreed)))
        .with_state(Arc::clone(rooms))
}

/// Where people sign in who share a host name with their site; `login` is the site's own page for that.
pub fn sign_in_router(rooms: &Arc<Rooms>, login: String) -> Router {
    let sign_in = move |state, caller, query, headers| sign_in(state, caller, query, headers, login.clone());
    Router::new().route(SIGN_IN, only(get(sign_in))).with_state(Arc::clone(rooms))
}

/// Who came to sign in is led on as soon as they have; Mattermost's own page does not reliably lead back to us.
async fn sign_in(
    State(house): State<House>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    login: String,
) -> Response {
    let asked = first(query.as_deref().unwrap_or_default(), "return_to");
    let Some(return_to) = safe_return(&asked).filter(|path| is_ours(&house, path)) else {
        let text = "return_to is no address of this service: invalid input";
        return pages::fail(&house, &headers, &caller, WireError::new(StatusCode::BAD_REQUEST, text));
    };
    if caller.identity.is_some() {
        return Redirect::to(return_to).into_response();
    }
    // An app's window could hardly sign anybody in, where that is another system's business: a browser can.
    if let Some(page) = window::handed_on(return_to).and_then(|path| window::leave(&house, &headers, &path)) {
        return page;
    }
    let mut response = pages::respond(Elsewhere::page(&login, house.settings.site_url.as_str()));
    response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(LOOK_AGAIN));
    // Whoever signed in now may have been led here: they are asked before an account is connected (OS-17).
    append(&mut response, cookies::set(&house.settings, DETOUR, &AccessToken::new("1"), DETOUR_SECONDS));
    response
}

async fn agree(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let agreeing = async {
        refuse_embedded(&headers)?;
        let Some(visitor) = visitor(&caller) else {
            let back = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
            return sign_in_or_refuse(&house, &headers, back);
        };
        let asked = first(uri.query().unwrap_or_default(), "return_to");
        let return_to = safe_return(&asked).filter(|path| is_ours(&house, path)).unwrap_or_default();
        let again = first(uri.query().unwrap_or_default(), "again");
        let again = if again.len() > LONGEST_TICKET { "" } else { again.as_str() };
        let begun = house.connect.begin_agreement(&app, &visitor, return_to, again).await?;
        Ok(leave(&house, begun, StatusCode::SEE_OTHER))
    };
    agreeing.await.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

async fn agreed(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    bridge: Arc<Bridge>,
) -> Response {
    let ended = async {
        let visitor = visitor(&caller).ok_or_else(|| WireError::unauthorized("user ID is required"))?;
        let query = house.connect.read_callback(&app, &visitor, query.as_deref().unwrap_or_default()).await?;
        let name = query.state().map(|state| flow_cookie_name(&house.connect.digest(state)));
        let cookie =
            name.as_ref().and_then(|name| cookies::get(&headers, &cookies::own_name(&house.settings, name)));
        let cookie = cookie.as_ref().map(AccessToken::expose);
        let agreed = house.connect.end_agreement(&app, &visitor, query, cookie).await?;
        let (who, again) = (visitor.identity, agreed.again.as_str());
        let replayed = match agreed.declined {
            Some(_) => bridge.forget(&app, &who.user_id, again).await.map(|()| Replayed::Nothing),
            None => bridge.replay(&app, who, again, visitor.request, visitor.deadline).await,
        };
        let replayed = replayed.map_err(refusal)?;
        let site = house.settings.site_url.as_str();
        let mut response = match (agreed.declined, agreed.return_to.as_str()) {
            (Some(code), _) => pages::respond(Declined::page(&agreed.app_name, code, "", site)),
            (None, "") => {
                let heading = format!("{} may act for you now.", agreed.app_name);
                let accounts = routes::below_site(site, &format!("{}/accounts", routes::TESSERA_V1));
                let said =
                    Connection { heading: &heading, note: &came_of(&replayed), ..Connection::default() };
                pages::respond(Connected::page(&agreed.app_name, said, &accounts, site))
            }
            (None, return_to) => Redirect::to(return_to).into_response(),
        };
        if let Some(name) = name.filter(|_| cookie.is_some()) {
            append(&mut response, cookies::set(&house.settings, &name, &AccessToken::default(), 0));
        }
        Ok::<_, WireError>(response)
    };
    ended.await.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

/// What became of what somebody had asked for, in words; nothing where nothing was asked.
fn came_of(replayed: &Replayed) -> String {
    match replayed {
        Replayed::Nothing => "",
        Replayed::Told => "What you asked for is done: the answer is where you asked.",
        Replayed::UnderWay => "What you asked for is being done: the answer will be where you asked.",
        Replayed::Failed => "What you asked for went wrong here. Please ask again.",
        Replayed::Said(said) if said.is_empty() => "What you asked for is done.",
        Replayed::Said(said) => return format!("What you asked for is done. The App says: {said}"),
    }
    .to_owned()
}

/// Whether a path is below ours: elsewhere on the site nobody is sent by us.
pub(super) fn is_ours(house: &House, path: &str) -> bool {
    let below = house.settings.site_url.path().trim_end_matches('/');
    path.strip_prefix(below)
        .and_then(|path| path.strip_prefix(routes::PLUGIN_PATH))
        .is_some_and(|rest| rest.starts_with('/'))
}
