//! R04 and R05 with all that stands around them: sign-in, the confirm page, cookies (decisions.md section 3).

use axum::Form;
use axum::extract::{OriginalUri, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tessera_types::{AccessToken, AppId, routes};

use super::caller::Caller;
use super::errors::WireError;
use super::extract::Segment;
use super::pages::{self, wants_page};
use super::{House, cookies, proof, window};
use crate::connect::{Begun, Choice, Completed, Error, PARKED_FOR, PageForm, Visitor, flow_cookie_name};
use crate::web::sign_in::DETOUR;
use crate::web::{Asked, Chosen, Confirm, Connected, Connection, Declined, Which};

/// The ticket of a callback that waits for its owner to sign in.
const PARKED: &str = "tessera-parked";

/// R04.
pub(super) async fn connect(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let begun = try_connect(&house, &caller, &app, &uri, &headers).await;
    begun.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

async fn try_connect(
    house: &House,
    caller: &Caller,
    app: &AppId,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, WireError> {
    refuse_embedded(headers)?;
    let over = window::handed_over(uri.path());
    if let Some(page) = window::leave(house, headers, &over) {
        return Ok(page);
    }
    let handed_over = window::is_handed_over(uri.query());
    let Some(visitor) = visitor(caller) else {
        return sign_in_or_refuse(house, headers, if handed_over { &over } else { uri.path() });
    };
    if visitor.by_cookie && (handed_over || must_confirm(house, &visitor, app, headers).await?) {
        return ask_first(house, app, &visitor).await;
    }
    let begun = house.connect.begin(app, &visitor).await?;
    Ok(leave(house, begun, StatusCode::TEMPORARY_REDIRECT))
}

/// The confirm page: who connects what, and where it leads.
async fn ask_first(house: &House, app: &AppId, visitor: &Visitor<'_>) -> Result<Response, WireError> {
    let app_name = house.connect.connectable(app, visitor).await?;
    let providers = house.connect.leads_to(app, visitor).await?;
    let token = house.connect.form_token(PageForm::Connect(app), visitor);
    let leaving = house.connect.form_token(PageForm::SignOut, visitor);
    let site = house.settings.site_url.as_str();
    let sign_out = routes::below_site(site, &format!("{}/sign-out", routes::TESSERA_V1));
    let asked = Asked {
        app_name: &app_name,
        app_id: app.as_str(),
        username: &visitor.identity.username,
        providers: &providers,
        token: &token,
        sign_out: &sign_out,
        leaving: &leaving,
    };
    let mut response = pages::respond(Confirm::page(asked, site));
    // With `no-referrer`, which other pages have, browsers send `Origin: null` with the form.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// What the confirm page's form sends.
#[derive(Deserialize)]
pub(super) struct Confirmed {
    token: String,
}

/// The answer to the confirm page.
pub(super) async fn confirm(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    form: Result<Form<Confirmed>, axum::extract::rejection::FormRejection>,
) -> Response {
    let confirmed = async {
        refuse_embedded(&headers)?;
        refuse_foreign_form(&house, &headers)?;
        let Some(visitor) = visitor(&caller) else {
            return sign_in_or_refuse(&house, &headers, uri.path());
        };
        let Form(form) = form.map_err(|_| PageForm::Connect(&app).stale())?;
        house.connect.check_form_token(PageForm::Connect(&app), &visitor, &form.token)?;
        let begun = house.connect.begin(&app, &visitor).await?;
        let mut response = leave(&house, begun, StatusCode::SEE_OTHER);
        append(&mut response, cookies::set(&house.settings, DETOUR, &AccessToken::default(), 0));
        Ok(response)
    };
    confirmed.await.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

/// R05.
pub(super) async fn complete(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let completed = try_complete(&house, &caller, &app, uri.path(), query, &headers).await;
    completed.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

async fn try_complete(
    house: &House,
    caller: &Caller,
    app: &AppId,
    path: &str,
    query: String,
    headers: &HeaderMap,
) -> Result<Response, WireError> {
    let Some(visitor) = visitor(caller) else {
        return park(house, headers, app, path, &query).await;
    };
    let (query, returned) = unpark(house, headers, app, query).await?;
    let query = house.connect.read_callback(app, &visitor, &query).await?;
    let name = query.state().map(|state| flow_cookie_name(&house.connect.digest(state)));
    let cookie =
        name.as_ref().and_then(|name| cookies::get(headers, &cookies::own_name(&house.settings, name)));
    let cookie = cookie.as_ref().map(AccessToken::expose);
    let completed = house.connect.complete(app, &visitor, query, cookie).await;
    // Once the App was called the state is spent, whatever the App said: its cookie is worth nothing (OS-05).
    let is_spent = completed.as_ref().err().is_none_or(Error::is_after_the_state);
    let mut response = match completed {
        // Programs get the App's word as the wire has it; people get the page that says what became of their account,
        // with the same status.
        Ok(Completed { said: Some(text), declined: Some(_), .. }) if !wants_page(headers) => {
            WireError::from(Error::AppSaidNo(text)).into_response()
        }
        Ok(done) => {
            let refused = done.declined.is_some() && done.said.is_some();
            let mut response = closing(house, app, &visitor, &done);
            if refused {
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
            response
        }
        Err(error) => pages::fail(house, headers, caller, error.into()),
    };
    let flow = name.filter(|_| is_spent && cookie.is_some());
    for name in flow.into_iter().chain(returned.then(|| PARKED.to_owned())) {
        append(&mut response, cookies::set(&house.settings, &name, &AccessToken::default(), 0));
    }
    Ok(response)
}

/// What people see at the end of a flow.
fn closing(house: &House, app: &AppId, visitor: &Visitor<'_>, done: &Completed) -> Response {
    let site_url = house.settings.site_url.as_str();
    if let Some(choice) = &done.choice {
        let token = house.connect.form_token(PageForm::Choice(app), visitor);
        let action =
            routes::below_site(site_url, &format!("{}/connections/{app}/choice", routes::TESSERA_V1));
        let Choice { ticket, before, after } = choice;
        let asked = Which { app_name: &done.app_name, before, after, ticket, token: &token, action: &action };
        let mut response = pages::respond(Chosen::page(asked, site_url));
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        return response;
    }
    if let Some(code) = done.declined {
        let said = done.said.as_deref().unwrap_or_default();
        return pages::respond(Declined::page(&done.app_name, code, said, site_url));
    }
    let accounts = routes::below_site(site_url, &format!("{}/accounts", routes::TESSERA_V1));
    let account = done.account.as_deref().unwrap_or_default();
    let note = done.said.as_deref().unwrap_or_default();
    let heading = done.probed.as_deref().unwrap_or_default();
    pages::respond(Connected::page(
        &done.app_name,
        Connection { heading, account, kept: done.kept, note },
        &accounts,
        site_url,
    ))
}

/// What the page that asks which account it shall be sends.
#[derive(Deserialize)]
pub(super) struct Answered {
    token: String,
    ticket: String,
    answer: String,
}

/// The answer to the page that asks which account it shall be.
pub(super) async fn choose(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    headers: HeaderMap,
    form: Result<Form<Answered>, axum::extract::rejection::FormRejection>,
) -> Response {
    let chosen = async {
        refuse_embedded(&headers)?;
        refuse_foreign_form(&house, &headers)?;
        let Some(visitor) = visitor(&caller) else {
            return Err(WireError::unauthorized("user ID is required"));
        };
        let Form(form) = form.map_err(|_| PageForm::Choice(&app).stale())?;
        house.connect.check_form_token(PageForm::Choice(&app), &visitor, &form.token)?;
        let take = form.answer == "take";
        let done = house.connect.choose(&app, &visitor, &form.ticket, take).await?;
        let done = done.ok_or_else(|| PageForm::Choice(&app).stale())?;
        Ok(closing(&house, &app, &visitor, &done))
    };
    chosen.await.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}

/// Without a session: the query waits, sealed, under a one-time cookie while its owner signs in.
async fn park(
    house: &House,
    headers: &HeaderMap,
    app: &AppId,
    path: &str,
    query: &str,
) -> Result<Response, WireError> {
    if !wants_page(headers) || headers.contains_key(header::AUTHORIZATION) {
        return Err(WireError::unauthorized("user ID is required"));
    }
    let mut response = Redirect::to(&house.platform.sign_in_url(path)).into_response();
    // Whoever comes to the bare address without having signed in has a callback waiting already.
    let waits =
        query.is_empty() && cookies::get(headers, &cookies::own_name(&house.settings, PARKED)).is_some();
    if !waits {
        let ticket = house.connect.park(app, query).await?;
        append(&mut response, cookies::set(&house.settings, PARKED, &ticket, PARKED_FOR));
    }
    Ok(response)
}

/// Back from the detour: the address is bare, the cookie has the ticket.
async fn unpark(
    house: &House,
    headers: &HeaderMap,
    app: &AppId,
    query: String,
) -> Result<(String, bool), WireError> {
    let ticket = cookies::get(headers, &cookies::own_name(&house.settings, PARKED));
    match ticket.filter(|_| query.is_empty()) {
        None => Ok((query, false)),
        Some(ticket) => {
            let parked = house.connect.unpark(app, ticket.expose()).await?;
            Ok((parked.unwrap_or_default(), true))
        }
    }
}

pub(super) fn visitor(caller: &Caller) -> Option<Visitor<'_>> {
    let identity = caller.identity.as_ref()?;
    let Caller { by_cookie, request, deadline, .. } = caller;
    Some(Visitor { identity, by_cookie: *by_cookie, request, deadline: *deadline })
}

pub(super) fn sign_in_or_refuse(
    house: &House,
    headers: &HeaderMap,
    path: &str,
) -> Result<Response, WireError> {
    match wants_page(headers) && !headers.contains_key(header::AUTHORIZATION) {
        true => Ok(Redirect::to(&house.platform.sign_in_url(path)).into_response()),
        false => Err(WireError::unauthorized("user ID is required")),
    }
}

/// Images, frames and scripts of other pages start nothing, and neither does a browser that fetches ahead what a person
/// may click on later (OS-17).
pub(super) fn refuse_embedded(headers: &HeaderMap) -> Result<(), WireError> {
    let ahead = |name: &str| {
        let purpose = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let purpose = purpose.to_ascii_lowercase();
        purpose.contains("prefetch") || purpose.contains("prerender")
    };
    if ["sec-purpose", "purpose", "x-moz", "x-purpose"].into_iter().any(ahead) {
        let text = "an account is connected when somebody clicks, not ahead of it: forbidden";
        return Err(WireError::new(StatusCode::FORBIDDEN, text));
    }
    match headers.get("sec-fetch-dest").map(HeaderValue::as_bytes) {
        None | Some(b"document") => Ok(()),
        Some(_) => Err(WireError::new(
            StatusCode::FORBIDDEN,
            "an account can be connected from a page of its own only: forbidden",
        )),
    }
}

/// The form's token is proof enough; a browser that says the form is not this site's is believed all the same
/// (OS-57). In development `guard` has looked at the origin, as a site there has more than one name.
pub(super) fn refuse_foreign_form(house: &House, headers: &HeaderMap) -> Result<(), WireError> {
    let own = house.settings.site_url.origin().ascii_serialization();
    let origin = headers.get(header::ORIGIN).filter(|_| !house.settings.development);
    let foreign = proof::is_of_another_site(headers)
        || origin.is_some_and(|origin| origin.as_bytes() != own.as_bytes());
    match foreign {
        false => Ok(()),
        true => Err(WireError::new(StatusCode::FORBIDDEN, "this form was sent from another site: forbidden")),
    }
}

/// Who has no connection yet is asked first, unless the click was certainly made on this site.
async fn must_confirm(
    house: &House,
    visitor: &Visitor<'_>,
    app: &AppId,
    headers: &HeaderMap,
) -> Result<bool, WireError> {
    let same_origin = headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"same-origin");
    let detour = cookies::get(headers, &cookies::own_name(&house.settings, DETOUR)).is_some();
    if same_origin && !detour {
        return Ok(false);
    }
    Ok(!house.connect.is_connected(app, visitor).await?)
}

/// To the provider, with the flow's cookie. The GET keeps the original's 307; after a form it is 303 (OS-07).
pub(super) fn leave(house: &House, begun: Begun, status: StatusCode) -> Response {
    let Ok(location) = HeaderValue::from_str(&ascii(&begun.url)) else {
        return WireError::internal(&std::io::Error::other("a checked URL is no header value"))
            .into_response();
    };
    let anchor = format!("<a href=\"{}\">Temporary Redirect</a>.\n\n", escape(&begun.url));
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], anchor).into_response();
    response.headers_mut().insert(header::LOCATION, location);
    if let Some(cookie) = begun.cookie {
        let set = cookies::set(&house.settings, &cookie.name, &cookie.value, cookie.max_age);
        append(&mut response, set);
    }
    response
}

pub(super) fn append(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Non-ASCII bytes become `%xx`, lower case, as the original's redirect does (section 2.5).
fn ascii(url: &str) -> String {
    use std::fmt::Write as _;
    url.bytes().fold(String::with_capacity(url.len()), |mut text, byte| {
        match byte.is_ascii() {
            true => text.push(char::from(byte)),
            false => {
                let _ = write!(text, "%{byte:02x}");
            }
        }
        text
    })
}

fn escape(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    for character in url.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&#34;"),
            '\'' => text.push_str("&#39;"),
            other => text.push(other),
        }
    }
    text
}
