//! Personal access tokens, of people and of bots.

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::asked::{Asked, Json, ok, text};
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};

/// The setting that people's own tokens need; those of bots are there in any case.
pub(super) const TOKENS: &str = "ServiceSettings.EnableUserAccessTokens";
const LIFETIME: &str = "ServiceSettings.MaximumPersonalAccessTokenLifetimeDays";
const DAY: i64 = 86_400_000;

/// A token.
#[derive(Debug, Clone)]
pub(super) struct Pat {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) user: String,
    pub(super) description: String,
    pub(super) is_active: bool,
    /// Zero where it has no end.
    pub(super) expires_at: i64,
}

impl Pat {
    fn json(&self, with_secret: bool, with_end: bool) -> Value {
        let mut shown = json!({
            "id": self.id, "user_id": self.user, "description": self.description, "is_active": self.is_active,
        });
        if with_secret {
            shown["token"] = json!(self.token);
        }
        if with_end {
            shown["expires_at"] = json!(self.expires_at);
        }
        shown
    }
}

impl State {
    /// Makes one, whatever the settings say.
    pub(super) fn new_pat(&mut self, user: &str, description: &str, expires_at: i64) -> Pat {
        let pat = Pat {
            id: fresh(),
            token: fresh(),
            user: user.to_owned(),
            description: description.to_owned(),
            is_active: true,
            expires_at,
        };
        self.pats.insert(pat.id.clone(), pat.clone());
        pat
    }

    /// The session that a token stands for, as long as it counts.
    pub(super) fn of_pat(&self, token: &str) -> Option<Session> {
        let pat = self.pats.values().find(|pat| pat.token == token && pat.is_active)?;
        let user = self.users.get(&pat.user).filter(|user| user.shown.delete_at == 0)?;
        let counts = (self.settings.is_on(TOKENS) || user.is_bot())
            && (pat.expires_at == 0 || pat.expires_at > self.now());
        let mut props =
            vec![("type", "UserAccessToken"), ("user_access_token_id", &pat.id), ("is_guest", "false")];
        if user.is_bot() {
            props.push(("is_bot", "true"));
        }
        counts.then(|| Session {
            token: pat.token.clone(),
            csrf: String::new(),
            user: pat.user.clone(),
            id: fresh(),
            is_oauth: false,
            expires_at: i64::MAX,
            props: props.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            created_at: self.now(),
        })
    }

    /// Whether a token may be made that ends then: the site may demand that it ends soon.
    fn check_end(&self, user: &str, expires_at: i64) -> Result<(), Refusal> {
        let is_bot = self.users.get(user).is_some_and(|user| user.is_bot());
        let most = self.settings.number(LIFETIME);
        if most == 0 || (is_bot && !self.version.limits_tokens_of_bots()) {
            return Ok(());
        }
        let fits = expires_at > self.now() && expires_at <= self.now() + most * DAY;
        if fits { Ok(()) } else { Err(Refusal::bad_body("expires_at")) }
    }

    /// The token of this id, which somebody may manage who has this permission.
    fn managed(&self, caller: &Session, body: &Value, permission: &str) -> Result<Pat, Refusal> {
        let id = text(body, "token_id");
        if id.is_empty() {
            return Err(Refusal::bad_body("token_id"));
        }
        self.require(caller, permission)?;
        let pat = self
            .pats
            .get(&id)
            .ok_or_else(|| Refusal::new(404, "app.user_access_token.get_by_user.app_error"))?;
        if self.manages_user_or_bot(&caller.user, &pat.user) {
            Ok(pat.clone())
        } else {
            Err(Refusal::forbidden())
        }
    }
}

/// `POST` and `GET /users/{id}/tokens`.
pub(super) fn of_user(state: &mut State, asked: &Asked, user: &str) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    match asked.method.as_str() {
        "POST" => create(state, asked, &caller, user),
        "GET" => {
            state.require(&caller, "read_user_access_token")?;
            if !state.manages_user_or_bot(&caller.user, user) {
                return Err(Refusal::forbidden());
            }
            let ends = state.version.has_token_lifetimes();
            let all = state.pats.values().filter(|pat| pat.user == user).map(|pat| pat.json(false, ends));
            Ok(Json(asked.page(all.collect())).into_response())
        }
        _ => Err(Refusal::missing()),
    }
}

fn create(state: &mut State, asked: &Asked, caller: &Session, user: &str) -> Result<Response, Refusal> {
    if caller.is_oauth {
        return Err(Refusal::forbidden());
    }
    let body = asked.json("user_access_token")?;
    let description = text(&body, "description");
    if description.is_empty() {
        return Err(Refusal::bad_body("description"));
    }
    state.require(caller, "create_user_access_token")?;
    if !state.manages_user_or_bot(&caller.user, user) {
        return Err(Refusal::forbidden());
    }
    let target = state.users.get(user).ok_or_else(Refusal::no_user)?;
    if target.roles().contains("system_admin") && !state.allows(&caller.user, "manage_system") {
        return Err(Refusal::forbidden());
    }
    if !state.settings.is_on(TOKENS) && !target.is_bot() {
        return Err(Refusal::new(501, "app.user_access_token.disabled"));
    }
    let ends = state.version.has_token_lifetimes();
    let expires_at = if ends { body["expires_at"].as_i64().unwrap_or_default() } else { 0 };
    state.check_end(user, expires_at)?;
    let pat = state.new_pat(user, &description, expires_at);
    Ok(Json(pat.json(true, ends)).into_response())
}

/// `POST /users/tokens/…`.
pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    match (asked.method.as_str(), path) {
        ("POST", ["revoke"]) => {
            let pat = state.managed(&caller, &asked.json("token_id")?, "revoke_user_access_token")?;
            state.pats.remove(&pat.id);
            Ok(ok())
        }
        ("POST", [switch @ ("disable" | "enable")]) => {
            let permission =
                if *switch == "disable" { "revoke_user_access_token" } else { "create_user_access_token" };
            let pat = state.managed(&caller, &asked.json("token_id")?, permission)?;
            if let Some(pat) = state.pats.get_mut(&pat.id) {
                pat.is_active = *switch == "enable";
            }
            Ok(ok())
        }
        ("POST", ["rotate"]) if state.version.has_token_rotation() => rotate(state, asked, &caller),
        ("GET", [id]) => {
            state.require(&caller, "read_user_access_token")?;
            let pat = state.managed(&caller, &json!({"token_id": id}), "read_user_access_token")?;
            Ok(Json(pat.json(false, state.version.has_token_lifetimes())).into_response())
        }
        _ => Err(Refusal::missing()),
    }
}

/// A new secret for a token; the old one opens nothing from now on.
fn rotate(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    if caller.is_oauth {
        return Err(Refusal::forbidden());
    }
    let body = asked.json("rotate_user_access_token")?;
    let pat = state.managed(caller, &body, "create_user_access_token")?;
    let of_admin = state.users[&pat.user].roles().contains("system_admin");
    if of_admin && !state.allows(&caller.user, "manage_system") {
        return Err(Refusal::forbidden());
    }
    if !pat.is_active {
        return Err(Refusal::new(400, "api.user.rotate_user_access_token.inactive_token.app_error"));
    }
    let expires_at = body["expires_at"].as_i64().unwrap_or_default();
    state.check_end(&pat.user, expires_at)?;
    let rotated = Pat { token: fresh(), expires_at, ..pat };
    state.pats.insert(rotated.id.clone(), rotated.clone());
    Ok(Json(rotated.json(true, true)).into_response())
}
