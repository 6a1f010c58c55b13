//! Signing in and out; users and their roles.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tessera_types::{Password, User};

use super::Site;
use super::body::{Body, Json};
use super::caller::{Caller, Carried};
use super::error::ApiError;
use super::segment::Segment;
use crate::platform::standalone::{Refusal, Role, role};
use crate::platform::{Freshness, Platform as _, Right};

/// `{"status":"OK"}`, Mattermost's plain yes.
#[derive(Serialize)]
pub(super) struct Done {
    status: &'static str,
}

/// The plain yes.
pub(super) const DONE: Json<Done> = Json(Done { status: "OK" });

const TOKEN: HeaderName = HeaderName::from_static("token");

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Login {
    login_id: String,
    password: Password,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Active {
    active: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Roles {
    roles: String,
}

/// `POST users/login`: the user, the token in the header `Token`, and the cookies.
pub(super) async fn login(
    State(site): State<Site>,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<Response, ApiError> {
    same_site(&site, &headers)?;
    let signed_in = site.sign_in(&login.login_id, &login.password).await?;
    let cookies = site.cookies(&signed_in).map(|cookie| (header::SET_COOKIE, cookie));
    let mut response = (AppendHeaders(cookies), Json(&signed_in.user)).into_response();
    if let Ok(mut token) = HeaderValue::from_str(signed_in.token.expose()) {
        token.set_sensitive(true);
        response.headers_mut().insert(TOKEN, token);
    }
    Ok(response)
}

/// `POST users/logout`. Without a session there is nothing to end, which is fine too.
pub(super) async fn logout(State(site): State<Site>, headers: HeaderMap) -> Result<Response, ApiError> {
    let carried = Carried::by(&headers);
    if let Some(carried) = &carried
        && site.resolve(carried.credential(&Method::POST, &headers), Freshness::Now).await?.is_some()
    {
        site.sign_out(carried.token()).await?;
    }
    let cookies = site.no_cookies().map(|cookie| (header::SET_COOKIE, cookie));
    Ok((AppendHeaders(cookies), DONE).into_response())
}

/// A browser that another site drives may not sign in (decisions.md section 3.4).
pub(super) fn same_site(site: &Site, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match text(header::ORIGIN) {
        Some(origin) if !site.is_own_origin(origin, text(header::HOST)) => Err(Refusal::foreign_origin()),
        _ => Ok(()),
    }
}

pub(super) async fn get(
    State(site): State<Site>,
    caller: Caller,
    Segment(user): Segment<String>,
) -> Result<Json<User>, ApiError> {
    Ok(Json(site.read_user(caller.eyes(), caller.named(&user)).await?))
}

pub(super) async fn by_name(
    State(site): State<Site>,
    caller: Caller,
    Segment(name): Segment<String>,
) -> Result<Json<User>, ApiError> {
    Ok(Json(site.read_user_named(caller.eyes(), &name).await?))
}

pub(super) async fn by_ids(
    State(site): State<Site>,
    caller: Caller,
    Body(ids): Body<Vec<String>>,
) -> Result<Json<Vec<User>>, ApiError> {
    if ids.is_empty() || ids.len() > 1_000 {
        return Err(Refusal::bad_body("user_ids").into());
    }
    Ok(Json(site.read_users(caller.eyes(), &ids).await?))
}

pub(super) async fn roles(_caller: Caller, Body(names): Body<Vec<String>>) -> Json<Vec<Role>> {
    Json(names.iter().filter_map(|name| role(name)).collect())
}

pub(super) async fn preferences(
    State(site): State<Site>,
    caller: Caller,
    Segment(user): Segment<String>,
) -> Result<Json<[(); 0]>, ApiError> {
    site.may_read_preferences(caller.eyes(), caller.named(&user)).await?;
    Ok(Json([]))
}

pub(super) async fn set_active(
    State(site): State<Site>,
    caller: Caller,
    Segment(user): Segment<String>,
    Body(body): Body<Active>,
) -> Result<Json<Done>, ApiError> {
    administrate(&site, &caller).await?;
    let active = body.active.ok_or_else(|| Refusal::bad_body("active"))?;
    site.set_user_active(caller.named(&user), active).await?;
    Ok(DONE)
}

pub(super) async fn set_roles(
    State(site): State<Site>,
    caller: Caller,
    Segment(user): Segment<String>,
    Body(body): Body<Roles>,
) -> Result<Json<Done>, ApiError> {
    administrate(&site, &caller).await?;
    site.set_roles(caller.named(&user), &body.roles).await?;
    Ok(DONE)
}

async fn administrate(site: &Site, caller: &Caller) -> Result<(), ApiError> {
    match site.may(caller.id(), Right::ManageSystem, Freshness::Now).await? {
        true => Ok(()),
        false => Err(Refusal::forbidden().into()),
    }
}
