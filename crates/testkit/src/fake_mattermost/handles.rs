//! What tests change and look at: settings, people, their sessions and tokens.

use serde_json::Value;

use super::FakeMattermost;
use super::accounts::User;
use super::asked::{Logged, text};
use super::failures::Failure;
use super::rights::Role;
use super::sessions::Session;

impl FakeMattermost {
    /// Changes a setting, by its own name: `ServiceSettings.EnableCommands`.
    pub fn set(&self, key: &str, value: impl Into<Value>) {
        self.state().settings.set(key, value.into());
    }

    /// Where browsers find it; it lies below that address' path from now on.
    pub fn set_site_url(&self, url: &str) {
        self.set("ServiceSettings.SiteURL", url);
    }

    /// Moves its clock, which stands still by itself: triggers, codes, sessions and limits end by it.
    pub fn advance_ms(&self, by: i64) {
        self.state().clock.advance(by);
    }

    /// How far its clock, as the header `Date` tells it, is ahead, ms.
    pub fn set_clock_skew(&self, by: i64) {
        self.state().clock.skew = by;
    }

    /// Adds a person with the role `system_user`, whose password is their name; gives their id.
    pub fn add_user(&self, name: &str) -> String {
        self.add_user_with(name, "system_user")
    }

    /// Adds a person with these roles: names with blanks between.
    pub fn add_user_with(&self, name: &str, roles: &str) -> String {
        let mut state = self.state();
        let user = User::person(name, roles, state.now());
        let id = user.id().to_owned();
        state.users.insert(id.clone(), user);
        id
    }

    /// Adds a system administrator.
    pub fn add_admin(&self, name: &str) -> String {
        self.add_user_with(name, "system_user system_admin")
    }

    /// Adds a bot of somebody's.
    pub fn add_bot(&self, name: &str, owner: &str) -> String {
        let mut state = self.state();
        let bot = User::bot(name, name, "", owner, state.now());
        let id = bot.id().to_owned();
        state.users.insert(id.clone(), bot);
        id
    }

    /// The id of an account.
    pub fn user_id(&self, name: &str) -> Option<String> {
        self.state().user_named(name).map(|user| user.id().to_owned())
    }

    /// Whether an account is active.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn is_active(&self, user: &str) -> bool {
        self.state().users[user].shown.delete_at == 0
    }

    /// How often an account's picture was set.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn pictures_of(&self, user: &str) -> usize {
        self.state().users[user].pictures
    }

    /// Changes an account in whatever way.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn change_user(&self, user: &str, change: impl FnOnce(&mut tessera_types::User)) {
        change(&mut self.state().users.get_mut(user).unwrap().shown);
    }

    /// Changes somebody's roles: names with blanks between.
    pub fn set_roles(&self, user: &str, roles: &str) {
        self.change_user(user, |user| roles.clone_into(&mut user.roles));
    }

    /// Adds a role of the site's own.
    pub fn add_role(&self, name: &str, permissions: &[&str]) {
        self.state().roles.insert(name.to_owned(), Role::of(permissions));
    }

    /// Gives a permission to a role.
    ///
    /// # Panics
    /// When there is no such role.
    pub fn grant(&self, role: &str, permission: &str) {
        self.state().roles.get_mut(role).unwrap().permissions.insert(permission.to_owned());
    }

    /// Takes a permission from a role.
    ///
    /// # Panics
    /// When there is no such role.
    pub fn deny(&self, role: &str, permission: &str) {
        self.state().roles.get_mut(role).unwrap().permissions.remove(permission);
    }

    /// Deactivates somebody: their sessions end, and their tokens count no more.
    pub fn deactivate(&self, user: &str) {
        self.state().set_active(user, false);
    }

    /// Activates somebody again.
    pub fn activate(&self, user: &str) {
        self.state().set_active(user, true);
    }

    /// Demands a second factor of somebody who has none: they are nobody until they have one.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn demand_mfa(&self, user: &str, demanded: bool) {
        self.state().users.get_mut(user).unwrap().lacks_mfa = demanded;
    }

    /// Signs somebody in.
    pub fn session(&self, user: &str) -> Session {
        self.state().new_session(user)
    }

    /// Signs somebody out everywhere: what is not a personal access token ends.
    pub fn end_sessions(&self, user: &str) {
        self.state().end_all_sessions(user);
    }

    /// The props of the session that a token stands for.
    pub fn session_props(&self, token: &str) -> Option<std::collections::BTreeMap<String, String>> {
        self.state().of_token(token).map(|session| session.props)
    }

    /// Whose a token is, as long as it counts.
    pub fn holder(&self, token: &str) -> Option<String> {
        self.state().of_token(token).map(|session| session.user)
    }

    /// Ends a token, as an administrator does.
    ///
    /// # Panics
    /// When there is no such token.
    pub fn revoke(&self, token: &str) {
        let mut state = self.state();
        let known = state.pats.len();
        state.pats.retain(|_, pat| pat.token != token);
        assert!(state.pats.len() < known || state.sessions.contains_key(token), "no such token");
        state.end_session(token);
    }

    /// A personal access token of somebody's, whatever the settings say.
    pub fn personal_token(&self, user: &str) -> String {
        self.state().new_pat(user, "made by a test", 0).token
    }

    /// A personal access token of a system administrator who is there for it.
    pub fn service_token(&self) -> String {
        let id = self.user_id("tessera").unwrap_or_else(|| self.add_admin("tessera"));
        self.personal_token(&id)
    }

    /// Refresh tokens that are out.
    pub fn refresh_tokens(&self) -> Vec<String> {
        let state = self.state();
        let grants = state.provider.grants.values().map(|grant| grant.refresh.clone());
        grants.filter(|refresh| !refresh.is_empty()).collect()
    }

    /// The clients that are registered at its provider, without their secrets.
    pub fn oauth_apps(&self) -> Vec<Value> {
        self.state().provider.apps.values().map(|app| app.shown(false)).collect()
    }

    /// The secrets of those clients.
    pub fn client_secrets(&self) -> Vec<String> {
        self.state().provider.apps.values().map(|app| text(&app.shown(true), "client_secret")).collect()
    }

    /// What it was asked so far.
    pub fn requests(&self) -> Vec<Logged> {
        self.state().log.clone()
    }

    /// The requests so far to a path that begins so.
    pub fn requests_to(&self, method: &str, path: &str) -> Vec<Logged> {
        let all = self.requests().into_iter();
        all.filter(|one| one.method == method && one.path.starts_with(path)).collect()
    }

    /// How often a path was asked for that begins so.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.requests_to(method, path).len()
    }

    /// Forgets what it was asked so far.
    pub fn forget_requests(&self) {
        self.state().log.clear();
    }

    /// What it wrote to its own log.
    pub fn warnings(&self) -> Vec<String> {
        self.state().warnings.clone()
    }

    /// Makes the next request fail whose path begins so, below the site's own path.
    pub fn fail_next(&self, path: &str, failure: Failure) {
        self.fail_times(path, failure, 1);
    }

    /// The same for so many requests.
    pub fn fail_times(&self, path: &str, failure: Failure, times: usize) {
        self.state().failures.add(path, failure, times);
    }
}
