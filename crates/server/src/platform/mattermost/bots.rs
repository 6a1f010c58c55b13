//! The bot account of each App, and the token with which the App speaks as it (C.3).

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tessera_types::{AccessToken, AppId, User};

use super::Mattermost;
use super::rest::{As, is_id};
use crate::platform::app_tokens::{Holder, Kept, TOKEN_ID};
use crate::platform::{AppToken, Bot, Error, Freshness};

/// A personal access token that was just made: its secret is shown this once.
#[derive(Deserialize)]
struct NewToken {
    id: String,
    token: AccessToken,
}

#[derive(Deserialize)]
struct BotAccount {
    user_id: String,
    username: String,
}

/// A token of a bot lasts until it is ended; a sweep must not take the row away before.
const LIFE_MS: i64 = 10 * 365 * 86_400_000;
/// After how long a token is replaced when it is next needed.
const ROTATED_AFTER_MS: i64 = 30 * 86_400_000;
/// For how long the one before goes on: longer than a call and what its App does afterwards may take.
const GRACE_MS: i64 = 3_600_000;

impl Mattermost {
    /// The bot of an App: user name = App id in lower case, or that with `-app` where a person has the name
    /// (section 9.3, step 7).
    pub(super) async fn bot_of(&self, app: &AppId, display_name: &str) -> Result<Bot, Error> {
        let name = app.as_str().to_lowercase();
        for username in [name.clone(), format!("{name}-app")] {
            let found: Option<User> =
                self.rest.find(As::Service, &format!("/users/username/{username}")).await?;
            match found {
                Some(user) if !user.is_bot => {}
                Some(user) => {
                    self.switch_bot(&user.id, true).await?;
                    let named = json!({"username": username, "display_name": display_name, "description": described(display_name)});
                    self.rest.tell(Method::PUT, As::Service, &format!("/bots/{}", user.id), &named).await?;
                    return Ok(Bot { user_id: user.id, username });
                }
                None => {
                    let new = json!({"username": username, "display_name": display_name, "description": described(display_name)});
                    let made: BotAccount = self.rest.send(Method::POST, As::Service, "/bots", &new).await?;
                    return Ok(Bot { user_id: made.user_id, username: made.username });
                }
            }
        }
        Err(Error::NameTaken(name))
    }

    pub(super) async fn switch_bot(&self, bot: &str, active: bool) -> Result<(), Error> {
        if !is_id(bot) {
            return Err(Error::Entity(": Unable to find the bot.".to_owned()));
        }
        let path = format!("/bots/{bot}/{}", if active { "enable" } else { "disable" });
        let switched = self.rest.tell(Method::POST, As::Service, &path, &json!({})).await;
        // Whatever a token of it was good for a moment ago.
        self.identities.forget();
        switched
    }

    /// A personal access token that we made, of the App's bot, or of a person where the operator wants those: the one that is kept
    /// as long as Mattermost takes it and it is not too old, else a new one.
    pub(super) async fn made_token(&self, app: &AppId, user: &str) -> Result<AppToken, Error> {
        let kept = self.tokens.kept(app, user).await?;
        if let Some(Kept { token, made_at, .. }) = &kept
            && self.identify(super::Credential::Bearer(token), Freshness::Cached).await?.is_some()
        {
            if self.env.now_ms() - made_at < ROTATED_AFTER_MS {
                return Ok(AppToken::Token(token.clone()));
            }
            // The one before goes on for as long as a call may take, and is ended by a sweep.
            let failed = match self.make_token(app, user, kept.as_ref()).await {
                Ok(AppToken::Refused(reason)) => reason,
                Ok(made) => return Ok(made),
                Err(error) => error.to_string(),
            };
            tracing::warn!(%app, user, failed, "an old token could not be replaced, and goes on");
            return Ok(AppToken::Token(token.clone()));
        }
        self.make_token(app, user, kept.as_ref()).await
    }

    async fn make_token(&self, app: &AppId, user: &str, kept: Option<&Kept>) -> Result<AppToken, Error> {
        let description = json!({"description": format!("Tessera, for the App {app}")});
        let made =
            self.rest.send(Method::POST, As::Service, &format!("/users/{user}/tokens"), &description).await;
        let made: NewToken = match made {
            Ok(made) => made,
            Err(Error::Site { status, id, message }) if status != 401 => {
                return Ok(AppToken::Refused(refused(status, &id, &message)));
            }
            Err(error) => return Err(error),
        };
        let holder = Holder { app, user, roles: "system_user", client: None };
        let props = BTreeMap::from([(TOKEN_ID.to_owned(), made.id.clone())]);
        let until = self.env.now_ms() + LIFE_MS;
        if self.tokens.keep(&holder, &made.token, until, props, kept.map(|kept| kept.digest)).await? {
            return Ok(AppToken::Token(made.token));
        }
        // Somebody else made one at this moment: one is enough.
        self.revoke_token(&made.id).await;
        match self.tokens.kept(app, user).await? {
            Some(kept) => Ok(AppToken::Token(kept.token)),
            None => Err(Error::Contended("the token of an app's bot")),
        }
    }

    /// Ends tokens that were replaced an hour ago.
    pub(super) async fn end_replaced_tokens(&self) -> Result<(), Error> {
        for (digest, id) in self.tokens.replaced(self.env.now_ms() - GRACE_MS).await? {
            self.revoke_token(&id).await;
            self.tokens.forget(&digest).await?;
        }
        Ok(())
    }

    /// Ends a token at Mattermost. One that stays is told of in the log: its App is disabled or gone, and so is its bot.
    pub(super) async fn revoke_token(&self, id: &str) {
        let body = json!({"token_id": id});
        if let Err(error) = self.rest.tell(Method::POST, As::Service, "/users/tokens/revoke", &body).await {
            tracing::warn!(%error, token_id = id, "a bot's token could not be revoked at Mattermost");
        }
    }

    /// Says something to one person in a channel, for nobody else to see: in our own name, as no plain bot may.
    pub(super) async fn ephemeral(
        &self,
        user: &str,
        channel: &str,
        text: &str,
        attachments: &[Value],
    ) -> Result<(), Error> {
        let mut body = json!({"user_id": user, "post": {"channel_id": channel, "message": text}});
        if !attachments.is_empty() {
            body["post"]["props"] = json!({"attachments": attachments});
        }
        self.rest.tell(Method::POST, As::Service, "/posts/ephemeral", &body).await
    }

    /// Says something to a person as a bot, in the direct channel of the two.
    pub(super) async fn tell(&self, bot: &str, user: &str, message: &str) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Direct {
            id: String,
        }
        let apps = self.apps.all().await?;
        let app = apps.iter().find(|app| app.bot_user_id == bot);
        let app = app.map(|app| AppId::unchecked(app.manifest.app_id.as_str()));
        let app = app.ok_or_else(|| Error::Entity(": Unable to find the bot.".to_owned()))?;
        let token = match self.made_token(&app, bot).await? {
            AppToken::Token(token) => token,
            AppToken::NeedsConsent { .. } => return Err(Error::Contended("the token of an app's bot")),
            AppToken::Refused(reason) => return Err(Error::Unreachable(reason)),
        };
        let who = As::Token(&token);
        let channel: Direct = self.rest.send(Method::POST, who, "/channels/direct", &[bot, user]).await?;
        let post = json!({"channel_id": channel.id, "message": message});
        self.rest.tell(Method::POST, who, "/posts", &post).await
    }
}

fn described(display_name: &str) -> String {
    format!("Bot account for `{display_name}` App.")
}

/// Why there is no token for the bot, in words for who can change it.
fn refused(status: u16, id: &str, message: &str) -> String {
    format!(
        "Mattermost gives no token for the App to act with ({status} {id}: {message}): the service's account needs the permissions \
         create_user_access_token and manage_others_bots, for people's tokens edit_other_users"
    )
}
