//! The page on which people sign in to the standalone site. It works without script.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tessera_types::Password;

use crate::platform::standalone::{Error, RefusalKind, Standalone, safe_return};

/// A cookie that says, for two minutes, that the browser comes straight from signing in: whoever connects an account
/// then may have been led here, and is asked first (OS-17). Ours, so behind [`own_cookie_name`].
pub const DETOUR: &str = "tessera-signed-in";
/// For how long.
pub const DETOUR_SECONDS: u64 = 120;

/// The full name of a cookie of ours: `__Host-` wherever the site is reached by https (decisions.md section 3, 3).
pub fn own_cookie_name(site_url: &url::Url, name: &str) -> String {
    match site_url.scheme() {
        "https" => format!("__Host-{name}"),
        _ => name.to_owned(),
    }
}

/// Large enough for every name, password and address.
const LARGEST: usize = 16 * 1024;

/// `GET` and `POST /login`, to be put under the site's sub-path.
pub fn router(site: Arc<Standalone>) -> Router {
    Router::new()
        .route("/login", get(show).post(submit))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(site)
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    style: &'static str,
    action: &'a str,
    return_to: &'a str,
    login_id: &'a str,
    error: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    return_to: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filled {
    login_id: String,
    password: Password,
    return_to: String,
}

async fn show(State(site): State<Arc<Standalone>>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    page(&site, StatusCode::OK, &home_or(&site, &asked.return_to), "", "")
}

async fn submit(
    State(site): State<Arc<Standalone>>,
    headers: HeaderMap,
    form: Result<Form<Filled>, FormRejection>,
) -> Response {
    let Ok(Form(filled)) = form else {
        return page(&site, StatusCode::BAD_REQUEST, &home_or(&site, ""), "", "The form could not be read.");
    };
    let return_to = home_or(&site, &filled.return_to);
    let refuse = |status, text: &str| page(&site, status, &return_to, &filled.login_id, text);
    if !from_own_page(&site, &headers) {
        return refuse(StatusCode::FORBIDDEN, "This form was sent from another site. Please sign in here.");
    }
    let signed_in = match site.sign_in(&filled.login_id, &filled.password).await {
        Ok(signed_in) => signed_in,
        Err(Error::Refused(no)) => {
            let RefusalKind::TooMany(wait) = no.kind else {
                return refuse(StatusCode::UNAUTHORIZED, &no.message);
            };
            let mut later = refuse(StatusCode::TOO_MANY_REQUESTS, &no.message);
            later.headers_mut().insert(header::RETRY_AFTER, wait.seconds().into());
            return later;
        }
        Err(Error::Failed(error)) => {
            tracing::error!(%error, "a sign-in failed");
            let text = "The server could not sign you in; its log has the reason.";
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, text);
        }
    };
    let [token, user, csrf] = site.cookies(&signed_in);
    let cookies = [token, user, csrf, detour(&site)].map(|cookie| (header::SET_COOKIE, cookie));
    let place = [(header::LOCATION, return_to), (header::CACHE_CONTROL, "no-store".to_owned())];
    (StatusCode::SEE_OTHER, AppendHeaders(cookies), place).into_response()
}

fn detour(site: &Standalone) -> String {
    let secure = if site.site_url().scheme() == "https" { "; Secure" } else { "" };
    let name = own_cookie_name(site.site_url(), DETOUR);
    format!("{name}=1; Path=/; Max-Age={DETOUR_SECONDS}; HttpOnly; SameSite=Lax{secure}")
}

/// The address to go back to, if it is one of this site, else the site's root (OS-18).
fn home_or(site: &Standalone, return_to: &str) -> String {
    let below = |address: &&str| {
        address.strip_prefix(site.sub_path()).is_some_and(|rest| rest.starts_with(['/', '?']))
    };
    safe_return(return_to).filter(below).map_or_else(|| format!("{}/", site.sub_path()), str::to_owned)
}

/// Browsers say where a form comes from; what says nothing is no browser, and has no cookies to plant.
fn from_own_page(site: &Standalone, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let origin = text("origin").is_none_or(|origin| site.is_own_origin(origin, text("host")));
    origin && text("sec-fetch-site").is_none_or(|from| matches!(from, "same-origin" | "none"))
}

fn page(site: &Standalone, status: StatusCode, return_to: &str, login_id: &str, error: &str) -> Response {
    let action = format!("{}/login", site.sub_path());
    let form = SignIn { style: super::STYLE, action: &action, return_to, login_id, error };
    let page = super::page(&form, "");
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: with that, browsers send `Origin: null` along with the form.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, fixed, [(header::CONTENT_SECURITY_POLICY, page.policy)], page.html).into_response()
}

#[cfg(test)]
mod tests;
