//! Prepares a Mattermost for the service, with an administrator's token: settings, a permission, an account of the service's own
//! and its token. Each thing can be undone by what was written down of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tessera_types::{AccessToken, User};
use zeroize::Zeroizing;

use super::Settings;
use super::look::{Set, numbers, version_of};
use super::rest::{As, Rest};
use super::rights::permissions_of;
use crate::egress::{Allowed, Egress, is_inside};
use crate::env::Env;
use crate::platform;

/// What is wished for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Whether Mattermost's clients shall draw Apps themselves.
    pub native: bool,
    /// The name of the service's account.
    pub account: String,
    /// Ids of accounts that we made once and deactivated.
    pub former: Vec<String>,
}

/// What differs from the wish.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Mattermost's version.
    pub version: String,
    /// Whose token it is.
    pub administrator: String,
    /// Settings to be changed, all at once.
    pub settings: Vec<Setting>,
    /// What a role lacks: its name, and the permission.
    pub permission: Option<(String, String)>,
    /// What only people can do, with how.
    pub by_hand: Vec<ByHand>,
}

/// A setting, by its own name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Section and name, with a dot between.
    pub key: String,
    /// What it was.
    pub before: Value,
    /// What it becomes.
    pub after: Value,
}

/// Something that is left to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByHand {
    /// What it is about.
    pub about: String,
    /// What to do.
    pub how: String,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "done", rename_all = "snake_case")]
pub enum Done {
    /// Settings were changed.
    Settings {
        /// Which.
        settings: Vec<Setting>,
    },
    /// A role was given a permission.
    Permission {
        /// Its name.
        role: String,
        /// Which.
        permission: String,
    },
    /// An account was made.
    Account {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// A token was made.
    Token {
        /// Its id, which opens nothing.
        id: String,
        /// Whose it is.
        account: String,
    },
}

/// A token that was just made.
pub struct Made {
    /// What is to be written down.
    pub done: Done,
    /// The token itself: it is shown this once.
    pub token: AccessToken,
    /// When it ends (Unix ms); None where it does not end by itself.
    pub ends_at: Option<i64>,
}

/// The permissions that an administrator's token is used with, to set up and to take it back.
pub const USED: [&str; 7] = [
    "manage_system",
    "manage_roles",
    "edit_other_users",
    "create_user_access_token",
    "revoke_user_access_token",
    "sysconsole_write_user_management_users",
    "sysconsole_write_user_management_permissions",
];

/// Settings that must have a value, by name.
const WANTED: [&str; 4] = [
    "ServiceSettings.EnableOAuthServiceProvider",
    "ServiceSettings.EnableUserAccessTokens",
    "ServiceSettings.EnableBotAccountCreation",
    "ServiceSettings.EnableCommands",
];
const SITE_URL: &str = "ServiceSettings.SiteURL";
const INSIDE: &str = "ServiceSettings.AllowedUntrustedInternalConnections";
const STATES: &str = "PluginSettings.PluginStates";
const ROLE: &str = "system_admin";
const PERMISSION: &str = "manage_oauth";

/// Why something was not prepared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token may too little.
    #[error("the token is of @{0}, who is no system administrator")]
    NotAdministrator(String),
    /// Somebody has the name, who was not made for this.
    #[error("the account @{name} cannot be the service's: {why}; or name another with --account")]
    Account {
        /// The name.
        name: String,
        /// What is in the way, and what would help.
        why: &'static str,
    },
    /// Mattermost refused, or cannot be reached.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

impl From<crate::env::RngError> for Error {
    fn from(error: crate::env::RngError) -> Self {
        Self::Platform(error.into())
    }
}

/// What there is of an account that the service could have.
enum Standing {
    /// Nobody has the name.
    Free,
    /// It is there, and an administrator already.
    There(String),
    /// It was made by us once, and deactivated when that was undone.
    Former(String),
}

/// Whoever prepares.
pub struct Prepare {
    rest: Rest,
    settings: Settings,
    env: Env,
}

impl Prepare {
    /// The Mattermost of these settings, whose token is an administrator's.
    pub fn new(egress: Arc<Egress>, env: Env, settings: Settings) -> Self {
        let rest = Rest::new(egress, env.clone(), settings.internal_url.clone(), settings.token.clone());
        Self { rest, settings, env }
    }

    /// What is to be done. Nothing is changed.
    ///
    /// # Errors
    /// Where the token is nobody's, or not a system administrator's; where the service's account cannot be made.
    pub async fn plan(&self, wish: &Wish) -> Result<Plan, Error> {
        let me: User = self.rest.get(As::Service, "/users/me").await?;
        let allowed = permissions_of(&self.rest, &me.roles).await?;
        let may = |permission: &str| allowed.iter().any(|one| one == permission);
        if !may("manage_system") {
            return Err(Error::NotAdministrator(me.username));
        }
        // Before anything is changed.
        self.standing(&wish.account, &wish.former).await?;
        let version = version_of(&self.rest).await?;
        let set = Set::new(self.rest.get(As::Service, "/config").await?);
        // Older ones do not tell.
        let locked: Option<Value> = self.rest.find(As::Service, "/config/environment").await?;
        let mut plan = Plan {
            administrator: me.username,
            settings: Vec::new(),
            permission: (!may(PERMISSION)).then(|| (ROLE.to_owned(), PERMISSION.to_owned())),
            by_hand: Vec::new(),
            version,
        };
        for (key, after) in self.wanted(wish, &set, &mut plan).await {
            plan.change(&set, locked.as_ref(), key, after);
        }
        Ok(plan)
    }

    /// Settings with the values that they should have, where they have others.
    async fn wanted(&self, wish: &Wish, set: &Set, plan: &mut Plan) -> Vec<(&'static str, Value)> {
        let mut wanted = Vec::new();
        let site_url = self.settings.site_url.as_str().trim_end_matches('/');
        match set.text(SITE_URL).trim_end_matches('/') {
            "" => wanted.push((SITE_URL, json!(site_url))),
            there if there == site_url => {}
            there => plan.leave(
                SITE_URL,
                format!(
                    "it is {there}, and you said {site_url}: run this again with what people open, or change the setting yourself; \
                     links in messages that were sent lead to the old one"
                ),
            ),
        }
        wanted
            .extend(WANTED.into_iter().filter(|key| set.on(key) != Some(true)).map(|key| (key, json!(true))));
        if set.on("RateLimitSettings.Enable") == Some(true)
            && set.on("RateLimitSettings.VaryByUser") != Some(true)
        {
            wanted.push(("RateLimitSettings.VaryByUser", json!(true)));
        }
        wanted.extend(self.inside(set).await.map(|list| (INSIDE, json!(list))));
        if wish.native {
            self.native(set, plan, &mut wanted);
        }
        wanted
    }

    /// The list of inside addresses that may be called, with ours added; None where it is right, or not needed.
    async fn inside(&self, set: &Set) -> Option<String> {
        let host = self.settings.own_url.host_str()?.trim_matches(['[', ']']);
        let port = self.settings.own_url.port_or_known_default()?;
        let mut addresses = tokio::net::lookup_host((host, port)).await.ok()?;
        let listed: Vec<Allowed> = set.words(INSIDE).filter_map(|entry| entry.parse().ok()).collect();
        let is_missing = addresses
            .any(|one| is_inside(one.ip()) && !listed.iter().any(|entry| entry.covers(host, one.ip())));
        is_missing.then(|| format!("{} {host}", set.text(INSIDE).trim()).trim().to_owned())
    }

    fn native(&self, set: &Set, plan: &mut Plan, wanted: &mut Vec<(&'static str, Value)>) {
        let version = numbers(&plan.version);
        if version >= (12, 0) {
            let how = format!(
                "Mattermost {} has no native Apps: their commands and forms are bridged",
                plan.version
            );
            return plan.leave("native Apps", how);
        }
        if set.on("FeatureFlags.AppsEnabled") != Some(true) {
            let how = "set MM_FEATUREFLAGS_APPSENABLED=true in Mattermost's environment and start it anew: it cannot be set otherwise";
            plan.leave("FeatureFlags.AppsEnabled", how.to_owned());
        }
        if version >= (10, 1) && set.at(STATES)[super::look::PLUGIN]["Enable"] != json!(true) {
            let mut states = set.at(STATES).clone();
            states[super::look::PLUGIN] = json!({"Enable": true});
            wanted.push((STATES, states));
        }
        let key = "PluginSettings.Enable";
        if set.on(key) == Some(false) {
            wanted.push((key, json!(true)));
        }
    }

    /// Changes settings, all at once; gives those that have the new value now, and those that have not.
    pub async fn change(&self, settings: &[Setting]) -> Result<(Vec<Setting>, Vec<Setting>), Error> {
        if settings.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut patch: BTreeMap<&str, BTreeMap<&str, &Value>> = BTreeMap::new();
        for one in settings {
            let (section, name) = one.key.split_once('.').unwrap_or(("", &one.key));
            patch.entry(section).or_default().insert(name, &one.after);
        }
        self.rest.tell(Method::PUT, As::Service, "/config/patch", &patch).await?;
        let set = Set::new(self.rest.get(As::Service, "/config").await?);
        Ok(settings.iter().cloned().partition(|one| *set.at(&one.key) == one.after))
    }

    /// Gives a role a permission, or takes it; false where that was so already.
    pub async fn permit(&self, role: &str, permission: &str, allowed: bool) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Role {
            id: String,
            permissions: Vec<String>,
        }
        let mut found: Role = self.rest.get(As::Service, &format!("/roles/name/{role}")).await?;
        if found.permissions.iter().any(|one| one == permission) == allowed {
            return Ok(false);
        }
        found.permissions.retain(|one| one != permission);
        if allowed {
            found.permissions.push(permission.to_owned());
        }
        let path = format!("/roles/{}/patch", found.id);
        self.rest.tell(Method::PUT, As::Service, &path, &json!({"permissions": found.permissions})).await?;
        Ok(true)
    }

    /// Nobody is made an administrator who was not made for this: whoever has the name may know its password.
    async fn standing(&self, name: &str, former: &[String]) -> Result<Standing, Error> {
        let found: Option<User> = self.rest.find(As::Service, &format!("/users/username/{name}")).await?;
        let refused = |why| Err(Error::Account { name: name.to_owned(), why });
        match found {
            None => Ok(Standing::Free),
            Some(user) if user.is_bot => refused("it is a bot, and Mattermost lets no bot make bots"),
            Some(user) if user.delete_at != 0 && former.contains(&user.id) => Ok(Standing::Former(user.id)),
            Some(user) if user.delete_at != 0 => {
                refused("it is deactivated: activate it and give it the role System Admin, if it is yours")
            }
            Some(user) if user.roles.split_whitespace().any(|role| role == ROLE) => {
                Ok(Standing::There(user.id))
            }
            Some(_) => refused("somebody has that name: give it the role System Admin, if it is yours"),
        }
    }

    /// The service's account, made where there is none of the name: its id, and what to write down.
    pub async fn account(&self, wish: &Wish) -> Result<(String, Option<Done>), Error> {
        let name = wish.account.as_str();
        let id = match self.standing(name, &wish.former).await? {
            Standing::There(id) => return Ok((id, None)),
            Standing::Former(id) => {
                let path = format!("/users/{id}/active");
                self.rest.tell(Method::PUT, As::Service, &path, &json!({"active": true})).await?;
                id
            }
            Standing::Free => {
                let host = self.settings.site_url.domain().unwrap_or("localhost");
                // It signs in by tokens alone: nobody needs to know this, so nobody does.
                let password = Zeroizing::new(format!("Aa1!{}", hex(&self.env.bytes::<24>()?)));
                let new = json!({
                    "username": name, "email": format!("{name}@{host}"), "password": password.as_str(),
                    "nickname": "Tessera", "position": "The service that Apps connect accounts with",
                });
                let made: User = self.rest.send(Method::POST, As::Service, "/users", &new).await?;
                made.id
            }
        };
        let roles = json!({"roles": format!("system_user {ROLE}")});
        self.rest.tell(Method::PUT, As::Service, &format!("/users/{id}/roles"), &roles).await?;
        Ok((id.clone(), Some(Done::Account { id, name: name.to_owned() })))
    }

    /// A personal access token of an account.
    pub async fn token(&self, account: &str) -> Result<Made, Error> {
        #[derive(Deserialize)]
        struct New {
            id: String,
            token: AccessToken,
            #[serde(default)]
            expires_at: i64,
        }
        let what = json!({"description": "Tessera, the service itself"});
        let path = format!("/users/{account}/tokens");
        let New { id, token, expires_at } = self.rest.send(Method::POST, As::Service, &path, &what).await?;
        let done = Done::Token { id, account: account.to_owned() };
        Ok(Made { done, token, ends_at: (expires_at > 0).then_some(expires_at) })
    }

    /// Undoes something; in words, what was left as it is, and why.
    pub async fn undo(&self, done: &Done) -> Result<Option<String>, Error> {
        match done {
            Done::Settings { settings } => self.restore(settings).await,
            Done::Permission { role, permission } => {
                self.permit(role, permission, false).await?;
                Ok(None)
            }
            Done::Account { id, name } => {
                let roles = json!({"roles": "system_user"});
                self.rest.tell(Method::PUT, As::Service, &format!("/users/{id}/roles"), &roles).await?;
                self.rest.tell(Method::DELETE, As::Service, &format!("/users/{id}"), &json!({})).await?;
                Ok(Some(format!("@{name} is deactivated: Mattermost keeps accounts")))
            }
            Done::Token { id, .. } => {
                let gone = json!({"token_id": id});
                match self.rest.tell(Method::POST, As::Service, "/users/tokens/revoke", &gone).await {
                    Err(platform::Error::Site { status: 400 | 404, .. }) | Ok(()) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// Settings as they were, where nobody changed them since.
    async fn restore(&self, settings: &[Setting]) -> Result<Option<String>, Error> {
        let set = Set::new(self.rest.get(As::Service, "/config").await?);
        let (ours, others): (Vec<&Setting>, Vec<&Setting>) =
            settings.iter().partition(|one| *set.at(&one.key) == one.after);
        let back: Vec<Setting> = ours
            .into_iter()
            // Mattermost does not let go of an address that it has.
            .filter(|one| one.key != SITE_URL || one.before != json!(""))
            .map(|one| Setting { key: one.key.clone(), before: one.after.clone(), after: one.before.clone() })
            .collect();
        self.change(&back).await?;
        let left: Vec<&str> = others.into_iter().map(|one| one.key.as_str()).collect();
        Ok((!left.is_empty()).then(|| format!("{} changed since, and stays as it is", left.join(", "))))
    }
}

impl Plan {
    /// Nothing.
    pub fn none() -> Self {
        let (version, administrator) = Default::default();
        Self { version, administrator, settings: Vec::new(), permission: None, by_hand: Vec::new() }
    }

    fn leave(&mut self, about: &str, how: String) {
        self.by_hand.push(ByHand { about: about.to_owned(), how });
    }

    /// A setting that the environment sets is changed there alone.
    fn change(&mut self, set: &Set, locked: Option<&Value>, key: &str, after: Value) {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        if locked.is_some_and(|locked| locked[section][name] == json!(true)) {
            return self.leave(key, in_environment(key, &after));
        }
        self.settings.push(Setting { key: key.to_owned(), before: set.at(key).clone(), after });
    }
}

/// How a setting is set in Mattermost's environment.
pub fn in_environment(key: &str, value: &Value) -> String {
    let name = key.replace('.', "_").to_uppercase();
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("set MM_{name}={value} in Mattermost's environment, which sets it now, and start it anew")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
