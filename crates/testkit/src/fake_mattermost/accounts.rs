//! Accounts of people and bots, and what others are shown of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tessera_types::User as Shown;

use super::settings::Settings;
use super::state::{State, fresh};

/// An account.
#[derive(Debug, Clone)]
pub(super) struct User {
    /// All of it that anybody is shown.
    pub(super) shown: Shown,
    /// Whose bot it is.
    pub(super) owner: String,
    pub(super) bot_display_name: String,
    /// How often its picture was set.
    pub(super) pictures: usize,
    /// Signing in needs a second factor, which is missing.
    pub(super) lacks_mfa: bool,
}

impl User {
    pub(super) fn person(name: &str, roles: &str, now: i64) -> Self {
        let zone = [("automaticTimezone", ""), ("manualTimezone", ""), ("useAutomaticTimezone", "true")];
        let owned = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Some(pairs.collect::<BTreeMap<_, _>>())
        };
        let shown = Shown {
            id: fresh(),
            create_at: now,
            update_at: now,
            username: name.to_owned(),
            email: format!("{name}@example.com"),
            roles: roles.to_owned(),
            locale: "en".to_owned(),
            timezone: owned(&zone),
            notify_props: owned(&[("desktop", "mention"), ("channel", "true")]),
            ..Shown::default()
        };
        Self { shown, owner: String::new(), bot_display_name: String::new(), pictures: 0, lacks_mfa: false }
    }

    pub(super) fn bot(name: &str, display_name: &str, description: &str, owner: &str, now: i64) -> Self {
        let mut bot = Self::person(name, "system_user", now);
        bot.shown.is_bot = true;
        bot.shown.email = format!("{name}@localhost");
        bot.shown.first_name = display_name.to_owned();
        bot.shown.bot_description = description.to_owned();
        Self { owner: owner.to_owned(), bot_display_name: display_name.to_owned(), ..bot }
    }

    pub(super) fn id(&self) -> &str {
        &self.shown.id
    }

    pub(super) fn name(&self) -> &str {
        &self.shown.username
    }

    pub(super) fn roles(&self) -> String {
        self.shown.roles.clone()
    }

    pub(super) fn is_bot(&self) -> bool {
        self.shown.is_bot
    }

    /// As somebody sees it: themselves and administrators see all, others what the site shows.
    pub(super) fn json_for(&self, caller: &str, is_admin: bool, settings: &Settings) -> Value {
        let mut user = self.shown.clone();
        let is_self = caller == user.id;
        if !is_self {
            user.notify_props = None;
        }
        if !is_self && !is_admin {
            if !settings.is_on("PrivacySettings.ShowEmailAddress") {
                user.email.clear();
            }
            if !settings.is_on("PrivacySettings.ShowFullName") {
                user.first_name.clear();
                user.last_name.clear();
            }
        }
        let mut shown = serde_json::to_value(user).unwrap();
        shown["auth_data"] = json!("");
        shown
    }

    /// As a bot.
    pub(super) fn bot_json(&self) -> Value {
        let user = &self.shown;
        json!({
            "user_id": user.id, "username": user.username, "display_name": self.bot_display_name,
            "description": user.bot_description, "owner_id": self.owner, "create_at": user.create_at,
            "update_at": user.update_at, "delete_at": user.delete_at,
        })
    }
}

impl State {
    pub(super) fn user_named(&self, name: &str) -> Option<&User> {
        self.users.values().find(|user| user.name() == name)
    }

    /// Deactivates an account, which ends its sessions, or activates it again.
    pub(super) fn set_active(&mut self, user: &str, active: bool) {
        let now = self.now();
        if let Some(found) = self.users.get_mut(user) {
            found.shown.delete_at = if active { 0 } else { now };
            found.shown.update_at = now;
        }
        if !active {
            self.end_all_sessions(user);
        }
    }

    /// What somebody is shown of an account.
    pub(super) fn show(&self, caller: &str, user: &User) -> Value {
        user.json_for(caller, self.allows(caller, "manage_system"), &self.settings)
    }
}
