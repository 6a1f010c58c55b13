//! Sessions: whose a token is, and what proves that a cookie's request is meant.

use std::collections::BTreeMap;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::asked::{Asked, Carried, Json, ok, text};
use super::refusal::Refusal;
use super::state::{State, fresh};

/// How long a session of a browser lives, ms.
const WEB: i64 = 30 * 86_400_000;
/// How long a token is known after it was replaced, ms: it lives on in the session cache.
const CACHED: i64 = 30 * 60_000;

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The session's token.
    pub token: String,
    /// What a cookie's request must repeat.
    pub csrf: String,
    /// Who.
    pub user: String,
    pub(super) id: String,
    pub(super) is_oauth: bool,
    pub(super) expires_at: i64,
    pub(super) props: BTreeMap<String, String>,
    pub(super) created_at: i64,
}

impl Session {
    fn json(&self, roles: &str) -> Value {
        json!({
            "id": self.id, "token": "", "create_at": self.created_at, "expires_at": self.expires_at,
            "last_activity_at": self.created_at, "user_id": self.user, "device_id": "", "roles": roles,
            "is_oauth": self.is_oauth, "expired_notify": false, "props": self.props, "team_members": [], "local": false,
        })
    }
}

impl State {
    pub(super) fn new_session(&mut self, user: &str) -> Session {
        let props =
            [("platform", "Linux"), ("os", "Linux"), ("browser", "Chrome/120.0"), ("is_guest", "false")];
        let props = props.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        self.keep_session(user, false, WEB, props)
    }

    pub(super) fn keep_session(
        &mut self,
        user: &str,
        is_oauth: bool,
        life: i64,
        props: BTreeMap<String, String>,
    ) -> Session {
        let now = self.now();
        let session = Session {
            token: fresh(),
            csrf: fresh(),
            user: user.to_owned(),
            id: fresh(),
            is_oauth,
            expires_at: now + life,
            props,
            created_at: now,
        };
        self.sessions.insert(session.token.clone(), session.clone());
        session
    }

    /// A session of somebody's browser: the one that they have, or a new one.
    pub(super) fn session_of(&mut self, user: &str) -> Session {
        let now = self.now();
        let has =
            self.sessions.values().find(|one| one.user == user && !one.is_oauth && one.expires_at > now);
        match has.cloned() {
            Some(session) => session,
            None => self.new_session(user),
        }
    }

    /// A session that was replaced is known for a while yet.
    pub(super) fn let_linger(&mut self, token: &str) {
        let until = self.now() + CACHED;
        if let Some(session) = self.sessions.get_mut(token) {
            session.expires_at = session.expires_at.min(until);
        }
    }

    /// Ends a session; one that a client has ends with its refresh token.
    pub(super) fn end_session(&mut self, token: &str) {
        self.sessions.remove(token);
        self.provider.grants.retain(|_, grant| grant.token != token);
    }

    /// Whose session a token is: a session that has not ended, or a personal access token that counts.
    pub(super) fn of_token(&self, token: &str) -> Option<Session> {
        let session = self.sessions.get(token).filter(|session| session.expires_at > self.now()).cloned();
        session.or_else(|| self.of_pat(token))
    }

    /// Who asks, where that need not be anybody.
    pub(super) fn visitor(&self, asked: &Asked, trusts: bool) -> Result<Option<Session>, Refusal> {
        let Some((token, carried)) = asked.token() else { return Ok(None) };
        let Some(session) = self.of_token(&token) else { return Ok(None) };
        if carried == Carried::Query && !session.is_oauth {
            return Err(Refusal::new(401, "api.context.token_provided.app_error"));
        }
        let needs_proof = carried == Carried::Cookie && asked.method != "GET" && !trusts;
        if needs_proof && !self.is_proven(asked, &session) {
            return Err(Refusal::expired());
        }
        Ok(Some(session))
    }

    fn is_proven(&self, asked: &Asked, session: &Session) -> bool {
        let lenient = !self.settings.is_on("ServiceSettings.ExperimentalStrictCSRFEnforcement")
            && asked.header("x-requested-with") == "XMLHttpRequest";
        asked.header("x-csrf-token") == session.csrf || lenient
    }

    /// Who asks, where it must be somebody.
    pub(super) fn caller(&self, asked: &Asked) -> Result<Session, Refusal> {
        match self.visitor(asked, false)? {
            Some(session) if self.users.get(&session.user).is_some_and(|user| user.lacks_mfa) => {
                Err(Refusal::new(401, "api.context.mfa_required.app_error"))
            }
            Some(session) => Ok(session),
            None if asked.token().is_some() => Err(Refusal::unknown_token()),
            None => Err(Refusal::expired()),
        }
    }

    /// The path that cookies hang on: the site's own.
    pub(super) fn cookie_path(&self) -> String {
        let subpath = self.subpath();
        if subpath.is_empty() { "/".to_owned() } else { subpath }
    }

    /// Cookies of a session, as a browser gets them.
    pub(super) fn cookies(&self, session: &Session) -> [String; 3] {
        let path = self.cookie_path();
        let age = WEB / 1_000;
        [
            ("MMAUTHTOKEN", &session.token, "; HttpOnly"),
            ("MMUSERID", &session.user, ""),
            ("MMCSRF", &session.csrf, ""),
        ]
        .map(|(name, value, more)| format!("{name}={value}; Path={path}; Max-Age={age}{more}"))
    }

    /// Signs somebody in by name and password, which is the name too.
    pub(super) fn sign_in(&mut self, name: &str, password: &str) -> Result<Session, Refusal> {
        let refused = |id| Err(Refusal::new(401, id));
        if password.is_empty() {
            return Err(Refusal::new(400, "api.user.login.blank_pwd.app_error"));
        }
        let found = self.users.values().find(|user| user.name() == name || user.shown.email == name);
        let Some(user) = found.filter(|user| password == user.name()) else {
            return refused("api.user.login.invalid_credentials_email_username");
        };
        if user.is_bot() {
            return refused("api.user.login.bot_login_forbidden.app_error");
        }
        if user.shown.delete_at != 0 {
            return refused("api.user.login.inactive.app_error");
        }
        let id = user.id().to_owned();
        Ok(self.new_session(&id))
    }
}

/// `POST /users/login`: the token comes in a header, and in cookies for whoever asks as a script of a page does.
pub(super) fn login(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    let body = asked.json("user")?;
    let session = state.sign_in(&text(&body, "login_id"), &text(&body, "password"))?;
    let shown = state.users[&session.user].json_for(&session.user, true, &state.settings);
    let mut response = ([("token", session.token.clone())], Json(shown)).into_response();
    if asked.header("x-requested-with") == "XMLHttpRequest" {
        for cookie in state.cookies(&session) {
            response.headers_mut().append(header::SET_COOKIE, cookie.parse().unwrap());
        }
    }
    Ok(response)
}

/// `POST /users/logout`: also for whoever is not signed in.
pub(super) fn logout(state: &mut State, asked: &Asked) -> Result<Response, Refusal> {
    if let Some(session) = state.visitor(asked, false)? {
        state.end_session(&session.token);
    }
    let mut response = ok();
    let gone = format!("MMAUTHTOKEN=; Path={}; Max-Age=0; HttpOnly", state.cookie_path());
    response.headers_mut().append(header::SET_COOKIE, gone.parse().unwrap());
    Ok(response)
}

/// Routes of somebody's sessions.
pub(super) fn route(
    state: &mut State,
    asked: &Asked,
    user: &str,
    path: &[&str],
) -> Result<Response, Refusal> {
    let session = state.caller(asked)?;
    if !state.manages_user(&session.user, user) {
        return Err(Refusal::forbidden());
    }
    match (asked.method.as_str(), path) {
        ("GET", []) => {
            let roles = state.users.get(user).ok_or_else(Refusal::no_user)?.roles();
            let now = state.now();
            let mut all: Vec<&Session> =
                state.sessions.values().filter(|one| one.user == user && one.expires_at > now).collect();
            all.sort_by(|one, other| other.id.cmp(&one.id));
            Ok(Json(all.into_iter().map(|one| one.json(&roles)).collect::<Vec<_>>()).into_response())
        }
        ("POST", ["revoke"]) => {
            let id = text(&asked.json("session_id")?, "session_id");
            if id.is_empty() {
                return Err(Refusal::bad_body("session_id"));
            }
            let found = state.sessions.values().find(|one| one.id == id);
            let found = found.ok_or_else(|| Refusal::new(404, "app.session.get.app_error"))?;
            if found.user != user {
                return Err(Refusal::bad_path("user_id"));
            }
            let token = found.token.clone();
            state.end_session(&token);
            Ok(ok())
        }
        ("POST", ["revoke", "all"]) => {
            state.end_all_sessions(user);
            Ok(ok())
        }
        _ => Err(Refusal::missing()),
    }
}

impl State {
    pub(super) fn end_all_sessions(&mut self, user: &str) {
        let tokens: Vec<String> =
            self.sessions.values().filter(|one| one.user == user).map(|one| one.token.clone()).collect();
        for token in tokens {
            self.end_session(&token);
        }
    }
}
