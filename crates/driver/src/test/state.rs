//! What the fake service remembers.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use http::StatusCode;
use tessera_types::{AccessToken, App, CallResponse, Manifest, OAuth2App, Post, RawJson, User};

use super::fake::Recorded;
use super::managed::Managed;

/// Who a token belongs to.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) user_id: String,
    pub(super) bot: bool,
}

pub(super) struct State {
    pub(super) app_id: String,
    pub(super) bot_user_id: String,
    pub(super) tokens: HashMap<String, Identity>,
    pub(super) admins: BTreeSet<String>,
    pub(super) oauth2_app: OAuth2App,
    /// Where an administrator gave the App a provider record.
    pub(super) managed: Option<Managed>,
    /// The bytes as they were stored.
    pub(super) users: BTreeMap<String, Bytes>,
    pub(super) listed: BTreeMap<String, Manifest>,
    pub(super) installed: BTreeMap<String, App>,
    pub(super) posts: Vec<Post>,
    pub(super) answers: HashMap<String, CallResponse>,
    pub(super) failures: VecDeque<(StatusCode, String)>,
    pub(super) requests: Vec<Recorded>,
    issued: u64,
}

impl State {
    pub(super) fn new(app_id: &str) -> Self {
        Self {
            app_id: app_id.to_owned(),
            bot_user_id: format!("{app_id}-bot"),
            tokens: HashMap::new(),
            admins: BTreeSet::new(),
            oauth2_app: OAuth2App::default(),
            managed: None,
            users: BTreeMap::new(),
            listed: BTreeMap::new(),
            installed: BTreeMap::new(),
            posts: Vec::new(),
            answers: HashMap::new(),
            failures: VecDeque::new(),
            requests: Vec::new(),
            issued: 0,
        }
    }

    /// The token of an identity: the one it has, or a new one. Counted, not random: nothing is guarded.
    pub(super) fn token(&mut self, identity: Identity) -> AccessToken {
        if let Some((token, _)) = self.tokens.iter().find(|(_, owner)| **owner == identity) {
            return AccessToken::new(token.clone());
        }
        let token = format!("faketoken{:017}", self.next());
        self.tokens.insert(token.clone(), identity);
        AccessToken::new(token)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.issued += 1;
        self.issued
    }

    pub(super) fn user(&self, user_id: &str) -> User {
        let roles = if self.admins.contains(user_id) { "system_admin system_user" } else { "system_user" };
        User {
            id: user_id.to_owned(),
            username: user_id.to_owned(),
            roles: roles.to_owned(),
            locale: "en".to_owned(),
            ..User::default()
        }
    }

    /// A user's record as the server expands it, where absent, `null` and `{}` are left out; and how a managed
    /// connection stands.
    pub(super) fn expanded(&mut self, user_id: &str) -> (Option<RawJson>, String) {
        if let Some(managed) = &mut self.managed {
            return match managed.give(user_id, None) {
                Ok(given) => (RawJson::from_slice(&given.body).ok(), given.status.word().to_owned()),
                Err(_) => (None, "unavailable".to_owned()),
            };
        }
        let Some(bytes) = self.users.get(user_id) else { return (None, String::new()) };
        if matches!(bytes.trim_ascii(), b"null" | b"{}") {
            return (None, String::new());
        }
        (RawJson::from_slice(bytes).ok(), String::new())
    }
}
