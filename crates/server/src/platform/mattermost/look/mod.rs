//! Looks at a Mattermost from where the service stands: what is set otherwise than it must be, by the setting's own name
//! (C.12). Nothing is changed by it, but for a slash command that is there for a moment.

mod reach;
mod settings;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use http::{HeaderMap, Method, header};
use serde::Serialize;
use tessera_types::User;

use super::rest::{As, Rest};
use super::rights::permissions_of;
use super::{Mattermost, Settings};
use crate::egress::Egress;
use crate::env::Env;
use crate::platform::Error;
pub(super) use settings::Set;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// It works, with less, or for now.
    Warning,
    /// It does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What: a setting by its own name, or a word.
    pub about: String,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do; empty where there is nothing to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mend: String,
}

impl Finding {
    /// One; what is good needs no mend.
    pub fn new(
        about: impl Into<String>,
        state: State,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        let mend = if state == State::Good { String::new() } else { mend.into() };
        Self { about: about.into(), state, found: found.into(), mend }
    }
}

/// The plugin whose state clients look at, although it need not be there.
pub(super) const PLUGIN: &str = "com.mattermost.apps";

/// How far two clocks may be apart, ms.
const APART: i64 = 30_000;

/// Everything that is looked at, in order.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn say(&mut self, about: &str, state: State, found: impl Into<String>, mend: &str) {
        self.0.push(Finding::new(about, state, found, mend));
    }

    fn need(&mut self, about: &str, good: bool, found: impl Into<String>, mend: &str) {
        self.say(about, if good { State::Good } else { State::Bad }, found, mend);
    }

    fn want(&mut self, about: &str, good: bool, found: impl Into<String>, mend: &str) {
        self.say(about, if good { State::Good } else { State::Warning }, found, mend);
    }
}

/// Whoever looks.
pub struct Look {
    rest: Rest,
    settings: Settings,
    env: Env,
    /// Whether Mattermost is made to call us.
    command: Command,
}

/// Whether Mattermost is made to call us, by a slash command that is there for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// It is.
    Try,
    /// Nothing at all is changed.
    Leave,
}

impl Look {
    /// At the Mattermost of these settings.
    pub fn new(egress: Arc<Egress>, env: Env, settings: Settings, command: Command) -> Self {
        let rest = Rest::new(egress, env.clone(), settings.internal_url.clone(), settings.token.clone());
        Self { rest, settings, env, command }
    }

    /// Looks at everything. What cannot be looked at, as something before it failed, is left out.
    pub async fn look(&self) -> Vec<Finding> {
        let mut findings = Findings::default();
        let known = self.look_at_server(&mut findings).await && self.look_at_account(&mut findings).await;
        let set = if known { self.look_at_settings(&mut findings).await } else { None };
        let is_us = self.look_at_path(&mut findings).await;
        if let Some(set) = set {
            self.look_at_callbacks(&mut findings, &set, is_us).await;
        }
        findings.0
    }

    /// Whether it answers, and by which clock.
    async fn look_at_server(&self, findings: &mut Findings) -> bool {
        let about = "mattermost.url";
        let mend =
            "look at mattermost.url and mattermost.internal_url: the service must reach the REST API there";
        let reply = self.rest.exchange(Method::GET, "/system/ping", HeaderMap::new(), None).await;
        let reply = match reply {
            Ok(reply) if reply.status.is_success() => reply,
            Ok(reply) => {
                findings.need(
                    about,
                    false,
                    format!("{} answers {}", self.settings.internal_url, reply.status),
                    mend,
                );
                return false;
            }
            Err(error) => {
                findings.need(about, false, error.to_string(), mend);
                return false;
            }
        };
        findings.need(about, true, format!("{} answers", self.settings.internal_url), mend);
        let date = reply.headers.get(header::DATE).and_then(|value| value.to_str().ok());
        if let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok())
            && let Ok(since) = date.duration_since(std::time::UNIX_EPOCH)
        {
            let apart = self.env.now_ms() - i64::try_from(since.as_millis()).unwrap_or_default();
            let found = format!("the two clocks are {} s apart", apart.abs() / 1_000);
            let mend = "set both machines' clocks by NTP: signatures and codes end by them";
            findings.want("clocks", apart.abs() <= APART, found, mend);
        }
        true
    }

    /// Whether the service is somebody there, and who may do what it must.
    async fn look_at_account(&self, findings: &mut Findings) -> bool {
        let about = "mattermost.token";
        let me: User = match self.rest.get(As::Service, "/users/me").await {
            Ok(me) => me,
            Err(error) => {
                let mend = "make a personal access token of a system administrator, with ServiceSettings.EnableUserAccessTokens \
                            switched on, and write it to mattermost.token or the file that mattermost.token_file names";
                findings.need(about, false, error.to_string(), mend);
                return false;
            }
        };
        let mend = "the account must be a person's: Mattermost lets no bot make bots";
        findings.need(about, !me.is_bot, format!("the service is @{}", me.username), mend);
        if self.settings.danger_admin_tokens {
            let found =
                "on: Apps act for people without asking them, by tokens that do not end by themselves";
            let mend = "leave it off unless Mattermost's own OAuth2 provider cannot be used";
            findings.want("mattermost.danger_admin_tokens", false, found, mend);
        }
        let allowed = permissions_of(&self.rest, &me.roles).await.unwrap_or_default();
        for permission in
            ["manage_system", "create_bot", "manage_others_bots", "create_user_access_token", "manage_oauth"]
        {
            if !allowed.iter().any(|one| one == permission) {
                let found = format!("@{} lacks the permission {permission}", me.username);
                let mend = match permission {
                    "manage_oauth" => {
                        "give it to the account's role: `mmctl permissions add system_admin manage_oauth` (Mattermost 11 may not \
                         give it to administrators by itself)"
                    }
                    _ => "give the account a role that has it, such as system_admin",
                };
                findings.need(about, false, found, mend);
            }
        }
        true
    }
}

/// Its version, as it says it.
pub(super) async fn version_of(rest: &Rest) -> Result<String, Error> {
    let mut config: HashMap<String, String> = rest.get(As::Service, "/config/client?format=old").await?;
    Ok(config.remove("Version").unwrap_or_default())
}

/// Major and minor; zero where it says none.
pub(super) fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').filter_map(|number| number.parse::<u32>().ok());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

impl Mattermost {
    /// Its version: asked for once in an hour, as it changes with its start alone.
    pub(super) async fn known_version(&self) -> Result<(u32, u32), Error> {
        let now = self.env.now_ms();
        let known = *self.version.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, version)) = known
            && now - at < HOUR
        {
            return Ok(version);
        }
        let version = numbers(&version_of(&self.rest).await?);
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, version));
        Ok(version)
    }
}

/// ms.
const HOUR: i64 = 3_600_000;
