//! A person's own connections: as JSON, and as a page with a button to end each (OS-36).

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tessera_types::{AppId, routes};

use super::House;
use super::admin::json_response;
use super::caller::Caller;
use super::connect::{refuse_embedded, refuse_foreign_form, sign_in_or_refuse, visitor};
use super::errors::WireError;
use super::extract::{Asked, Segment};
use super::pages;
use crate::connect::{About, PageForm, Visitor};
use crate::grants::{Act, Connection, USED_BY_API};
use crate::platform::{Audience, Event, Identity, REFRESH_BINDINGS};
use crate::web::accounts::{Account, Accounts, Ended, Managed, Shown};
use crate::web::gone::Gone;
use crate::web::health::{Health, Renewal};
use crate::web::moments::Moment;

/// For how long a connection that ended is the one that the person has just ended, ms.
const JUST_NOW: i64 = 10 * 60_000;

/// A person's connections, without their contents.
pub(super) async fn list(State(house): State<House>, caller: Caller) -> Result<Response, WireError> {
    let who = person(&caller)?;
    json_response(&house.grants.of_user(&who.user_id).await?)
}

/// What became of the person's connections that ended lately (OS-36).
pub(super) async fn ended_lately(State(house): State<House>, caller: Caller) -> Result<Response, WireError> {
    person(&caller)?;
    let Some(visitor) = visitor(&caller) else { return Err(WireError::unauthorized("user ID is required")) };
    let ended = house.connect.ended_lately(&visitor).await?;
    json_response(&ended.into_iter().map(|(revocation, _)| revocation).collect::<Vec<_>>())
}

/// Ends a connection of the person who asks.
pub(super) async fn end(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
) -> Result<Response, WireError> {
    match end_for(&house, &caller, &app).await? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        // The same for an App that is not there: whether it is, is none of the answer's business.
        false => {
            let text = format!("you have no connection with app {app}: not found");
            Err(WireError::new(StatusCode::NOT_FOUND, text))
        }
    }
}

/// What was done just before the page is shown.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Before {
    ended: String,
}

/// The page.
pub(super) async fn show(
    State(house): State<House>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(before): Asked<Before>,
    headers: HeaderMap,
) -> Response {
    let shown = try_show(&house, &caller, uri.path(), &before, &headers).await;
    shown.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

async fn try_show(
    house: &House,
    caller: &Caller,
    path: &str,
    before: &Before,
    headers: &HeaderMap,
) -> Result<Response, WireError> {
    let Some(visitor) = visitor(caller) else { return sign_in_or_refuse(house, headers, path) };
    person(caller)?;
    let found = house.connect.accounts(&visitor).await?;
    let (now, site) = (house.connect.now_ms(), house.settings.site_url.as_str());
    let accounts: Vec<Account<'_>> =
        found.iter().map(|(connection, about)| seen(connection, about, now, site)).collect();
    let lately = house.connect.ended_lately(&visitor).await?;
    let gone: Vec<Gone<'_>> =
        lately.iter().map(|(revocation, app_name)| Gone::of(revocation, app_name, now)).collect();
    let ended = ended(house, &visitor, &before.ended, &found).await?;
    let ended = ended.as_ref().map(|about| {
        let newest = lately.iter().position(|(ended, _)| ended.app == before.ended);
        let just_now = newest.filter(|at| now - lately[*at].0.asked_at <= JUST_NOW);
        Ended {
            app_name: &about.name,
            providers: &about.providers,
            pages: &about.pages,
            gone: just_now.and_then(|at| gone.get(at)),
        }
    });
    let token = house.connect.form_token(PageForm::Accounts, &visitor);
    let shown = Shown { accounts: &accounts, ended, gone: &gone };
    let mut response = pages::respond(Accounts::page(&visitor.identity.username, shown, &token, site));
    // With `no-referrer`, which other pages have, browsers send `Origin: null` with the form.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// The App of which the address says that it was disconnected. Anybody can write such an address, so it must be an
/// App, and one that is not connected.
async fn ended(
    house: &House,
    visitor: &Visitor<'_>,
    app: &str,
    connected: &[(Connection, About)],
) -> Result<Option<About>, WireError> {
    if app.is_empty() || connected.iter().any(|(connection, _)| connection.app == app) {
        return Ok(None);
    }
    let about = house.connect.about(&AppId::unchecked(app), visitor).await?;
    Ok(about.installed.then_some(about))
}

fn seen<'a>(connection: &'a Connection, about: &'a About, now: i64, site_url: &str) -> Account<'a> {
    let call = connection.last_used_by.as_deref().filter(|by| *by != USED_BY_API);
    let managed = connection.managed.as_ref().map(|managed| Managed {
        account: managed.account(),
        provider: &managed.provider_name,
        verified: managed.verified,
        health: Health::of(managed),
        renewal: Renewal::of(managed, now),
        scopes: &managed.scopes,
        missing: &managed.missing_scopes,
        connect_url: routes::connect_url(site_url, &AppId::unchecked(connection.app.as_str())),
        permissions_url: managed.permissions_url.as_deref(),
    });
    Account {
        app_id: &connection.app,
        app_name: &about.name,
        since: Moment::new(connection.connected_at, now),
        used: connection.last_used_at.map(|at| (Moment::new(at, now), call)),
        providers: &about.providers,
        pages: &about.pages,
        managed,
    }
}

/// What a button of the page sends.
#[derive(Deserialize)]
pub(super) struct Pressed {
    token: String,
    app: AppId,
}

/// A button was pressed. Ending what has ended meanwhile is no error: the page shows how things are.
pub(super) async fn press(
    State(house): State<House>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    form: Result<Form<Pressed>, FormRejection>,
) -> Response {
    let pressed = async {
        refuse_embedded(&headers)?;
        refuse_foreign_form(&house, &headers)?;
        let Some(visitor) = visitor(&caller) else {
            return sign_in_or_refuse(&house, &headers, uri.path());
        };
        person(&caller)?;
        let Form(form) = form.map_err(|_| PageForm::Accounts.stale())?;
        house.connect.check_form_token(PageForm::Accounts, &visitor, &form.token)?;
        let query = match end_for(&house, &caller, &form.app).await? {
            true => format!("?ended={}", utf8_percent_encode(form.app.as_str(), NON_ALPHANUMERIC)),
            false => String::new(),
        };
        Ok(Redirect::to(&format!("{}{query}", uri.path())).into_response())
    };
    pressed.await.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

async fn end_for(house: &House, caller: &Caller, app: &AppId) -> Result<bool, WireError> {
    let who = person(caller)?;
    let act = Act { actor: &who.user_id, app, request: &caller.request, reason: "person" };
    let ended = house.grants.end(&act).await?;
    tell(house, ended, &who.user_id);
    Ok(ended)
}

/// Ends somebody else's connection, whatever the App may do now: an administrator does, and the log says so.
pub(super) async fn end_for_another(
    State(house): State<House>,
    caller: Caller,
    Segment((app, user)): Segment<(AppId, String)>,
) -> Result<Response, WireError> {
    let who = person(&caller)?;
    caller.administrator(&house).await?;
    let act = Act { actor: &who.user_id, app: &app, request: &caller.request, reason: "administrator" };
    let ended = house.grants.end_of(&act, &user).await?;
    tell(&house, ended, &user);
    match ended {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => {
            let text = format!("user {user} has no connection with app {app}: not found");
            Err(WireError::new(StatusCode::NOT_FOUND, text))
        }
    }
}

/// The clients of whose connection ended read their bindings again.
fn tell(house: &House, ended: bool, user: &str) {
    if ended {
        let audience = Audience::User(user.to_owned());
        house.platform.publish(Event { name: REFRESH_BINDINGS, audience });
    }
}

/// A person by a session of their own.
fn person(caller: &Caller) -> Result<&Identity, WireError> {
    let who = caller.user()?;
    match who.app.is_some() || who.is_bot {
        true => Err(WireError::unauthorized("connections are shown to people, not to Apps")),
        false => Ok(who),
    }
}
