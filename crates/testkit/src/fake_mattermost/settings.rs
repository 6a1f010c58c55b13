//! Settings, by Mattermost's own names and with its own defaults.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::version::Version;

/// All settings.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    values: BTreeMap<String, Value>,
    /// Those that the environment sets: nobody changes them by REST.
    locked: BTreeSet<String>,
}

/// What a fresh installation has.
fn defaults(version: Version) -> Vec<(&'static str, Value)> {
    let mut all = vec![
        ("ServiceSettings.SiteURL", json!("")),
        ("ServiceSettings.EnableOAuthServiceProvider", json!(true)),
        ("ServiceSettings.EnableUserAccessTokens", json!(false)),
        ("ServiceSettings.EnableBotAccountCreation", json!(false)),
        ("ServiceSettings.EnableCommands", json!(true)),
        ("ServiceSettings.AllowedUntrustedInternalConnections", json!("")),
        ("ServiceSettings.EnablePostUsernameOverride", json!(false)),
        ("ServiceSettings.EnablePostIconOverride", json!(false)),
        ("ServiceSettings.ExperimentalStrictCSRFEnforcement", json!(false)),
        ("ServiceSettings.MaximumPayloadSizeBytes", json!(300_000)),
        ("ServiceSettings.OutgoingIntegrationRequestsTimeout", json!(30)),
        ("ServiceSettings.SessionLengthSSOInHours", json!(720)),
        ("TeamSettings.EnableUserDeactivation", json!(false)),
        ("PluginSettings.Enable", json!(true)),
        ("PluginSettings.EnableUploads", json!(false)),
        ("PluginSettings.PluginStates", json!({})),
        ("PrivacySettings.ShowEmailAddress", json!(true)),
        ("PrivacySettings.ShowFullName", json!(true)),
        ("RateLimitSettings.Enable", json!(false)),
        ("RateLimitSettings.PerSec", json!(10)),
        ("RateLimitSettings.MaxBurst", json!(100)),
        ("RateLimitSettings.VaryByRemoteAddr", json!(true)),
        ("RateLimitSettings.VaryByUser", json!(false)),
    ];
    if version.starts_with_the_apps_flag() {
        all.push(("FeatureFlags.AppsEnabled", json!(version < Version::V10_0)));
    }
    if version.has_public_clients() {
        all.push(("ServiceSettings.EnableDynamicClientRegistration", json!(false)));
    }
    if version.has_token_lifetimes() {
        all.push(("ServiceSettings.MaximumPersonalAccessTokenLifetimeDays", json!(0)));
    }
    if version.has_blocks() {
        all.push(("FeatureFlags.MmBlocksEnabled", json!(true)));
    }
    all
}

/// What whoever is signed out may know too.
const FOR_ALL: [&str; 3] = ["SiteURL", "ExperimentalStrictCSRFEnforcement", "EnableUserDeactivation"];
/// What no client is told.
const FOR_NO_CLIENT: [&str; 2] =
    ["AllowedUntrustedInternalConnections", "OutgoingIntegrationRequestsTimeout"];

impl Settings {
    pub(super) fn of(version: Version) -> Self {
        let values = defaults(version).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Self { values, locked: BTreeSet::new() }
    }

    pub(super) fn set(&mut self, key: &str, value: Value) {
        assert!(key.contains('.'), "{key} has no section");
        self.values.insert(key.to_owned(), value);
    }

    pub(super) fn lock(&mut self, key: &str) {
        self.locked.insert(key.to_owned());
    }

    pub(super) fn is_locked(&self, key: &str) -> bool {
        self.locked.contains(key)
    }

    /// Those that the environment sets, by section.
    pub(super) fn locked(&self) -> Value {
        let mut nested = json!({});
        for (section, name) in self.locked.iter().filter_map(|key| key.split_once('.')) {
            nested[section][name] = json!(true);
        }
        nested
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    pub(super) fn is_on(&self, key: &str) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn number(&self, key: &str) -> i64 {
        self.get(key).and_then(Value::as_i64).unwrap_or_default()
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// As administrators see them: by section.
    pub(super) fn nested(&self) -> Value {
        let mut nested = json!({});
        for (key, value) in &self.values {
            if let Some((section, name)) = key.split_once('.') {
                nested[section][name] = value.clone();
            }
        }
        nested
    }

    /// What of a patch would change something, key by key.
    pub(super) fn changes(&self, patch: &Value) -> Vec<(String, Value)> {
        let sections = patch.as_object().into_iter().flatten();
        let keys = sections.flat_map(|(section, values)| {
            let values = values.as_object().into_iter().flatten();
            values.map(move |(name, value)| (format!("{section}.{name}"), value.clone()))
        });
        keys.filter(|(key, value)| self.get(key) != Some(value)).collect()
    }

    /// What clients are told: a flat map of texts.
    pub(super) fn for_clients(&self, version: Version, signed_in: bool) -> Value {
        let mut flat = Map::new();
        for (key, value) in &self.values {
            let Some((section, name)) = key.split_once('.') else { continue };
            let is_flag = section == "FeatureFlags";
            let hidden =
                matches!(section, "RateLimitSettings" | "PluginSettings") || FOR_NO_CLIENT.contains(&name);
            if hidden || !(signed_in || is_flag || FOR_ALL.contains(&name)) {
                continue;
            }
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let name = if is_flag { format!("FeatureFlag{name}") } else { name.to_owned() };
            flat.insert(name, json!(text));
        }
        let build = format!("{}-build", version);
        for (key, value) in [
            ("Version", version.to_string()),
            ("BuildNumber", build),
            ("BuildEnterpriseReady", "false".into()),
        ] {
            flat.insert(key.to_owned(), json!(value));
        }
        if version.tells_of_the_apps_plugin() {
            let states = self.get("PluginSettings.PluginStates");
            let on = states.is_some_and(|states| states["com.mattermost.apps"]["Enable"] == true);
            flat.insert(
                "AppsPluginEnabled".to_owned(),
                json!((on && self.is_on("PluginSettings.Enable")).to_string()),
            );
        }
        Value::Object(flat)
    }
}
