//! Building the house: each room once, from the ground up. The only place that knows which database and which
//! platform there is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use url::Url;

use super::config::{self, Config};
use super::ground::{self, Ground, Leaning, Upkeep};
use super::messenger::Bots;
use super::ready::Readiness;
use crate::apps::Registry;
use crate::audit::Audit;
use crate::calls::{self, Calls};
use crate::connect::{self, Connect};
use crate::egress::{Egress, Rules};
use crate::env::{Env, Ids};
use crate::grants::{self, Grants};
use crate::http;
use crate::lifecycle::Lifecycle;
use crate::platform::Platform;
use crate::platform::standalone::Standalone;
use crate::providers::Catalogue;
use crate::store::{self, Store, StoreConfig};
use crate::upstream::Upstream;
use crate::vault::{self, RootKey, RootKeyError, Vault};

/// The rooms that outlive a request, and the surface over them.
pub struct House {
    /// All routes.
    pub router: Router,
    /// Health and metrics alone.
    pub health: Router,
    /// Whether new work should come: told when the service is about to stop.
    pub readiness: Arc<Readiness>,
    /// The browser flow: drained at shutdown, swept now and then.
    pub connect: Arc<Connect>,
    /// Who people are, and with what Apps act for them.
    pub platform: Arc<dyn Platform>,
    /// What the platform needs now and then.
    pub upkeep: Arc<dyn Upkeep>,
    /// The site of a development server.
    pub standalone: Option<Arc<Standalone>>,
    /// For commands that a running server is given.
    pub lifecycle: Arc<Lifecycle>,
    /// For commands that a running server is given.
    pub grants: Arc<Grants>,
    /// Whether it does by itself what is due of managed connections; a test with a clock of its own does that instead.
    pub works: bool,
    /// Where the site is.
    pub site_url: Url,
    /// The file of a root key that was made just now.
    pub new_root_key: Option<PathBuf>,
}

/// Anything that keeps the service from starting, in words for who starts it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The database.
    #[error("{0}")]
    Store(#[from] crate::store::Error),
    /// The vault.
    #[error("{0}")]
    Vault(#[from] crate::vault::Error),
    /// The audit log.
    #[error("{0}")]
    Audit(#[from] crate::audit::Error),
    /// Outgoing requests.
    #[error("egress: {0}")]
    Egress(#[from] crate::egress::BuildError),
    /// The platform.
    #[error("{0}")]
    Platform(#[from] crate::platform::Error),
    /// Random bytes.
    #[error(transparent)]
    Rng(#[from] crate::env::RngError),
    /// A folder or a listener.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Builds the house for a site at `site_url`: a development server's own, or a Mattermost.
pub async fn build(config: &Config, site_url: Url, env: Env) -> Result<House, Error> {
    let dir = PathBuf::from(&config.store.dir);
    private_folder(&dir)?;
    let (root, new_root_key) = root_key(config, &dir, &env)?;
    let store = open_store(&store_config(config, &dir)?).await?;
    let vault = match Vault::open(&root, store.keys.clone(), &store.meta, env.clone()).await {
        Err(error @ vault::Error::WrongRootKey { .. }) => {
            return Err(wrong_root_key(&error, new_root_key.as_deref()));
        }
        vault => Arc::new(vault?),
    };
    let audit_dir = if config.audit.dir.is_empty() { dir } else { PathBuf::from(&config.audit.dir) };
    let audit = Arc::new(Audit::open(&audit_dir, root.audit_key(), config.audit.sync, env.clone())?);
    let egress = Arc::new(Egress::new(rules(config)?)?);

    let apps = Arc::new(Registry::new(store.apps.clone(), Arc::clone(&vault), env.clone()));
    let leaning = grants::Rooms {
        apps: Arc::clone(&apps),
        vault: Arc::clone(&vault),
        audit: Arc::clone(&audit),
        egress: Arc::clone(&egress),
        catalogue: catalogue(config)?,
        env: env.clone(),
    };
    let grants = Arc::new(Grants::new(&store, leaning).limited(config.limits.reads_per_second));
    let upstream = Arc::new(Upstream::new(Arc::clone(&egress), env.clone()));
    let development = ground::is_development(config);
    let leaning =
        Leaning { store: &store, apps: &apps, grants: &grants, vault: &vault, egress: &egress, env: &env };
    let Ground { platform, upkeep, more, standalone } = ground::lay(config, &site_url, leaning).await?;

    grants.join_messenger(Arc::new(Bots::new(Arc::clone(&apps), &platform, &site_url)));

    let settings = calls::Settings {
        site_url: config_text(&site_url),
        developer_mode: development,
        profile: config.compat.profile,
    };
    let (apps_, grants_) = (Arc::clone(&apps), Arc::clone(&grants));
    let calls = Calls::new(
        apps_,
        grants_,
        Arc::clone(&platform),
        Arc::clone(&upstream),
        Arc::clone(&audit),
        settings,
    );
    let calls = calls.waiting(calls::Waiting::new(&store, Arc::clone(&vault), env.clone()));
    // A site of development remembers what its Apps were told, for their authors.
    let calls = if development { calls.inspected(env.clone()) } else { calls };
    let calls = Arc::new(calls.limited(env.clone(), config.limits.calls_per_minute));
    let connect = Connect::new(
        &store,
        connect::Rooms {
            apps: Arc::clone(&apps),
            grants: Arc::clone(&grants),
            calls: Arc::clone(&calls),
            vault: Arc::clone(&vault),
            audit: Arc::clone(&audit),
            env: env.clone(),
        },
        connect_settings(config, &site_url)?,
    );
    let lifecycle = Arc::new(Lifecycle {
        apps,
        grants: Arc::clone(&grants),
        platform: Arc::clone(&platform),
        calls: Arc::clone(&calls),
        upstream,
        audit,
        env: env.clone(),
        site_url: site_url.clone(),
    });

    let passages = Arc::new(http::Passages::default());
    let readiness = Arc::new(Readiness::new(store.meta.clone(), env.now_ms(), |registry| {
        passages.announce(registry);
        connect.announce(registry);
        lifecycle.upstream.announce(registry);
        grants.announce(registry);
        vault.announce(registry);
        lifecycle.audit.announce(registry);
        egress.announce(registry);
        store.announce(registry);
        upkeep.announce(registry);
    }));
    let health = http::health::router(Arc::clone(&readiness) as _);
    let rooms = Arc::new(http::Rooms {
        platform: Arc::clone(&platform),
        calls,
        connect: Arc::clone(&connect),
        grants: Arc::clone(&grants),
        lifecycle: Arc::clone(&lifecycle),
        ids: Ids::new(&env)?,
        passages,
        settings: http::Settings {
            site_url: site_url.clone(),
            session_cookie: ground::session_cookie(config, &site_url),
            profile: config.compat.profile,
            development,
            trust_request_id: config.server.trust_request_id,
            trace_ratio: trace_ratio(config)?,
        },
    });
    let mut more = more(&rooms);
    if development {
        more = more.merge(health.clone());
    }
    let router = http::router(rooms, more);
    Ok(House {
        router,
        health,
        readiness,
        connect,
        platform,
        upkeep,
        standalone,
        lifecycle,
        grants,
        works: true,
        site_url,
        new_root_key,
    })
}

/// As Apps are told it: without the slash that parsing adds to a bare host.
fn config_text(site_url: &Url) -> String {
    site_url.as_str().trim_end_matches('/').to_owned()
}

fn private_folder(dir: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| Error::Io { what: format!("data folder {}", dir.display()), source })
}

fn root_key(config: &Config, dir: &Path, env: &Env) -> Result<(RootKey, Option<PathBuf>), Error> {
    let (key, key_file) = ("vault.root_key", "vault.root_key_file");
    let bad = |key: &'static str| move |error: RootKeyError| config::Error::new(key, error.to_string());
    if config.vault.root_key.is_empty() && config.vault.root_key_file.is_empty() {
        let path = dir.join("root.key");
        let (root, made) = RootKey::read_or_create(&path, env).map_err(bad(key_file))?;
        return Ok((root, made.then_some(path)));
    }
    match (config.vault.root_key.is_empty(), config.vault.root_key_file.is_empty()) {
        (false, true) => Ok((RootKey::parse(&config.vault.root_key).map_err(bad(key))?, None)),
        (true, false) => {
            Ok((RootKey::read(Path::new(&config.vault.root_key_file)).map_err(bad(key_file))?, None))
        }
        _ => Err(config::Error::new(key, format!("is set twice: keep either {key} or {key}_file")).into()),
    }
}

/// The root key of data that is there: none is made.
pub(super) fn existing_root_key(
    config: &Config,
    dir: &Path,
    file: Option<&Path>,
) -> Result<RootKey, RootKeyError> {
    let vault = &config.vault;
    match (file, vault.root_key.as_str(), vault.root_key_file.as_str()) {
        (Some(file), ..) => RootKey::read(file),
        (None, "", "") => RootKey::read(&dir.join("root.key")),
        (None, "", file) => RootKey::read(Path::new(file)),
        (None, text, _) => RootKey::parse(text),
    }
}

/// The data has another root key. One that was made just now, because none was there, would only be in its way.
fn wrong_root_key(error: &vault::Error, made: Option<&Path>) -> Error {
    let what = match made {
        Some(path) => match std::fs::remove_file(path) {
            Ok(()) => format!("{} is missing: {error}", path.display()),
            Err(left) => {
                format!("{} was missing, and a new one cannot be removed ({left}): {error}", path.display())
            }
        },
        None => error.to_string(),
    };
    config::Error::new("vault.root_key_file", what).into()
}

async fn open_store(config: &StoreConfig) -> Result<Store, Error> {
    match (Store::open(config).await, config) {
        (Err(error @ store::Error::Open { .. }), StoreConfig::Postgres { .. }) => {
            let what = format!("{error}: write postgres://USER:PASSWORD@HOST/DATABASE");
            Err(config::Error::new("store.postgres_url", what).into())
        }
        (store, _) => Ok(store?),
    }
}

pub(super) fn store_config(config: &Config, dir: &Path) -> Result<StoreConfig, Error> {
    let store = &config.store;
    let url = config::secret("store.postgres_url", &store.postgres_url, &store.postgres_url_file)?;
    Ok(match url {
        Some(url) => {
            StoreConfig::Postgres { url: url.to_string(), max_connections: store.max_connections as usize }
        }
        None => StoreConfig::Sqlite { dir: dir.to_owned() },
    })
}

pub(super) fn rules(config: &Config) -> Result<Rules, Error> {
    let development = ground::is_development(config);
    let mut rules =
        Rules { allow_loopback: development, platform: ground::reached(config)?, ..Rules::default() };
    for allowed in &config.egress.allow {
        let allowed =
            allowed.parse().map_err(|error| config::Error::new("egress.allow", format!("{error}")))?;
        rules.allow_private.push(allowed);
    }
    rules.extra_ca = config.egress.extra_ca.iter().map(PathBuf::from).collect();
    Ok(rules)
}

/// The providers that come along, and those that lie in the administrator's folder.
fn catalogue(config: &Config) -> Result<Catalogue, Error> {
    let key = "providers.dir";
    let wrong = |what: String| config::Error::new(key, what);
    let bundled = Catalogue::bundled().map_err(|error| wrong(error.to_string()))?;
    if config.providers.dir.is_empty() {
        return Ok(bundled);
    }
    let unread = |path: &Path, error: std::io::Error| wrong(format!("{}: {error}", path.display()));
    let dir = Path::new(&config.providers.dir);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| unread(dir, error))? {
        let path = entry.map_err(|error| unread(dir, error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).map_err(|error| unread(&path, error))?;
            files.push((path, text));
        }
    }
    files.sort();
    let files = files.iter().map(|(path, text)| (path.as_path(), text.as_str()));
    Ok(bundled.with_files(files).map_err(|error| wrong(error.to_string()))?)
}

fn trace_ratio(config: &Config) -> Result<f64, Error> {
    match config.trace.ratio {
        ratio if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        ratio => {
            let what = format!("{ratio} is out of range: write 0 for none, 1 for all, or a number between");
            Err(config::Error::new("trace.ratio", what).into())
        }
    }
}

fn connect_settings(config: &Config, site_url: &Url) -> Result<connect::Settings, Error> {
    let connect = &config.connect;
    if !(1..=900).contains(&connect.state_life_seconds) {
        let what = format!("{} is out of range: write 1 to 900 seconds", connect.state_life_seconds);
        return Err(config::Error::new("connect.state_life_seconds", what).into());
    }
    for origin in &connect.known_origins {
        Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| {
            let what = format!("{origin:?} is no origin: write, for instance, https://accounts.google.com");
            config::Error::new("connect.known_origins", what)
        })?;
    }
    Ok(connect::Settings {
        site_url: site_url.clone(),
        state_life: Duration::from_secs(connect.state_life_seconds.into()),
        origins: connect.origins,
        known_origins: connect.known_origins.clone(),
        bind: connect.bind,
        development: ground::is_development(config),
        tells_completions: !ground::is_development(config),
        pending_flows: config.limits.pending_flows,
        connects_per_minute: config.limits.connects_per_minute,
    })
}
