//! Cookies: read by name, written with all that protects them (OS-05, decisions.md section 3, 3).

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};
use tessera_types::AccessToken;

use super::Settings;
use crate::web::sign_in::own_cookie_name;

/// The value of a cookie.
pub(super) fn get(headers: &HeaderMap, name: &str) -> Option<AccessToken> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| AccessToken::new(cookie.value()))
}

/// Our cookies' full name: `__Host-` wherever the site is reached by https.
pub(super) fn own_name(settings: &Settings, name: &str) -> String {
    own_cookie_name(&settings.site_url, name)
}

/// `Set-Cookie` for one of our own cookies, gone after `max_age` seconds; at once with 0.
pub(super) fn set(settings: &Settings, name: &str, value: &AccessToken, max_age: u64) -> Option<HeaderValue> {
    let cookie = Cookie::build((own_name(settings, name), value.expose().to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(settings.site_url.scheme() == "https")
        .max_age(Duration::seconds(i64::try_from(max_age).unwrap_or(0)));
    HeaderValue::from_str(&cookie.build().to_string()).ok()
}

/// The session cookie of a Mattermost, or of a site as one.
pub const OF_MATTERMOST: &str = "MMAUTHTOKEN";

/// `Set-Cookie` for what a browser was signed in with: gone.
pub(super) fn ended_session(settings: &Settings) -> Vec<Option<HeaderValue>> {
    let (names, path) = match settings.session_cookie.as_str() {
        OF_MATTERMOST => {
            let path = settings.site_url.path().trim_end_matches('/');
            (vec![OF_MATTERMOST, "MMUSERID", "MMCSRF"], if path.is_empty() { "/" } else { path })
        }
        own => (vec![own], "/"),
    };
    let gone = |name| {
        let cookie = Cookie::build((name, ""))
            .path(path)
            .secure(settings.site_url.scheme() == "https")
            .max_age(Duration::ZERO);
        HeaderValue::from_str(&cookie.build().to_string()).ok()
    };
    names.into_iter().map(gone).collect()
}
