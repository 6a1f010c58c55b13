//! Clients that are registered at the provider.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::asked::{Asked, Json, is_http, ok, text, texts};
use super::oauth::PROVIDER;
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};

/// A client.
#[derive(Debug, Clone)]
pub(super) struct OAuthApp {
    pub(super) id: String,
    pub(super) creator: String,
    pub(super) secret: String,
    pub(super) name: String,
    description: String,
    icon_url: String,
    homepage: String,
    pub(super) callbacks: Vec<String>,
    pub(super) is_trusted: bool,
    pub(super) is_public: bool,
    pub(super) mattermost_app_id: String,
    created_at: i64,
}

impl OAuthApp {
    fn read(body: &Value, creator: &str, now: i64) -> Self {
        Self {
            id: fresh(),
            creator: creator.to_owned(),
            secret: fresh(),
            name: text(body, "name"),
            description: text(body, "description"),
            icon_url: text(body, "icon_url"),
            homepage: text(body, "homepage"),
            callbacks: texts(&body["callback_urls"]),
            is_trusted: body["is_trusted"] == true,
            is_public: body["is_public"] == true,
            mattermost_app_id: text(body, "mattermost_app_id"),
            created_at: now,
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        let wrong = |id| Err(Refusal::new(400, id));
        if self.name.is_empty() || self.name.len() > 64 {
            return wrong("model.oauth.is_valid.name.app_error");
        }
        if self.callbacks.is_empty() || !self.callbacks.iter().all(|url| is_http(url)) {
            return wrong("model.oauth.is_valid.callback.app_error");
        }
        if self.homepage.len() > 256 || !is_http(&self.homepage) {
            return wrong("model.oauth.is_valid.homepage.app_error");
        }
        if self.description.chars().count() > 512 {
            return wrong("model.oauth.is_valid.description.app_error");
        }
        if !self.icon_url.is_empty() && (self.icon_url.len() > 512 || !is_http(&self.icon_url)) {
            return wrong("model.oauth.is_valid.icon_url.app_error");
        }
        if self.mattermost_app_id.len() > 32 {
            return wrong("model.oauth.is_valid.mattermost_app_id.app_error");
        }
        Ok(())
    }

    pub(super) fn shown(&self, with_secret: bool) -> Value {
        json!({
            "id": self.id, "creator_id": self.creator, "create_at": self.created_at, "update_at": self.created_at,
            "client_secret": if with_secret && !self.is_public { self.secret.as_str() } else { "" },
            "name": self.name, "description": self.description, "icon_url": self.icon_url,
            "callback_urls": self.callbacks, "homepage": self.homepage, "is_trusted": self.is_trusted,
            "is_public": self.is_public, "mattermost_app_id": self.mattermost_app_id,
        })
    }
}

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    // Whoever has none yet may register a client, if the site lets them.
    if (asked.method.as_str(), path) == ("POST", ["register"].as_slice()) {
        return register(state, asked);
    }
    let caller = state.caller(asked)?;
    if let ("GET", [id, "info"]) = (asked.method.as_str(), path) {
        return Ok(Json(find(state, id)?.shown(false)).into_response());
    }
    match (asked.method.as_str(), path) {
        ("POST", []) => create(state, asked, &caller),
        ("GET", []) => {
            state.require(&caller, "manage_oauth")?;
            is_on(state)?;
            let all = state.allows(&caller.user, "manage_system_wide_oauth");
            let apps = state.provider.apps.values().filter(|app| all || app.creator == caller.user);
            Ok(Json(asked.page(apps.map(|app| app.shown(true)).collect())).into_response())
        }
        ("GET", [id]) => Ok(Json(managed(state, &caller, id)?.shown(true)).into_response()),
        ("PUT", [id]) => update(state, asked, &caller, id),
        ("DELETE", [id]) => {
            managed(state, &caller, id)?;
            remove(state, id);
            Ok(ok())
        }
        ("POST", [id, "regen_secret"]) => {
            let app = OAuthApp { secret: fresh(), ..managed(state, &caller, id)? };
            let shown = app.shown(true);
            state.provider.apps.insert(app.id.clone(), app);
            Ok(Json(shown).into_response())
        }
        _ => Err(Refusal::missing()),
    }
}

fn is_on(state: &State) -> Result<(), Refusal> {
    match state.settings.is_on(PROVIDER) {
        true => Ok(()),
        false => Err(Refusal::new(501, "api.oauth.allow_oauth.turn_off.app_error")),
    }
}

fn find(state: &State, id: &str) -> Result<OAuthApp, Refusal> {
    is_on(state)?;
    let app = state.provider.apps.get(id).cloned();
    app.ok_or_else(|| Refusal::new(404, "app.oauth.get_app.find.app_error"))
}

/// A client that somebody may change: their own, or any by permission.
fn managed(state: &State, caller: &Session, id: &str) -> Result<OAuthApp, Refusal> {
    state.require(caller, "manage_oauth")?;
    let app = find(state, id)?;
    let own = app.creator == caller.user;
    if own || state.allows(&caller.user, "manage_system_wide_oauth") {
        Ok(app)
    } else {
        Err(Refusal::forbidden())
    }
}

fn create(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    let body = asked.json("oauth_app")?;
    state.require(caller, "manage_oauth")?;
    if !state.settings.is_on(PROVIDER) {
        return Err(Refusal::new(501, "api.oauth.register_oauth_app.turn_off.app_error"));
    }
    let mut app = OAuthApp::read(&body, &caller.user, state.now());
    // Nobody is told that it is not as they asked.
    app.is_trusted &= state.allows(&caller.user, "manage_system");
    app.is_public &= state.version.has_public_clients();
    if !state.version.takes_app_id_of_new_clients() {
        app.mattermost_app_id.clear();
    }
    app.check()?;
    let shown = app.shown(true);
    state.provider.apps.insert(app.id.clone(), app);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// The whole object is sent, and what cannot be changed stays.
fn update(state: &mut State, asked: &Asked, caller: &Session, id: &str) -> Result<Response, Refusal> {
    state.require(caller, "manage_oauth")?;
    let body = asked.json("oauth_app")?;
    if text(&body, "id") != id {
        return Err(Refusal::bad_body("app_id"));
    }
    let old = managed(state, caller, id)?;
    let mut app = OAuthApp::read(&body, &old.creator, old.created_at);
    (app.id, app.secret, app.is_public) = (old.id, old.secret, old.is_public);
    if !state.allows(&caller.user, "manage_system") {
        app.is_trusted = old.is_trusted;
    }
    app.check()?;
    let shown = app.shown(true);
    state.provider.apps.insert(app.id.clone(), app);
    Ok(Json(shown).into_response())
}

fn remove(state: &mut State, id: &str) {
    state.provider.apps.remove(id);
    state.provider.approved.retain(|(client, _)| client != id);
    state.provider.codes.retain(|_, code| code.client != id);
    let tokens = state.provider.grants.iter().filter(|((client, _), _)| client == id);
    let tokens: Vec<String> = tokens.map(|(_, grant)| grant.token.clone()).collect();
    for token in tokens {
        state.end_session(&token);
    }
    // Tokens that were replaced live on in the cache, which is emptied.
    state.sessions.retain(|_, session| session.props.get("oauth_app_id").is_none_or(|client| client != id));
}

/// Dynamic registration (RFC 7591).
fn register(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let on = state.version.has_public_clients()
        && state.settings.is_on(PROVIDER)
        && state.settings.is_on("ServiceSettings.EnableDynamicClientRegistration");
    if !on {
        return Err(Refusal::new(
            if state.version.has_public_clients() { 501 } else { 404 },
            "api.oauth.register.disabled",
        ));
    }
    let body = asked.json("client_registration_request")?;
    let mut app = OAuthApp::read(&body, "", state.now());
    app.name = text(&body, "client_name");
    app.callbacks = texts(&body["redirect_uris"]);
    app.homepage = text(&body, "client_uri");
    app.is_trusted = false;
    app.is_public = body["token_endpoint_auth_method"] == "none";
    app.mattermost_app_id.clear();
    if app.callbacks.is_empty() || !app.callbacks.iter().all(|url| is_http(url)) {
        return Err(Refusal::new(400, "invalid_redirect_uri"));
    }
    let mut shown = json!({
        "client_id": app.id, "client_name": app.name, "redirect_uris": app.callbacks,
        "token_endpoint_auth_method": if app.is_public { "none" } else { "client_secret_post" },
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"], "scope": "user",
    });
    if !app.is_public {
        shown["client_secret"] = json!(app.secret);
    }
    state.provider.apps.insert(app.id.clone(), app);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}
