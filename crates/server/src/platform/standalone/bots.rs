//! The bots of Apps, and the tokens that Apps act with.

use std::collections::BTreeMap;

use tessera_types::{AppId, User};

use super::people::row_of;
use super::{Error, Standalone};
use crate::platform::app_tokens::Holder;
use crate::platform::{self, AppToken, Bot};
use crate::store::site::{NewPerson, PersonRow};

/// The App that is part of the service; it acts without tokens.
const BUILTIN: &str = "apps";

impl Standalone {
    /// The bot of an App: user name = App id in lower case, or that with `-app` where a person has the name
    /// (section 9.3, step 7).
    pub(super) async fn bot_of(&self, app: &AppId, display_name: &str) -> Result<Bot, platform::Error> {
        let name = app.as_str().to_lowercase();
        let names = [name.clone(), format!("{name}-app")];
        for username in &names {
            let row = match self.site.people.by_name(username).await? {
                Some(row) => row,
                None => self.create_bot(username, display_name).await?,
            };
            if row.is_bot {
                self.freshen_bot(&row.id, display_name).await?;
                return Ok(Bot { user_id: row.id, username: row.username });
            }
        }
        Err(platform::Error::NameTaken(name))
    }

    /// A new bot, or whoever took the name at this moment.
    async fn create_bot(&self, username: &str, display_name: &str) -> Result<PersonRow, platform::Error> {
        let now = self.env.now_ms();
        let user = User {
            id: self.env.id()?,
            create_at: now,
            update_at: now,
            username: username.to_owned(),
            email: format!("{username}@localhost"),
            email_verified: true,
            first_name: display_name.to_owned(),
            roles: "system_user".to_owned(),
            locale: self.settings.locale.clone(),
            timezone: Some(automatic_timezone()),
            is_bot: true,
            bot_description: description(display_name),
            disable_welcome_email: true,
            ..User::default()
        };
        self.site.people.add(NewPerson { row: row_of(&user, 1)?, password: None }).await?;
        let row = self.site.people.by_name(username).await?;
        row.ok_or(platform::Error::Contended("the bot's name"))
    }

    /// Active, and named as the App is now.
    async fn freshen_bot(&self, id: &str, display_name: &str) -> Result<(), Error> {
        let now = self.env.now_ms();
        self.change_user(id, |bot| {
            let stale = bot.delete_at != 0 || bot.first_name != display_name;
            if stale {
                bot.delete_at = 0;
                bot.update_at = now;
                bot.first_name = display_name.to_owned();
                bot.bot_description = description(display_name);
            }
            stale
        })
        .await
    }

    /// The token with which an App acts as someone.
    pub(super) async fn hand_out(&self, app: &AppId, user_id: &str) -> Result<AppToken, platform::Error> {
        if app.as_str() == BUILTIN {
            let reason = format!("builtin app '{app}' can't have app specific session");
            return Ok(AppToken::Refused(reason));
        }
        let Some(user) = self.site.people.get(user_id).await? else {
            return Ok(AppToken::Refused(": Unable to find the user.".to_owned()));
        };
        if user.delete_at != 0 {
            return Ok(AppToken::Refused(inactive()));
        }
        let record = self.apps.get(app).await?;
        let client = record.as_ref().and_then(|record| {
            let client = record.mattermost_oauth2.as_ref()?;
            Some((client.id.as_str(), client.name.as_str()))
        });
        let holder = Holder { app, user: user_id, roles: &user.roles, client };
        let token = self.tokens.hand_out(&holder).await?;
        // Who was deactivated at this very moment shall not find a live token after coming back.
        if self.site.people.get(user_id).await?.is_none_or(|row| row.delete_at != 0) {
            self.tokens.revoke_user(user_id).await?;
            return Ok(AppToken::Refused(inactive()));
        }
        Ok(AppToken::Token(token))
    }
}

/// What Mattermost's clients take for "follow the browser".
pub(super) fn automatic_timezone() -> BTreeMap<String, String> {
    [("useAutomaticTimezone", "true"), ("automaticTimezone", ""), ("manualTimezone", "")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn description(display_name: &str) -> String {
    format!("Bot account for `{display_name}` App.")
}

fn inactive() -> String {
    "the account is deactivated".to_owned()
}
