//! Settings, by Mattermost's own names (C.12), and what its version makes of them.

use serde_json::Value;

use super::super::rest::As;
use super::{Findings, Look, PLUGIN, numbers, version_of};

/// Every setting, as an administrator sees them.
pub(in super::super) struct Set(Value);

impl Set {
    pub(in super::super) fn new(config: Value) -> Self {
        Self(config)
    }

    pub(in super::super) fn at(&self, key: &str) -> &Value {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        &self.0[section][name]
    }

    pub(in super::super) fn on(&self, key: &str) -> Option<bool> {
        self.at(key).as_bool()
    }

    pub(in super::super) fn text(&self, key: &str) -> &str {
        self.at(key).as_str().unwrap_or_default()
    }

    /// The entries of a list, which blanks or commas part.
    pub(in super::super) fn words(&self, key: &str) -> impl Iterator<Item = &str> {
        let separators = |symbol: char| symbol.is_whitespace() || symbol == ',';
        self.text(key).split(separators).filter(|entry| !entry.is_empty())
    }

    fn number(&self, key: &str) -> Option<i64> {
        self.at(key).as_i64()
    }
}

impl Look {
    /// Each setting that matters, by its own name; gives them all.
    pub(super) async fn look_at_settings(&self, findings: &mut Findings) -> Option<Set> {
        let config: Value = match self.rest.get(As::Service, "/config").await {
            Ok(config) => config,
            Err(error) => {
                findings.need(
                    "settings",
                    false,
                    error.to_string(),
                    "the account must be allowed to read them (manage_system)",
                );
                return None;
            }
        };
        let set = Set::new(config);
        let site_url = set.text("ServiceSettings.SiteURL").trim_end_matches('/').to_owned();
        let wanted = self.settings.site_url.as_str().trim_end_matches('/');
        let mend = "set it to what people open, and mattermost.url to the same: links and redirects are built from it";
        findings.need(
            "ServiceSettings.SiteURL",
            site_url == wanted,
            format!("it is {site_url:?}, mattermost.url is {wanted:?}"),
            mend,
        );
        for (key, mend) in NEEDED {
            let value = set.on(key).unwrap_or_default();
            findings.need(key, value, value.to_string(), mend);
        }
        let key = "ServiceSettings.EnableCommands";
        let commands = set.on(key).unwrap_or(true);
        let mend = "switch it on where people shall use Apps' commands";
        findings.want(key, commands, commands.to_string(), mend);
        self.look_at_limits(findings, &set);
        let key = "ServiceSettings.ExperimentalStrictCSRFEnforcement";
        let strict = set.on(key).unwrap_or_default();
        let mend = "it works, and Mattermost's own client minds nothing; scripts of yours that send X-Requested-With alone with a \
                    cookie are refused by it: have them send X-CSRF-Token, or switch it off";
        findings.want(key, !strict, strict.to_string(), mend);
        // Told because people look for it: the service speaks as bots.
        for key in ["ServiceSettings.EnablePostUsernameOverride", "ServiceSettings.EnablePostIconOverride"] {
            let value = set.on(key).unwrap_or_default();
            findings.want(key, true, format!("{value}; the service needs neither"), "");
        }
        self.look_at_version(findings, &set).await;
        Some(set)
    }

    /// What may be too little, or end too soon.
    fn look_at_limits(&self, findings: &mut Findings, set: &Set) {
        let limited = set.on("RateLimitSettings.Enable").unwrap_or_default()
            && !set.on("RateLimitSettings.VaryByUser").unwrap_or_default();
        let found = if limited { "on, counted by address" } else { "as it should be" };
        let mend = "switch RateLimitSettings.VaryByUser on, or raise the limits: all that the service asks comes from one address";
        findings.want("RateLimitSettings.Enable", !limited, found, mend);
        let key = "ServiceSettings.OutgoingIntegrationRequestsTimeout";
        if let Some(seconds) = set.number(key) {
            let mend = "raise it to 30, its default: the service answers a slash command within 3 s, and a form when its App did";
            findings.want(key, seconds >= ENOUGH_S, format!("{seconds} s"), mend);
        }
        let key = "ServiceSettings.MaximumPersonalAccessTokenLifetimeDays";
        if let Some(days) = set.number(key).filter(|days| *days > 0) {
            let mend = "the service's own token ends by it, and from 12.0 on those of bots that a person owns: give the service a new \
                        one in time, or set it to 0; bots' tokens are made anew by themselves";
            findings.want(key, false, format!("{days} days"), mend);
        }
    }

    /// Native Apps, as the web client draws them: by version, a flag and a plugin's state that no plugin stands behind.
    async fn look_at_version(&self, findings: &mut Findings, set: &Set) {
        let flag = set.on("FeatureFlags.AppsEnabled").unwrap_or_default();
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
            let key = "PluginSettings.Enable";
            let plugins = set.on(key).unwrap_or(true);
            let mend = "switch it on if its clients shall draw Apps themselves: they look at it, though no plugin is needed";
            findings.want(key, plugins || !flag, plugins.to_string(), mend);
            let state = set.at("PluginSettings.PluginStates")[PLUGIN]["Enable"].as_bool().unwrap_or_default();
            let mend = "set PluginSettings.PluginStates[\"com.mattermost.apps\"] to {\"Enable\": true} if its clients shall draw Apps \
                        themselves; install no plugin with that id";
            findings.want("PluginSettings.PluginStates", state || !flag, state.to_string(), mend);
        }
    }
}

/// For how long Mattermost must wait for an answer at least, s.
const ENOUGH_S: i64 = 3;

/// Settings that must be on, and what for.
const NEEDED: [(&str, &str); 3] = [
    ("ServiceSettings.EnableOAuthServiceProvider", "switch it on: without it no App can act for people"),
    ("ServiceSettings.EnableUserAccessTokens", "switch it on: the service's own token is one"),
    ("ServiceSettings.EnableBotAccountCreation", "switch it on: each App has a bot"),
];
