//! Mattermost as an OAuth2 provider (C.4): where people agree, and what is remembered of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::json;
use url::Url;

use super::asked::{Asked, Json, is_http, is_id, ok, text};
use super::oauth_apps::OAuthApp;
use super::pkce;
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};

pub(super) const PROVIDER: &str = "ServiceSettings.EnableOAuthServiceProvider";
/// How long a code lives, ms.
const CODE: i64 = 10 * 60_000;

/// The provider's own memory.
#[derive(Debug, Default)]
pub(super) struct Provider {
    pub(super) apps: BTreeMap<String, OAuthApp>,
    /// Clients, and who agreed to each.
    pub(super) approved: BTreeSet<(String, String)>,
    pub(super) codes: HashMap<String, Code>,
    /// One for each client and person.
    pub(super) grants: BTreeMap<(String, String), Grant>,
}

/// What a client has of a person.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) token: String,
    /// Empty where the client is public.
    pub(super) refresh: String,
}

/// A code that was given out.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) client: String,
    pub(super) user: String,
    pub(super) redirect: String,
    pub(super) challenge: String,
    pub(super) scope: String,
    pub(super) until: i64,
}

/// What a client asks for.
struct Request {
    response_type: String,
    client: String,
    redirect: String,
    scope: String,
    state: String,
    challenge: String,
    method: String,
}

impl Request {
    fn read(get: impl Fn(&str) -> String) -> Self {
        Self {
            response_type: get("response_type"),
            client: get("client_id"),
            redirect: get("redirect_uri"),
            scope: get("scope"),
            state: get("state"),
            challenge: get("code_challenge"),
            method: get("code_challenge_method"),
        }
    }

    fn check(&self, knows_pkce: bool) -> Result<(), Refusal> {
        let wrong = |id| Err(Refusal::new(400, id));
        if !is_id(&self.client) {
            return wrong("model.authorize.is_valid.client_id.app_error");
        }
        if self.response_type.is_empty() {
            return wrong("model.authorize.is_valid.response_type.app_error");
        }
        if self.redirect.len() > 256 || !is_http(&self.redirect) {
            return wrong("model.authorize.is_valid.redirect_uri.app_error");
        }
        if self.state.len() > 1_024 {
            return wrong("model.authorize.is_valid.state.app_error");
        }
        if self.scope.len() > 128 {
            return wrong("model.authorize.is_valid.scope.app_error");
        }
        if knows_pkce { pkce::check_request(&self.challenge, &self.method) } else { Ok(()) }
    }
}

impl State {
    fn oauth_app(&self, id: &str) -> Result<OAuthApp, Refusal> {
        if !self.settings.is_on(PROVIDER) {
            return Err(Refusal::new(501, "api.oauth.allow_oauth.turn_off.app_error"));
        }
        let app = self.provider.apps.get(id).cloned();
        app.ok_or_else(|| Refusal::new(404, "app.oauth.get_app.find.app_error"))
    }

    /// Where somebody is sent who agrees.
    fn allow(&mut self, user: &str, request: &Request) -> Result<String, Refusal> {
        let app = self.oauth_app(&request.client)?;
        if !app.callbacks.contains(&request.redirect) {
            return Err(Refusal::new(400, "api.oauth.allow_oauth.redirect_callback.app_error"));
        }
        if request.response_type != "code" {
            let back =
                format!("{}?error=unsupported_response_type&state={}", request.redirect, request.state);
            return Ok(back);
        }
        let code = fresh() + &fresh();
        let scope = if request.scope.is_empty() { "user".to_owned() } else { request.scope.clone() };
        let kept = Code {
            client: app.id.clone(),
            user: user.to_owned(),
            redirect: request.redirect.clone(),
            // Older ones know nothing of it, and ask for nothing later.
            challenge: if self.version.has_public_clients() {
                request.challenge.clone()
            } else {
                String::new()
            },
            scope,
            until: self.now() + CODE,
        };
        self.provider.codes.insert(code.clone(), kept);
        self.provider.approved.insert((app.id, user.to_owned()));
        let mut back = Url::parse(&request.redirect).unwrap();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &request.state);
        Ok(back.into())
    }
}

/// `GET /oauth/authorize`, in a browser.
pub(super) fn authorize(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    if !state.settings.is_on(PROVIDER) {
        return Err(Refusal::new(501, "api.oauth.authorize_oauth.disabled.app_error"));
    }
    let request = Request::read(|key| asked.asks(key));
    request.check(state.version.has_public_clients())?;
    let app = state.oauth_app(&request.client)?;
    let Some(session) = state.visitor(asked, true)? else {
        let back: String = url::form_urlencoded::byte_serialize(asked.target.as_bytes()).collect();
        return Ok(to(&format!("{}{}/login?redirect_to={back}", asked.origin(), state.subpath())));
    };
    if !app.callbacks.contains(&request.redirect) {
        return Err(Refusal::new(400, "api.oauth.allow_oauth.redirect_callback.app_error"));
    }
    if app.is_public && request.response_type == "code" && request.challenge.is_empty() {
        return Err(Refusal::new(400, "api.oauth.allow_oauth.pkce_required_public.app_error"));
    }
    let approved = state.provider.approved.contains(&(app.id.clone(), session.user.clone()));
    if app.is_trusted || approved {
        return Ok(to(&state.allow(&session.user, &request)?));
    }
    Ok(consent(&app, &request, &session, &state.subpath()))
}

/// The page that asks. Mattermost's own is drawn by its client, which sends JSON; this one is a form that says the same.
fn consent(app: &OAuthApp, request: &Request, session: &Session, subpath: &str) -> Response {
    let fields = [
        ("response_type", &request.response_type),
        ("client_id", &request.client),
        ("redirect_uri", &request.redirect),
        ("scope", &request.scope),
        ("state", &request.state),
        ("code_challenge", &request.challenge),
        ("code_challenge_method", &request.method),
        ("csrf", &session.csrf),
    ];
    let escaped = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let inputs = fields
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value)));
    let page = format!(
        "<!DOCTYPE html><title>Mattermost</title><p>Authorize {} to connect to your account</p>\
         <form method=\"post\" action=\"{subpath}/oauth/authorize\">{}\
         <button name=\"decision\" value=\"allow\">Allow</button>\
         <button name=\"decision\" value=\"deny\">Deny</button></form>",
        escaped(&app.name),
        inputs.concat()
    );
    let mut response = Html(page).into_response();
    response.headers_mut().insert("x-frame-options", HeaderValue::from_static("SAMEORIGIN"));
    response
}

/// `POST /oauth/authorize`: JSON as Mattermost's client sends it, or the form of the page above.
pub(super) fn decide(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    if asked.header("content-type").starts_with("application/x-www-form-urlencoded") {
        return decide_by_form(state, asked);
    }
    let session = state.caller(asked)?;
    let body = asked.json("authorize_request")?;
    let request = Request::read(|key| text(&body, key));
    request.check(state.version.has_public_clients())?;
    if session.is_oauth {
        return Err(Refusal::forbidden());
    }
    let redirect = state.allow(&session.user, &request)?;
    Ok(Json(json!({"redirect": redirect})).into_response())
}

fn decide_by_form(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let form = asked.form();
    let field = |key: &str| form.get(key).cloned().unwrap_or_default();
    let session = state.visitor(asked, true)?.ok_or_else(Refusal::expired)?;
    if session.is_oauth || field("csrf") != session.csrf {
        return Err(Refusal::expired());
    }
    let request = Request::read(field);
    request.check(state.version.has_public_clients())?;
    if form.get("decision").is_some_and(|decision| decision == "deny") {
        return Ok(to(&format!("{}?error=access_denied", request.redirect)));
    }
    Ok(to(&state.allow(&session.user, &request)?))
}

/// `POST /oauth/deauthorize`: what a client has of a person ends, and they are asked again.
pub(super) fn deauthorize(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let session = state.caller(asked)?;
    let client = text(&asked.json("client_id")?, "client_id");
    if !is_id(&client) {
        return Err(Refusal::bad_body("client_id"));
    }
    if !state.settings.is_on(PROVIDER) {
        return Err(Refusal::new(501, "api.oauth.allow_oauth.turn_off.app_error"));
    }
    let key = (client.clone(), session.user.clone());
    if let Some(grant) = state.provider.grants.remove(&key) {
        state.end_session(&grant.token);
    }
    state.provider.codes.retain(|_, code| code.client != client || code.user != session.user);
    state.provider.approved.remove(&key);
    Ok(ok())
}

/// The metadata document.
pub(super) fn metadata(state: &State) -> Result<Response, Refusal> {
    if !state.version.has_public_clients() {
        return Err(Refusal::missing());
    }
    if !state.settings.is_on(PROVIDER) {
        return Err(Refusal::new(501, "api.oauth.authorization_server_metadata.disabled.app_error"));
    }
    let site = state.site_url();
    let mut document = json!({
        "issuer": site, "authorization_endpoint": format!("{site}/oauth/authorize"),
        "token_endpoint": format!("{site}/oauth/access_token"), "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"], "scopes_supported": ["user"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
    });
    if state.settings.is_on("ServiceSettings.EnableDynamicClientRegistration") {
        document["registration_endpoint"] = json!(format!("{site}/api/v4/oauth/apps/register"));
    }
    Ok(Json(document).into_response())
}

pub(super) fn to(address: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, address.to_owned())]).into_response()
}
