//! A site in memory, with a clock in the hand of the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tessera_types::{AccessToken, AppId, Password, User};
use url::Url;

use super::{Eyes, Settings, Standalone};
use crate::env::{Clock, Env};
use crate::platform::{AppToken, Credential, Freshness, Identity, Platform as _};
use crate::store::{Store, StoreConfig};
use crate::vault::{RootKey, Vault};

/// A clock that stands still until it is moved.
pub(crate) struct Hand(AtomicI64);

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Hand {
    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

pub(crate) const PASSWORD: &str = "tessera-dev";

pub(crate) struct Fixture {
    pub(crate) site: Arc<Standalone>,
    pub(crate) clock: Arc<Hand>,
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    pub(crate) env: Env,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::at("http://localhost:8065").await
    }

    pub(crate) async fn at(site_url: &str) -> Self {
        Self::over(Store::open(&StoreConfig::Memory).await.unwrap(), site_url).await
    }

    pub(crate) async fn over(store: Store, site_url: &str) -> Self {
        let clock = Arc::new(Hand(AtomicI64::new(1_767_225_600_000)));
        let env = Env { clock: Arc::clone(&clock) as Arc<dyn Clock>, rng: Env::system().rng };
        let root = RootKey::generate(&env).unwrap();
        let vault = Vault::open(&root, store.keys.clone(), &store.meta, env.clone()).await.unwrap();
        let vault = Arc::new(vault);
        let settings = Settings::new(Url::parse(site_url).unwrap(), Password::new(PASSWORD));
        let site = Standalone::open(&store, Arc::clone(&vault), env.clone(), settings).await.unwrap();
        Self { site, clock, store, vault, env }
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        self.site.read_user_named(Eyes::Unrestricted, name).await.unwrap()
    }

    pub(crate) async fn sign_in(&self, name: &str) -> AccessToken {
        self.site.sign_in(name, &Password::new(PASSWORD)).await.unwrap().token
    }

    pub(crate) async fn app_token(&self, app: &str, user: &str) -> AccessToken {
        match self.site.app_token(&AppId::new(app).unwrap(), user).await.unwrap() {
            AppToken::Token(token) => token,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn whose(&self, token: &AccessToken) -> Option<Identity> {
        self.site.resolve(Credential::Bearer(token), Freshness::Now).await.unwrap()
    }
}
