//! Who asks (apps-framework.md section 0.6).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use tessera_types::AccessToken;

use super::Site;
use super::error::ApiError;
use crate::http::proof;
use crate::platform::standalone::{Refusal, TOKEN_COOKIE};
use crate::platform::{Credential, Eyes, Freshness, Identity, Platform as _};

/// A token, and how it came.
pub enum Carried {
    /// `Authorization`, with the scheme `Bearer` or `token` in any case.
    Header(AccessToken),
    /// The session cookie.
    Cookie(AccessToken),
}

impl Carried {
    /// The first that there is. A header of another scheme counts as absent; a query argument always does.
    pub fn by(headers: &HeaderMap) -> Option<Self> {
        let schemes = ["bearer", "token"].into_iter();
        let given = || headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| value.to_str().ok());
        schemes
            .flat_map(|scheme| given().filter_map(move |value| after_scheme(value, scheme)))
            .next()
            .map_or_else(
                || cookie(headers).map(Self::Cookie),
                |token| Some(Self::Header(AccessToken::new(token))),
            )
    }

    /// The token, however it came.
    pub fn token(&self) -> &AccessToken {
        match self {
            Self::Header(token) | Self::Cookie(token) => token,
        }
    }

    /// The credential, with the proof against cross-site requests that a cookie's needs.
    pub fn credential<'a>(&'a self, method: &Method, headers: &'a HeaderMap) -> Credential<'a> {
        match self {
            Self::Header(token) => Credential::Bearer(token),
            Self::Cookie(token) => Credential::Cookie { token, proof: proof::of(method, headers) },
        }
    }
}

fn after_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, token) = value.split_once(' ')?;
    let token = token.trim();
    (given.eq_ignore_ascii_case(scheme) && !token.is_empty()).then_some(token)
}

fn cookie(headers: &HeaderMap) -> Option<AccessToken> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(cookie::Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == TOKEN_COOKIE && !cookie.value().is_empty())
        .map(|cookie| AccessToken::new(cookie.value()))
}

/// Someone signed in; else the answer is 401.
pub(super) struct Caller(pub(super) Identity);

impl Caller {
    /// With whose permissions to read.
    pub(super) fn eyes(&self) -> Eyes<'_> {
        Eyes::Of(&self.0.user_id)
    }

    /// The id of the caller.
    pub(super) fn id(&self) -> &str {
        &self.0.user_id
    }

    /// The user that the path names; `me` is the caller.
    pub(super) fn named<'a>(&'a self, user: &'a str) -> &'a str {
        if user == "me" { self.id() } else { user }
    }
}

impl FromRequestParts<Site> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, ApiError> {
        let carried = Carried::by(&parts.headers).ok_or_else(Refusal::signed_out)?;
        let credential = carried.credential(&parts.method, &parts.headers);
        let identity = site.resolve(credential, Freshness::Now).await?;
        Ok(Self(identity.ok_or_else(Refusal::signed_out)?))
    }
}
