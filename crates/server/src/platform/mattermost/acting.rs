//! Tokens with which Apps act: of their bot, or for a person who agreed once (C.4).

use serde::Deserialize;
use tessera_types::{AccessToken, AppId, json, routes};

use super::Mattermost;
use super::clients::grants;
use crate::grants::{Act, Standing, of_site};
use crate::platform::app_tokens::Holder;
use crate::platform::{AGREE, AppToken, Error};
use crate::trail;

/// The App that is part of the service; it acts without tokens.
const BUILTIN: &str = "apps";
/// How long a row says whose a token is, ms: longer than Mattermost lets one live.
const KNOWN_FOR: i64 = 31 * 86_400_000;

#[derive(Deserialize)]
struct Token {
    access_token: AccessToken,
}

impl Mattermost {
    pub(super) async fn hand_out(&self, app: &AppId, user: &str) -> Result<AppToken, Error> {
        if app.as_str() == BUILTIN {
            return Ok(AppToken::Refused(format!("builtin app '{app}' can't have app specific session")));
        }
        if self.apps.installed(app).await?.bot_user_id == user {
            return self.bot_token(app, user).await;
        }
        let request = trail::current().map(|trail| trail.request().to_string()).unwrap_or_default();
        if let Some(reason) = self.ensure_client(app, &request).await? {
            return Ok(AppToken::Refused(reason));
        }
        let own = of_site(app);
        let act = Act { actor: user, app: &own, request: &request, reason: "acting token" };
        let Some(record) = self.grants.site_token(&act).await.map_err(grants)? else {
            return Ok(AppToken::NeedsConsent { url: self.agree_url(app) });
        };
        let Token { access_token } = json::from_slice_strict(record.expose())
            .map_err(|error| Error::Damaged { what: "token of the site", reason: error.to_string() })?;
        self.remember(app, user, &access_token).await?;
        Ok(AppToken::Token(access_token))
    }

    /// Where a person must still agree; None where they did, or where no agreement can be had: then asking for the token
    /// tells why.
    pub(super) async fn where_to_agree(&self, app: &AppId, user: &str) -> Result<Option<String>, Error> {
        let request = trail::current().map(|trail| trail.request().to_string()).unwrap_or_default();
        if self.ensure_client(app, &request).await?.is_some() {
            return Ok(None);
        }
        let own = of_site(app);
        let act = Act { actor: user, app: &own, request: &request, reason: "acting token" };
        let standing = self.grants.standing(&act).await.map_err(grants)?;
        let agreed = matches!(standing, Standing::Connected | Standing::MissingScopes);
        Ok((!agreed).then(|| self.agree_url(app)))
    }

    /// Where a person agrees that an App acts for them.
    fn agree_url(&self, app: &AppId) -> String {
        self.own(&format!("{}{AGREE}", routes::app_path(app)))
    }

    /// Whose the token is: the App will bring it along.
    async fn remember(&self, app: &AppId, user: &str, token: &AccessToken) -> Result<(), Error> {
        let until = self.env.now_ms() + KNOWN_FOR;
        for _ in 0..3 {
            if self.tokens.find(token).await?.is_some() {
                return Ok(());
            }
            let before = self.tokens.kept(app, user).await?.map(|(_, digest)| digest);
            let holder = Holder { app, user, roles: "system_user", client: None };
            if self.tokens.keep(&holder, token, until, Default::default(), before).await? {
                return Ok(());
            }
        }
        Err(Error::Contended("the token of an app"))
    }

    /// Ends every token of an App: at Mattermost, and in our table. The table first: from then on they open nothing here,
    /// whatever becomes of the rest.
    pub(super) async fn end_tokens(&self, app: &AppId) -> Result<(), Error> {
        let request = trail::current().map(|trail| trail.request().to_string()).unwrap_or_default();
        let bot = self.apps.get(app).await?.map(|app| app.bot_user_id.clone()).unwrap_or_default();
        let of_bot = self.tokens.token_id(app, &bot).await?;
        self.tokens.revoke_app(app).await?;
        self.identities.forget();
        if let Some(id) = of_bot {
            self.revoke_token(&id).await;
        }
        self.remove_client(app, &request).await
    }
}
