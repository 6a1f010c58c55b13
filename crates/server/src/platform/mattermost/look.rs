//! Looks at a Mattermost from where the service stands: what is set otherwise than it must be, by the setting's own name
//! (C.12). Nothing is changed by it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use http::{HeaderMap, Method, header};
use serde::Serialize;
use serde_json::Value;
use tessera_types::{User, json, routes};

use super::rest::{As, Rest};
use super::rights::permissions_of;
use super::{Mattermost, Settings};
use crate::egress::Egress;
use crate::env::Env;
use crate::platform::Error;

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
    pub about: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do; empty where there is nothing to be done.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mend: &'static str,
}

/// How far two clocks may be apart, ms.
const APART: i64 = 30_000;

/// Everything that is looked at, in order.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn say(&mut self, about: &'static str, state: State, found: impl Into<String>, mend: &'static str) {
        let mend = if state == State::Good { "" } else { mend };
        self.0.push(Finding { about, state, found: found.into(), mend });
    }

    fn need(&mut self, about: &'static str, good: bool, found: impl Into<String>, mend: &'static str) {
        self.say(about, if good { State::Good } else { State::Bad }, found, mend);
    }

    fn want(&mut self, about: &'static str, good: bool, found: impl Into<String>, mend: &'static str) {
        self.say(about, if good { State::Good } else { State::Warning }, found, mend);
    }
}

/// Whoever looks.
pub struct Look {
    rest: Rest,
    settings: Settings,
    env: Env,
}

impl Look {
    /// At the Mattermost of these settings.
    pub fn new(egress: Arc<Egress>, env: Env, settings: Settings) -> Self {
        let rest = Rest::new(egress, env.clone(), settings.internal_url.clone(), settings.token.clone());
        Self { rest, settings, env }
    }

    /// Looks at everything. What cannot be looked at, as something before it failed, is left out.
    pub async fn look(&self) -> Vec<Finding> {
        let mut findings = Findings::default();
        if self.look_at_server(&mut findings).await && self.look_at_account(&mut findings).await {
            self.look_at_settings(&mut findings).await;
        }
        self.look_at_path(&mut findings).await;
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

    async fn look_at_settings(&self, findings: &mut Findings) {
        let config: Value = match self.rest.get(As::Service, "/config").await {
            Ok(config) => config,
            Err(error) => {
                findings.need(
                    "settings",
                    false,
                    error.to_string(),
                    "the account must be allowed to read them (manage_system)",
                );
                return;
            }
        };
        let at = |key: &str| {
            let (section, name) = key.split_once('.').unwrap_or(("", key));
            config[section][name].clone()
        };
        let on = |key: &str| at(key).as_bool();
        let site_url =
            at("ServiceSettings.SiteURL").as_str().unwrap_or_default().trim_end_matches('/').to_owned();
        let wanted = self.settings.site_url.as_str().trim_end_matches('/');
        let mend = "set it to what people open, and mattermost.url to the same: links and redirects are built from it";
        findings.need(
            "ServiceSettings.SiteURL",
            site_url == wanted,
            format!("it is {site_url:?}, mattermost.url is {wanted:?}"),
            mend,
        );
        for (key, mend) in NEEDED {
            let value = on(key).unwrap_or_default();
            findings.need(key, value, value.to_string(), mend);
        }
        let key = "ServiceSettings.EnableCommands";
        let commands = on(key).unwrap_or(true);
        findings.want(
            key,
            commands,
            commands.to_string(),
            "switch it on where people shall use Apps' commands",
        );
        let limited = on("RateLimitSettings.Enable").unwrap_or_default()
            && !on("RateLimitSettings.VaryByUser").unwrap_or_default();
        let found = if limited { "on, counted by address" } else { "as it should be" };
        let mend = "switch RateLimitSettings.VaryByUser on, or raise the limits: all that the service asks comes from one address";
        findings.want("RateLimitSettings.Enable", !limited, found, mend);
        self.look_at_version(
            findings,
            on("FeatureFlags.AppsEnabled").unwrap_or_default(),
            &at("PluginSettings.PluginStates"),
        )
        .await;
    }

    /// Native Apps, as the web client draws them: by version, a flag and a plugin's state that no plugin stands behind.
    async fn look_at_version(&self, findings: &mut Findings, flag: bool, states: &Value) {
        let version = version_of(&self.rest).await.unwrap_or_default();
        let (major, minor) = numbers(&version);
        findings.want(
            "version",
            major >= 5,
            format!("Mattermost {version}"),
            "it was tried with 5.37 and later",
        );
        let about = "FeatureFlags.AppsEnabled";
        if major >= 12 {
            findings.need(
                about,
                !flag,
                format!("{flag}; Mattermost {version} has no native Apps"),
                "take MM_FEATUREFLAGS_APPSENABLED away: this version does not know it any more",
            );
            return;
        }
        let mend = "set MM_FEATUREFLAGS_APPSENABLED=true in Mattermost's environment if its clients shall draw Apps themselves";
        findings.want(about, flag, flag.to_string(), mend);
        if (major, minor) >= (10, 1) {
            let state = states[PLUGIN]["Enable"].as_bool().unwrap_or_default();
            let mend = "set PluginSettings.PluginStates[\"com.mattermost.apps\"] to {\"Enable\": true} if its clients shall draw Apps \
                        themselves; install no plugin with that id";
            findings.want("PluginSettings.PluginStates", state || !flag, state.to_string(), mend);
        }
    }

    /// Whether what people open below the framework's path is this service.
    async fn look_at_path(&self, findings: &mut Findings) {
        let address = routes::below_site(
            self.settings.own_url.as_str(),
            &format!("{}/openapi.json", routes::TESSERA_V1),
        );
        let answered = self.rest.fetch(&address).await;
        let is_us = answered.as_ref().is_ok_and(|reply| {
            let document: Result<Value, _> = json::from_slice_strict(&reply.body);
            document.is_ok_and(|document| {
                document["info"]["title"].as_str().is_some_and(|title| title.contains("Tessera"))
            })
        });
        let found = match answered {
            Ok(_) if is_us => format!("{address} is this service"),
            Ok(reply) => format!("{address} answers {}, and not as this service does", reply.status),
            Err(error) => format!("{address}: {error}"),
        };
        let mend = "have the proxy lead /plugins/com.mattermost.apps/ to the service, path and Host unchanged, and see that the \
                    service runs";
        findings.need("proxy path", is_us, found, mend);
    }
}

/// Its version, as it says it.
async fn version_of(rest: &Rest) -> Result<String, Error> {
    let mut config: HashMap<String, String> = rest.get(As::Service, "/config/client?format=old").await?;
    Ok(config.remove("Version").unwrap_or_default())
}

/// Major and minor; zero where it says none.
fn numbers(version: &str) -> (u32, u32) {
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

const PLUGIN: &str = "com.mattermost.apps";

/// Settings that must be on, and what for.
const NEEDED: [(&str, &str); 3] = [
    ("ServiceSettings.EnableOAuthServiceProvider", "switch it on: without it no App can act for people"),
    ("ServiceSettings.EnableUserAccessTokens", "switch it on: the service's own token is one"),
    ("ServiceSettings.EnableBotAccountCreation", "switch it on: each App has a bot"),
];
