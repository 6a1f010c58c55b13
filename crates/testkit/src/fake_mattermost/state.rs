//! All that a Mattermost remembers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::Failure;
use super::asked::{Asked, Logged, Refusal};
use super::dialogs::Dialog;
use super::oauth::{Code, OAuthApp};
use super::people::TOKENS;

/// Which Mattermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Before native Apps.
    pub const V5_37: Self = Self(5, 37);
    /// With them switched on.
    pub const V6_7: Self = Self(6, 7);
    /// The last of the tens.
    pub const V10_11: Self = Self(10, 11);
    /// The extended support release of the elevens.
    pub const V11_7: Self = Self(11, 7);
    /// Where the original cannot run.
    pub const V12_0: Self = Self(12, 0);
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The session's token.
    pub token: String,
    /// What a cookie's request must repeat.
    pub csrf: String,
    /// Who.
    pub user: String,
    pub(super) is_oauth: bool,
    /// The id of the personal access token that it is.
    pub(super) pat: Option<String>,
    /// The client that it was given to.
    pub(super) client: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) roles: String,
    pub(super) delete_at: i64,
    pub(super) is_bot: bool,
    pub(super) owner: String,
}

impl User {
    pub(super) fn person(name: &str) -> Self {
        Self {
            id: fresh(),
            name: name.to_owned(),
            display_name: String::new(),
            roles: "system_user".to_owned(),
            delete_at: 0,
            is_bot: false,
            owner: String::new(),
        }
    }

    pub(super) fn json(&self, whole: bool) -> Value {
        let mut user = json!({
            "id": self.id, "create_at": 1_700_000_000_000_i64, "update_at": 1_700_000_000_000_i64,
            "delete_at": self.delete_at, "username": self.name, "auth_data": "", "auth_service": "",
            "email": format!("{}@example.com", self.name), "nickname": "", "first_name": self.display_name,
            "last_name": "", "position": "", "roles": self.roles, "locale": "en", "timezone": {},
            "disable_welcome_email": false,
        });
        if self.is_bot {
            user["is_bot"] = json!(true);
        }
        if whole {
            user["notify_props"] = json!({"desktop": "mention"});
        }
        user
    }
}

pub(super) struct State {
    pub(super) version: Version,
    pub(super) config: BTreeMap<String, Value>,
    pub(super) users: HashMap<String, User>,
    pub(super) roles: HashMap<String, Vec<String>>,
    pub(super) sessions: HashMap<String, Session>,
    pub(super) teams: BTreeMap<String, Value>,
    pub(super) channels: BTreeMap<String, Value>,
    /// Of teams and channels, with their members.
    pub(super) members: BTreeSet<(String, String)>,
    pub(super) posts: Vec<Value>,
    pub(super) ephemeral: Vec<Value>,
    pub(super) commands: BTreeMap<String, Value>,
    /// Who may be shown a dialog, by trigger.
    pub(super) triggers: HashMap<String, String>,
    /// By who has it before them.
    pub(super) dialogs: HashMap<String, Dialog>,
    /// What came to addresses for late answers.
    pub(super) hooks: Vec<Value>,
    pub(super) oauth_apps: BTreeMap<String, OAuthApp>,
    /// Clients that people said yes to.
    pub(super) approved: BTreeSet<(String, String)>,
    pub(super) codes: HashMap<String, Code>,
    /// Refresh tokens, with the token that each came with.
    pub(super) refresh: HashMap<String, String>,
    pub(super) failures: Vec<(String, Failure)>,
    pub(super) log: Vec<Logged>,
}

/// An id as Mattermost makes them, or a token.
pub(super) fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Spread, so that no id begins like another.
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{spread:016x}{number:010}")
}

impl State {
    pub(super) fn new(version: Version, site_url: &str) -> Self {
        let config = [
            ("ServiceSettings.SiteURL", json!(site_url)),
            ("ServiceSettings.EnableOAuthServiceProvider", json!(true)),
            ("ServiceSettings.EnableUserAccessTokens", json!(true)),
            ("ServiceSettings.EnableBotAccountCreation", json!(true)),
            ("ServiceSettings.EnableCommands", json!(true)),
            ("ServiceSettings.AllowedUntrustedInternalConnections", json!("127.0.0.1 localhost")),
            ("ServiceSettings.ExperimentalStrictCSRFEnforcement", json!(false)),
            ("PrivacySettings.ShowEmailAddress", json!(true)),
            ("PrivacySettings.ShowFullName", json!(true)),
            ("FeatureFlags.AppsEnabled", json!(version < Version(10, 0))),
        ];
        let user = ["create_direct_channel", "list_public_teams", "view_members", "create_post"];
        let admin = [
            "manage_system",
            "create_bot",
            "manage_bots",
            "manage_others_bots",
            "create_user_access_token",
            "revoke_user_access_token",
            "create_post_ephemeral",
            "edit_other_users",
        ];
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let mut admin = owned(&admin);
        // A fresh 11.4 does not give it to administrators.
        if version < Version(11, 0) {
            admin.push("manage_oauth".to_owned());
        }
        Self {
            version,
            config: config.map(|(key, value)| (key.to_owned(), value)).into(),
            users: HashMap::new(),
            roles: HashMap::from([
                ("system_user".to_owned(), owned(&user)),
                ("system_admin".to_owned(), admin),
                ("system_guest".to_owned(), owned(&["create_post"])),
            ]),
            sessions: HashMap::new(),
            teams: BTreeMap::new(),
            channels: BTreeMap::new(),
            members: BTreeSet::new(),
            posts: Vec::new(),
            ephemeral: Vec::new(),
            commands: BTreeMap::new(),
            triggers: HashMap::new(),
            dialogs: HashMap::new(),
            hooks: Vec::new(),
            oauth_apps: BTreeMap::new(),
            approved: BTreeSet::new(),
            codes: HashMap::new(),
            refresh: HashMap::new(),
            failures: Vec::new(),
            log: Vec::new(),
        }
    }

    pub(super) fn is_on(&self, key: &str) -> bool {
        self.config.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn site_url(&self) -> String {
        let url = self.config.get("ServiceSettings.SiteURL").and_then(Value::as_str).unwrap_or_default();
        url.trim_end_matches('/').to_owned()
    }

    /// What every client may know: a flat map of texts.
    pub(super) fn client_config(&self) -> Value {
        let mut flat = Map::new();
        for (key, value) in &self.config {
            let (section, name) = key.split_once('.').unwrap_or(("", key));
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let name = if section == "FeatureFlags" { format!("FeatureFlag{name}") } else { name.to_owned() };
            flat.insert(name, json!(text));
        }
        let Version(major, minor) = self.version;
        flat.insert("Version".to_owned(), json!(format!("{major}.{minor}.0")));
        flat.remove("AllowedUntrustedInternalConnections");
        Value::Object(flat)
    }

    pub(super) fn nested_config(&self) -> Value {
        let mut nested = json!({});
        for (key, value) in &self.config {
            let (section, name) = key.split_once('.').unwrap_or(("", key));
            nested[section][name] = value.clone();
        }
        nested
    }

    /// What a test wants to happen to this request.
    pub(super) fn fail(&mut self, path: &str) -> Option<Response> {
        let at = self.failures.iter().position(|(prefix, _)| path.starts_with(prefix.as_str()))?;
        let (_, failure) = self.failures.remove(at);
        Some(match failure {
            Failure::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
            Failure::Limited(seconds) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, "limit exceeded").into_response();
                response.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(seconds));
                response
            }
        })
    }

    pub(super) fn new_session(&mut self, user: &str, is_oauth: bool) -> Session {
        let session = Session {
            token: fresh(),
            csrf: fresh(),
            user: user.to_owned(),
            is_oauth,
            pat: None,
            client: None,
        };
        self.sessions.insert(session.token.clone(), session.clone());
        session
    }

    pub(super) fn new_pat(&mut self, user: &str, _description: &str) -> String {
        let session = Session { pat: Some(fresh()), ..self.new_session(user, false) };
        let token = session.token.clone();
        self.sessions.insert(token.clone(), session);
        token
    }

    pub(super) fn set_active(&mut self, user: &str, active: bool) {
        let found = self.users.get_mut(user).unwrap();
        found.delete_at = if active { 0 } else { 1_700_000_000_001 };
        if !active && !found.is_bot {
            self.sessions.retain(|_, session| session.user != user);
        }
    }

    /// Whose session a token is. A bot that is disabled has none, nor has a person's own token where those are off.
    pub(super) fn of_token(&self, token: &str) -> Option<&Session> {
        let session = self.sessions.get(token)?;
        let user = self.users.get(&session.user).filter(|user| user.delete_at == 0)?;
        let works = session.pat.is_none() || user.is_bot || self.is_on(TOKENS);
        works.then_some(session)
    }

    /// Who asks: a header counts more than the cookie, and a cookie's request that changes something must prove where it
    /// comes from.
    pub(super) fn caller(&self, asked: &Asked) -> Result<Session, Refusal> {
        let header = asked.header("authorization");
        let bearer = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("BEARER "));
        if let Some(token) = bearer {
            return self.of_token(token).cloned().ok_or_else(Refusal::expired);
        }
        let session = asked.cookie("MMAUTHTOKEN").and_then(|token| self.of_token(token));
        let session = session.ok_or_else(Refusal::expired)?;
        let lenient = !self.is_on("ServiceSettings.ExperimentalStrictCSRFEnforcement")
            && asked.header("x-requested-with") == "XMLHttpRequest";
        let proven = asked.method == "GET" || asked.header("x-csrf-token") == session.csrf || lenient;
        if proven { Ok(session.clone()) } else { Err(Refusal::expired()) }
    }

    pub(super) fn allows(&self, user: &str, permission: &str) -> bool {
        let Some(user) = self.users.get(user) else { return false };
        user.roles
            .split_whitespace()
            .filter_map(|role| self.roles.get(role))
            .any(|permissions| permissions.iter().any(|one| one == permission))
    }

    pub(super) fn require(&self, asked: &Asked, permission: &str) -> Result<Session, Refusal> {
        let session = self.caller(asked)?;
        if self.allows(&session.user, permission) { Ok(session) } else { Err(Refusal::forbidden()) }
    }

    pub(super) fn is_member(&self, place: &str, user: &str) -> bool {
        self.members.contains(&(place.to_owned(), user.to_owned()))
    }

    pub(super) fn add_team(&mut self, name: &str) -> String {
        let id = fresh();
        let team = json!({"id": id, "name": name, "display_name": name, "type": "O", "delete_at": 0});
        self.teams.insert(id.clone(), team);
        id
    }

    pub(super) fn add_channel(&mut self, team: &str, name: &str, kind: &str) -> String {
        let id = fresh();
        let channel = json!({
            "id": id, "team_id": team, "name": name, "display_name": name, "type": kind, "delete_at": 0,
        });
        self.channels.insert(id.clone(), channel);
        id
    }
}
