//! Who asks: from headers to an identity, and the wire's named checks (apps-framework.md sections 0.6 and 0.7).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use tessera_types::{AccessToken, AppId, routes};
use tokio::time::Instant;

use super::errors::WireError;
use super::guard::Begun;
use super::{House, REQUEST_DEADLINE, proof};
use crate::calls::Profile;
use crate::platform::{Credential, CsrfProof, Freshness, Identity, Right};

/// Who asks, in which request, with how much time.
pub(super) struct Caller {
    pub(super) identity: Option<Identity>,
    /// Whether a cookie said so.
    pub(super) by_cookie: bool,
    pub(super) request: Arc<str>,
    pub(super) deadline: Instant,
}

/// Connect and complete, of Apps and of the site.
const BEGIN_OR_END: [&str; 2] = ["/oauth2/remote/", "/oauth2/mattermost/"];

impl FromRequestParts<House> for Caller {
    type Rejection = WireError;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, WireError> {
        let begun = parts.extensions.get::<Begun>().cloned().unwrap_or_default();
        let (request, deadline) = (begun.id, begun.at + REQUEST_DEADLINE);
        // Connect and complete are GETs, yet something begins and ends there: they are asked about anew.
        let reads =
            parts.method == Method::GET && !BEGIN_OR_END.iter().any(|part| parts.uri.path().contains(part));
        let freshness = if reads { Freshness::Cached } else { Freshness::Now };
        let bearer = bearer(&parts.headers);
        let by_cookie = bearer.is_none();
        let identity =
            match bearer.or_else(|| super::cookies::get(&parts.headers, &house.settings.session_cookie)) {
                None => None,
                Some(token) if token.is_empty() => None,
                Some(token) if by_cookie => {
                    let proof = proof_of(parts);
                    let credential = Credential::Cookie { token: &token, proof };
                    house.platform.resolve(credential, freshness).await?
                }
                Some(token) => house.platform.resolve(Credential::Bearer(&token), freshness).await?,
            };
        Ok(Self { identity, by_cookie, request, deadline })
    }
}

/// `Authorization` with the scheme Bearer or token, in any case (OS-52); any other scheme counts as absent.
fn bearer(headers: &HeaderMap) -> Option<AccessToken> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    known.then(|| AccessToken::new(token.trim()))
}

fn proof_of(parts: &Parts) -> CsrfProof<'_> {
    match has_form(parts) {
        // The page's form carries a token of its own, which is checked there.
        true => CsrfProof::Safe,
        false => proof::of(&parts.method, &parts.headers),
    }
}

/// The confirm page, the accounts page, and the page that asks which account it shall be.
fn has_form(parts: &Parts) -> bool {
    let path = parts.uri.path();
    let ours =
        |path: &str, end: &str| path.strip_suffix(end).is_some_and(|path| path.ends_with(routes::TESSERA_V1));
    let choice = |path: &str| {
        let which = path.strip_suffix("/choice").and_then(|path| path.rsplit_once('/'));
        which
            .and_then(|(path, _app)| path.strip_suffix("/connections"))
            .is_some_and(|path| path.ends_with(routes::TESSERA_V1))
    };
    let of_ours = || ours(path, "/accounts") || ours(path, "/sign-out") || choice(path);
    parts.method == Method::POST && (path.ends_with(routes::CONNECT) || of_ours())
}

impl Caller {
    /// U: an acting user.
    pub(super) fn user(&self) -> Result<&Identity, WireError> {
        self.identity.as_ref().ok_or_else(|| WireError::unauthorized("user ID is required"))
    }

    /// APP: the session belongs to an App.
    pub(super) fn app(&self) -> Result<&AppId, WireError> {
        match &self.identity {
            None => Err(WireError::unauthorized("access to this operation is limited to Mattermost Apps")),
            Some(identity) => {
                identity.app.as_ref().ok_or_else(|| WireError::unauthorized("not an app session"))
            }
        }
    }

    /// NOBOT: a person, in the reference profile; the documented one takes the bot as itself.
    pub(super) fn person_or_documented_bot(&self, profile: Profile) -> Result<(), WireError> {
        let identity = self.user()?;
        match (identity.is_bot, profile) {
            (true, Profile::Reference) => {
                let Identity { username, display_name, .. } = identity;
                Err(WireError::unauthorized(&format!("@{username} ({display_name}): is a bot")))
            }
            _ => Ok(()),
        }
    }

    /// ADM: `manage_system`, now.
    pub(super) async fn administrator(&self, house: &House) -> Result<(), WireError> {
        let text = "access to this operation is limited to users with permission: manage_system";
        self.is_administrator(house).await?.then_some(()).ok_or_else(|| WireError::unauthorized(text))
    }

    /// ADM/P: `manage_system`. There are no plugins here.
    pub(super) async fn administrator_or_plugin(&self, house: &House) -> Result<(), WireError> {
        let text = "access to this operation is limited to system administrators, or plugins";
        self.is_administrator(house).await?.then_some(()).ok_or_else(|| WireError::unauthorized(text))
    }

    pub(super) async fn is_administrator(&self, house: &House) -> Result<bool, WireError> {
        match &self.identity {
            None => Ok(false),
            Some(who) => Ok(house.platform.may(&who.user_id, Right::ManageSystem, Freshness::Now).await?),
        }
    }
}
