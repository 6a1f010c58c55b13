//! Fills a data folder for the bench: many users, each with a token of one App and a stored record.
//!
//! All of it goes through the rooms that a request goes through, so rows, seals and tokens are real ones; only the
//! people are made without a password, as nobody signs in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tessera_types::{App, AppId, AuthorizationCode, ClientSecret, DeployType, Http, Manifest, SecretBytes};
use url::Url;

use crate::boot::config::Config;
use crate::boot::{self, House};
use crate::env::Env;
use crate::grants::{Act, NewClient, ProviderRecord, Returned, Use, Want};
use crate::platform::AppToken;
use crate::platform::standalone::Standalone;

/// One user of the bench.
#[derive(Clone)]
pub struct SeededUser {
    /// The token with which the bench's App acts as this user: valid for ten minutes.
    pub token: String,
    /// Their id.
    pub user_id: String,
    /// Their record, as stored. All records have one length.
    pub body: String,
}

/// Why seeding failed, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

pub(super) fn failed(error: impl std::fmt::Display) -> Error {
    Error(error.to_string())
}

/// How many users are made at a time: enough to fill the writer's batches.
pub(super) const AT_A_TIME: usize = 64;

/// How many users of which kind.
#[derive(Debug, Clone, Copy)]
pub struct Many {
    /// With a record that their App keeps itself.
    pub stored: usize,
    /// With a managed connection at a provider that answers at once.
    pub managed: usize,
    /// With one at a provider that takes its time.
    pub slow: usize,
}

/// Who was seeded.
pub struct Seeded {
    /// As in [`Many`].
    pub stored: Vec<SeededUser>,
    /// As in [`Many`].
    pub managed: Vec<SeededUser>,
    /// As in [`Many`].
    pub slow: Vec<SeededUser>,
}

/// Seeds a folder that no server uses now. `provider` is where the bench's provider is.
pub async fn seed(dir: &Path, many: &Many, provider: &str) -> Result<Seeded, Error> {
    let config = Config::development(dir, "127.0.0.1:0");
    let site = Url::parse("http://localhost:8065").map_err(failed)?;
    let house = Arc::new(boot::build(&config, site, Env::system()).await.map_err(failed)?);
    let app = Box::pin(install(&house, "bench")).await?;
    let stored = stream::iter(0..many.stored)
        .map(|number| stored(Arc::clone(&house), app.clone(), number))
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    let mut kinds = Vec::new();
    for (name, path, many) in [("bench-managed", "", many.managed), ("bench-slow", "/slow", many.slow)] {
        let app = Box::pin(install(&house, name)).await?;
        set_provider(&house, &app, &format!("{provider}{path}")).await?;
        let users: Vec<SeededUser> = stream::iter(0..many)
            .map(|number| managed(Arc::clone(&house), app.clone(), number))
            .buffered(AT_A_TIME)
            .try_collect()
            .await?;
        kinds.push(users);
    }
    // Everybody is told that they are connected: now, and not while something is measured.
    while house.grants.work_once().await.map_err(failed)? > 0 {}
    let slow = kinds.pop().unwrap_or_default();
    Ok(Seeded { stored, managed: kinds.pop().unwrap_or_default(), slow })
}

fn site(house: &House) -> Result<&Standalone, Error> {
    house.standalone.as_deref().ok_or_else(|| failed("the bench has a site of its own"))
}

/// Where people would come back to, if anybody went.
pub(super) fn redirect() -> Result<Url, Error> {
    Url::parse("http://localhost:8065/complete").map_err(failed)
}

async fn set_provider(house: &House, app: &AppId, provider: &str) -> Result<(), Error> {
    let descriptor = format!(
        "name = 'bench'\ndisplay_name = 'Bench'\nauthorize_url = '{provider}/authorize'\n\
         token_url = '{provider}/token'\nscopes = {{ none = true }}\n[refresh]\nrotation = 'always'\n\
         grace_seconds = 60\n"
    );
    let record = ProviderRecord { descriptor, ..ProviderRecord::default() };
    let client = NewClient { id: "bench".into(), secret: ClientSecret::new("bench") };
    let act = Act { actor: "", app, request: "bench", reason: "bench" };
    house.grants.set_provider(&act, record, Some(client), &redirect()?).await.map_err(failed)?;
    Ok(())
}

pub(super) async fn install(house: &House, name: &str) -> Result<AppId, Error> {
    let id = AppId::new(name).map_err(failed)?;
    let manifest = Manifest {
        app_id: id.as_str().into(),
        display_name: "Bench".into(),
        homepage_url: "http://localhost".into(),
        requested_permissions: vec!["act_as_user".into(), "remote_oauth2".into()],
        http: Some(Http { root_url: "http://localhost:1".into(), use_jwt: false }),
        ..Manifest::default()
    };
    let apps = &house.lifecycle.apps;
    apps.list_manifest(&id, &manifest).await.map_err(failed)?;
    let bot = house.platform.ensure_bot(&id, &manifest.display_name).await.map_err(failed)?;
    let record = App {
        granted_permissions: manifest.requested_permissions.clone(),
        deploy_type: Some(DeployType::Http),
        bot_user_id: bot.user_id,
        bot_username: bot.username,
        manifest,
        ..App::default()
    };
    apps.change(&id, |_| Ok(record.clone())).await.map_err(failed)?;
    Ok(id)
}

/// A user, and the token with which an App acts as them.
async fn enrolled(house: &House, app: &AppId, number: usize) -> Result<(String, String), Error> {
    let user_id = site(house)?.enrol(&format!("{app}-{number:06}")).await.map_err(failed)?;
    match house.platform.app_token(app, &user_id).await.map_err(failed)? {
        AppToken::Token(token) => Ok((user_id, token.expose().to_owned())),
        AppToken::NeedsConsent { .. } | AppToken::Refused(_) => Err(failed("no token was given")),
    }
}

async fn stored(house: Arc<House>, app: AppId, number: usize) -> Result<SeededUser, Error> {
    let (user_id, token) = enrolled(&house, &app, number).await?;
    let body = record_of(number);
    let act = Act { actor: &user_id, app: &app, request: "bench", reason: "bench" };
    house.grants.put_record(&act, body.as_bytes()).await.map_err(failed)?;
    Ok(SeededUser { token, user_id, body })
}

/// What an App stores: of one length for all.
pub(super) fn record_of(number: usize) -> String {
    format!(r#"{{"access_token":"bench-{number:026}","token_type":"Bearer","number":{}}}"#, number % 10)
}

/// Connected by the way that people go, but for the page of the provider.
async fn managed(house: Arc<House>, app: AppId, number: usize) -> Result<SeededUser, Error> {
    let (user_id, token) = enrolled(&house, &app, number).await?;
    let act = Act { actor: &user_id, app: &app, request: "bench", reason: "bench" };
    let redirect_uri = redirect()?;
    let (grants, state) = (&house.grants, "bench");
    let authorized = grants.authorize(&act, &redirect_uri, state, false).await.map_err(failed)?;
    let (_, flow) = authorized.ok_or_else(|| failed("the App is not managed"))?;
    let flow = SecretBytes::new(flow.to_vec());
    let returned = Returned {
        flow: &flow,
        redirect_uri: &redirect_uri,
        code: AuthorizationCode::new("code"),
        iss: None,
        values: &BTreeMap::new(),
    };
    grants.accept(&act, returned).await.map_err(failed)?;
    let released = grants.record(&act, Use::Api, Want::default()).await.map_err(failed)?;
    let record = released.record.ok_or_else(|| failed("no token was given"))?;
    let body = String::from_utf8_lossy(record.expose()).into_owned();
    Ok(SeededUser { token, user_id, body })
}
