//! Tokens with which Apps act: of their bot, or for a person who agreed once (C.4).

use serde::Deserialize;
use tessera_types::{AccessToken, AppId, json, routes};

use super::Mattermost;
use super::clients::grants;
use crate::grants::{Act, of_site};
use crate::platform::app_tokens::Holder;
use crate::platform::{AGREE, AppToken, Credential, Error, Freshness};
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
        if self.apps.installed(app).await?.bot_user_id == user || self.settings.danger_admin_tokens {
            return self.made_token(app, user).await;
        }
        let request = trail::current().map(|trail| trail.request().to_string()).unwrap_or_default();
        if let Some(reason) = self.ensure_client(app, &request).await? {
            return Ok(AppToken::Refused(reason));
        }
        if let Some(token) = self.living(app, user, &request).await? {
            self.remember(app, user, &token).await?;
            return Ok(AppToken::Token(token));
        }
        Ok(AppToken::NeedsConsent { url: self.agree_url(app) })
    }

    /// The token that is kept, as long as Mattermost takes it: whoever signs out everywhere, or is cut off by an administrator, ends
    /// it there without a word to us.
    async fn living(&self, app: &AppId, user: &str, request: &str) -> Result<Option<AccessToken>, Error> {
        let own = of_site(app);
        let act = Act { actor: user, app: &own, request, reason: "acting token" };
        if self.is_at_fault(&act).await? {
            self.look_after_client(app, request).await?;
        }
        let mut found = self.grants.site_token(&act).await;
        if self.is_at_fault(&act).await? && self.look_after_client(app, request).await? {
            found = self.grants.site_token(&act).await;
        }
        let Some(record) = found.map_err(grants)? else { return Ok(None) };
        let Token { access_token } = json::from_slice_strict(record.expose())
            .map_err(|error| Error::Damaged { what: "token of the site", reason: error.to_string() })?;
        let known = self.identify(Credential::Bearer(&access_token), Freshness::Cached).await?;
        if known.is_some_and(|known| known.user_id == user) {
            return Ok(Some(access_token));
        }
        self.grants.forget_site_token(&act).await.map_err(grants)?;
        tracing::info!(%app, user, "Mattermost ended a token with which an App acted: its person agrees anew");
        Ok(None)
    }

    async fn is_at_fault(&self, act: &Act<'_>) -> Result<bool, Error> {
        Ok(self.grants.site_fault(act).await.map_err(grants)?.is_some())
    }

    /// Where a person must still agree; None where they did, or where no agreement can be had: then asking for the token
    /// tells why.
    pub(super) async fn where_to_agree(&self, app: &AppId, user: &str) -> Result<Option<String>, Error> {
        if self.settings.danger_admin_tokens {
            return Ok(None);
        }
        let request = trail::current().map(|trail| trail.request().to_string()).unwrap_or_default();
        if self.ensure_client(app, &request).await?.is_some() {
            return Ok(None);
        }
        if self.living(app, user, &request).await?.is_some() {
            return Ok(None);
        }
        // Before anybody is sent there: one that is gone would show them an error page of Mattermost's.
        if self.look_after_client(app, &request).await? && self.ensure_client(app, &request).await?.is_some()
        {
            return Ok(None);
        }
        Ok(Some(self.agree_url(app)))
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
            let before = self.tokens.kept(app, user).await?.map(|kept| kept.digest);
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
        let made = self.tokens.token_ids(app).await?;
        self.tokens.revoke_app(app).await?;
        self.identities.forget();
        for id in made {
            self.revoke_token(&id).await;
        }
        self.remove_client(app, &request).await
    }
}
