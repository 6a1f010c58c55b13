//! What the house stands on: a development server's own site, or a Mattermost. The only place where the two are told apart.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use prometheus_client::registry::Registry;
use tessera_types::{AccessToken, Password};
use url::Url;

use super::config::{self, Config};
use super::house::Error;
use crate::apps;
use crate::bridge::Bridge;
use crate::egress::{Allowed, Egress};
use crate::env::Env;
use crate::grants::Grants;
use crate::http;
use crate::platform::mattermost::{self, Callbacks, Finding, Look, Mattermost};
use crate::platform::standalone::{self, Standalone};
use crate::platform::{self, Integrations, OwnHost, Platform};
use crate::store::Store;
use crate::vault::Vault;

/// What is done for a platform now and then.
#[async_trait]
pub trait Upkeep: Send + Sync + 'static {
    /// Removes what has expired, a bounded number at a time; gives how many.
    async fn sweep(&self) -> Result<u64, platform::Error>;
    /// Announces what is counted.
    fn announce(&self, registry: &mut Registry);
}

#[async_trait]
impl Upkeep for Arc<Standalone> {
    async fn sweep(&self) -> Result<u64, platform::Error> {
        Standalone::sweep(self).await
    }

    fn announce(&self, registry: &mut Registry) {
        Standalone::announce(self, registry);
    }
}

#[async_trait]
impl Upkeep for Mattermost {
    async fn sweep(&self) -> Result<u64, platform::Error> {
        Self::sweep(self).await
    }

    fn announce(&self, _: &mut Registry) {}
}

/// Routes of a site beside those of the framework, built once there is something to serve them with.
pub(super) type More = Box<dyn FnOnce(&Arc<http::Rooms>) -> Router + Send>;

/// A platform, and what comes with it.
pub(super) struct Ground {
    pub(super) platform: Arc<dyn Platform>,
    pub(super) upkeep: Arc<dyn Upkeep>,
    pub(super) more: More,
    /// The site of a development server.
    pub(super) standalone: Option<Arc<Standalone>>,
}

/// What both lean on.
pub(super) struct Leaning<'a> {
    pub(super) store: &'a Store,
    pub(super) apps: &'a Arc<apps::Registry>,
    pub(super) grants: &'a Arc<Grants>,
    pub(super) vault: &'a Arc<Vault>,
    pub(super) egress: &'a Arc<Egress>,
    pub(super) env: &'a Env,
}

/// Whether these are settings of a development server.
pub(super) fn is_development(config: &Config) -> bool {
    config.mattermost.url.is_empty()
}

/// The whole name of the cookie by which browsers are known: Mattermost's own, unless we have a host name of our own.
pub(super) fn session_cookie(config: &Config, site_url: &Url) -> String {
    let shared = Url::parse(&config.mattermost.url).is_ok_and(|url| url.origin() == site_url.origin());
    match is_development(config) || shared {
        true => http::OF_MATTERMOST.to_owned(),
        false => crate::web::sign_in::own_cookie_name(site_url, http::own_host::SESSION),
    }
}

/// Where the Mattermost may be reached by us.
pub(super) fn reached(config: &Config) -> Result<Vec<Allowed>, Error> {
    if is_development(config) {
        return Ok(Vec::new());
    }
    let site = config::site_url("mattermost.url", &config.mattermost.url)?;
    let mut allowed = Vec::new();
    let mut places = vec![("mattermost.url", site), internal(config)?];
    if !config.site.url.is_empty() {
        // Where we are found ourselves, so that we can look whether that is so.
        places.push(("site.url", config::site_url("site.url", &config.site.url)?));
    }
    for (key, url) in places {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        allowed.push(host.parse().map_err(|error| config::Error::new(key, format!("{error}")))?);
    }
    Ok(allowed)
}

/// Looks at the Mattermost of these settings.
pub(super) async fn look(
    config: &Config,
    site_url: &Url,
    egress: Egress,
    callbacks: Callbacks,
) -> Result<Vec<Finding>, Error> {
    Ok(Look::new(Arc::new(egress), Env::system(), attached(config, site_url)?, callbacks).look().await)
}

/// Where the service finds Mattermost, and which setting says so.
fn internal(config: &Config) -> Result<(&'static str, Url), config::Error> {
    let (key, text) = match config.mattermost.internal_url.as_str() {
        "" => ("mattermost.url", config.mattermost.url.as_str()),
        text => ("mattermost.internal_url", text),
    };
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| {
        config::Error::new(
            key,
            format!("{text:?} is no address: write, for instance, https://chat.example.com"),
        )
    })?;
    Ok((key, url))
}

/// Lays it.
pub(super) async fn lay(config: &Config, site_url: &Url, leaning: Leaning<'_>) -> Result<Ground, Error> {
    match is_development(config) {
        true => lay_standalone(config, site_url, leaning).await,
        false => lay_mattermost(config, site_url, leaning),
    }
}

async fn lay_standalone(config: &Config, site_url: &Url, leaning: Leaning<'_>) -> Result<Ground, Error> {
    let Leaning { store, vault, env, .. } = leaning;
    let site = standalone::Settings {
        show_email_address: config.site.show_email_address,
        ..standalone::Settings::new(site_url.clone(), Password::new(config.site.password.as_str()))
    };
    let standalone = Standalone::open(store, Arc::clone(vault), env.clone(), site).await?;
    let site = Arc::clone(&standalone);
    let more = move |_: &Arc<http::Rooms>| {
        http::v4::router(Arc::clone(&site)).merge(crate::web::sign_in::router(site))
    };
    Ok(Ground {
        platform: Arc::clone(&standalone) as _,
        upkeep: Arc::new(Arc::clone(&standalone)),
        more: Box::new(more),
        standalone: Some(standalone),
    })
}

fn lay_mattermost(config: &Config, site_url: &Url, leaning: Leaning<'_>) -> Result<Ground, Error> {
    let Leaning { store, apps, grants, vault, egress, env } = leaning;
    let settings = attached(config, site_url)?;
    let (apart, site) = (settings.is_apart(), settings.site_url.to_string());
    let rooms = mattermost::Rooms {
        apps: Arc::clone(apps),
        grants: Arc::clone(grants),
        vault: Arc::clone(vault),
        egress: Arc::clone(egress),
        env: env.clone(),
    };
    let mattermost = Mattermost::new(store, rooms, settings);
    let integrations = Arc::clone(&mattermost) as Arc<dyn Integrations>;
    let own = Arc::clone(&mattermost) as Arc<dyn OwnHost>;
    let (vault, env) = (Arc::clone(vault), env.clone());
    Ok(Ground {
        platform: Arc::clone(&mattermost) as _,
        upkeep: mattermost,
        more: Box::new(move |rooms| {
            let bridge = Arc::new(Bridge::new(Arc::clone(&rooms.calls), integrations, vault, env));
            let signing_in = match apart {
                true => {
                    http::own_host::router(rooms, &own, site.clone()).merge(http::relay::router(own, &site))
                }
                false => {
                    let login = format!("{}/login", site.trim_end_matches('/'));
                    http::agreement::sign_in_router(rooms, login)
                }
            };
            http::agreement::router(rooms, Arc::clone(&bridge))
                .merge(signing_in)
                .merge(http::from_mattermost::router(bridge))
        }),
        standalone: None,
    })
}

/// What is set of the Mattermost, with the service's token there.
fn attached(config: &Config, site_url: &Url) -> Result<mattermost::Settings, Error> {
    let settings = &config.mattermost;
    let key = "mattermost.token";
    let token = config::secret(key, &settings.token, &settings.token_file)?.ok_or_else(|| {
        config::Error::new(
            key,
            "is missing: write a system administrator's personal access token, or name a file that holds it \
             (mattermost.token_file)",
        )
    })?;
    let public = config::site_url("mattermost.url", &settings.url)?;
    Ok(mattermost::Settings {
        site_url: public,
        internal_url: internal(config)?.1,
        own_url: site_url.clone(),
        token: AccessToken::new(token.trim()),
        danger_admin_tokens: settings.danger_admin_tokens,
    })
}
