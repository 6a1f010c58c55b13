//! Fills a data folder for the bench: many users, each with a token of one App and a stored record.
//!
//! All of it goes through the rooms that a request goes through, so rows, seals and tokens are real ones; only the
//! people are made without a password, as nobody signs in.

use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tessera_types::{App, AppId, DeployType, Http, Manifest};
use url::Url;

use crate::boot::config::Config;
use crate::boot::{self, House};
use crate::env::Env;
use crate::grants::Act;
use crate::platform::{AppToken, Platform as _};

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

fn failed(error: impl std::fmt::Display) -> Error {
    Error(error.to_string())
}

/// How many users are made at a time: enough to fill the writer's batches.
const AT_A_TIME: usize = 64;

/// Seeds `users` users in a folder that no server uses now.
pub async fn seed(dir: &Path, users: usize) -> Result<Vec<SeededUser>, Error> {
    let config = Config::development(dir, "127.0.0.1:0");
    let site = Url::parse("http://localhost:8065").map_err(failed)?;
    let house = Arc::new(boot::build(&config, site, Env::system()).await.map_err(failed)?);
    let app = Box::pin(install(&house)).await?;
    stream::iter(0..users)
        .map(|number| user(Arc::clone(&house), app.clone(), number))
        .buffered(AT_A_TIME)
        .try_collect()
        .await
}

async fn install(house: &House) -> Result<AppId, Error> {
    let id = AppId::new("bench").map_err(failed)?;
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
    let bot = house.standalone.ensure_bot(&id, &manifest.display_name).await.map_err(failed)?;
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

async fn user(house: Arc<House>, app: AppId, number: usize) -> Result<SeededUser, Error> {
    let user_id = house.standalone.enrol(&format!("bench-{number:06}")).await.map_err(failed)?;
    let token = match house.standalone.app_token(&app, &user_id).await.map_err(failed)? {
        AppToken::Token(token) => token.expose().to_owned(),
        AppToken::NeedsConsent { .. } | AppToken::Refused(_) => return Err(failed("no token was given")),
    };
    let body =
        format!(r#"{{"access_token":"bench-{number:026}","token_type":"Bearer","number":{}}}"#, number % 10);
    let act = Act { actor: &user_id, app: &app, request: "bench", reason: "bench" };
    house.grants.put_record(&act, body.as_bytes()).await.map_err(failed)?;
    Ok(SeededUser { token, user_id, body })
}
