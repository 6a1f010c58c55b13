//! Fills a data folder for the bench of reads beside a Mattermost: people who agreed that an App acts for them, each with a
//! stored record, through the rooms that a request goes through.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tessera_types::{AppId, AuthorizationCode, SecretBytes};
use url::Url;

use super::bench_seed::{AT_A_TIME, Error, SeededUser, failed, install, record_of, redirect};
use crate::boot::config::Config;
use crate::boot::{self, House};
use crate::env::Env;
use crate::grants::{Act, Returned, of_site};
use crate::platform::AppToken;

/// The settings beside the Mattermost at this address, reached by people at `site`.
pub fn settings(dir: &Path, mattermost: &str, site: &str) -> Config {
    let mut config = Config::development(dir, "127.0.0.1:0");
    config.mattermost.url = mattermost.to_owned();
    config.mattermost.token = "t".repeat(26);
    config.site.url = site.to_owned();
    config
}

/// Seeds a folder that no server uses now. The Mattermost must take a user's id for the code of their agreement, and give it
/// back as the token.
pub async fn seed(dir: &Path, many: usize, mattermost: &str) -> Result<Vec<SeededUser>, Error> {
    let config = settings(dir, mattermost, "http://localhost:8065");
    let site = Url::parse(&config.site.url).map_err(failed)?;
    let house = Arc::new(boot::build(&config, site, Env::system()).await.map_err(failed)?);
    let app = Box::pin(install(&house, "bench")).await?;
    // Asked for once before all of them: it registers the App's client.
    house.platform.consent_url(&app, &id_of(0)).await.map_err(failed)?;
    stream::iter(0..many)
        .map(|number| agreed(Arc::clone(&house), app.clone(), number))
        .buffered(AT_A_TIME)
        .try_collect()
        .await
}

fn id_of(number: usize) -> String {
    format!("{number:026}")
}

async fn agreed(house: Arc<House>, app: AppId, number: usize) -> Result<SeededUser, Error> {
    let (user_id, own, redirect_uri) = (id_of(number), of_site(&app), redirect()?);
    let act = Act { actor: &user_id, app: &own, request: "bench", reason: "bench" };
    let led = house.grants.site_authorize(&act, &redirect_uri, "bench").await.map_err(failed)?;
    let (_, flow) = led.ok_or_else(|| failed("no client was registered"))?;
    let returned = Returned {
        flow: &SecretBytes::new(flow.to_vec()),
        redirect_uri: &redirect_uri,
        code: AuthorizationCode::new(user_id.clone()),
        iss: None,
        values: &BTreeMap::new(),
    };
    house.grants.site_accept(&act, returned).await.map_err(failed)?;
    let AppToken::Token(token) = house.platform.app_token(&app, &user_id).await.map_err(failed)? else {
        return Err(failed("no token was given"));
    };
    let body = record_of(number);
    let act = Act { app: &app, ..act };
    house.grants.put_record(&act, body.as_bytes()).await.map_err(failed)?;
    Ok(SeededUser { token: token.expose().to_owned(), user_id, body })
}
