//! A provider that misbehaves as it is told, spoken to through the real way out.

use std::collections::BTreeMap;
use std::sync::Arc;

use tessera_server::egress::{Audience, Egress, Reply, Request, Rules};
use tessera_server::env::Env;
use tessera_server::providers::{Asking, Client, Descriptor, Failure, Outgoing, Provider, Tokens, Verifier};
use tessera_simulator::{Builder, PASSWORD, Running, Simulator};
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::site::Site;
use tessera_types::{AccessToken, AuthorizationCode, ClientSecret, RefreshToken};
use url::Url;

use crate::still;

/// What the simulator's clock says, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ID: &str = "hello";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Nobody follows it there.
pub(crate) const REDIRECT: &str = "http://localhost:8065/complete";

pub(crate) struct Stage {
    pub(crate) simulator: Running,
    pub(crate) provider: Provider,
    pub(crate) egress: Egress,
    pub(crate) env: Env,
    pub(crate) secret: ClientSecret,
}

impl Stage {
    /// `rules` are added to the provider's descriptor; `URL` in them is where the simulator is.
    pub(crate) async fn new(rules: &str) -> Self {
        Self::of(Simulator::builder().client(ID, "s3cret", [REDIRECT]), "s3cret", rules).await
    }

    /// One whose client signs for itself, with a key in PEM whose public half is this JWK.
    pub(crate) async fn signing(pem: &str, jwk: &serde_json::Value, rules: &str) -> Self {
        Self::of(Simulator::builder().client_with_key(ID, jwk, [REDIRECT]), pem, rules).await
    }

    async fn of(builder: Builder, secret: &str, rules: &str) -> Self {
        let simulator = builder.clock(Arc::new(|| NOW)).build();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let simulator = simulator.start(listener).unwrap();
        let url = simulator.url();
        let rules = rules.replace("URL", url);
        let descriptor = format!(
            "name = 'simulator'\ndisplay_name = 'Simulator'\nissuer = '{url}'\nauthorize_url = '{url}/authorize'\n\
             token_url = '{url}/token'\ndevice_url = '{url}/device_authorization'\njwks_url = '{url}/jwks'\nuserinfo_url = '{url}/userinfo'\nrevoke = {{ url = '{url}/revoke' }}\n\
             scopes = {{ default = ['profile', 'email'] }}\n{rules}"
        );
        let descriptor = Arc::new(Descriptor::read(&descriptor).unwrap());
        let provider = Provider::new(descriptor, &BTreeMap::new(), None).unwrap();
        let egress = Egress::new(Rules { allow_loopback: true, ..Rules::default() }).unwrap();
        let (env, secret) = (still::env(NOW * 1000), ClientSecret::new(secret));
        Self { simulator, provider, egress, env, secret }
    }

    pub(crate) fn set(&self, switches: &[&str]) {
        self.simulator.change_behaviour(|behaviour| {
            for switch in switches {
                behaviour.set(switch).unwrap();
            }
        });
    }

    pub(crate) fn client(&self) -> Client<'_> {
        Client::new(ID, &self.secret)
    }

    /// The whole way: a person agrees, and the code is swapped.
    pub(crate) async fn connect(&self) -> Result<Tokens, Failure> {
        self.connect_for(&[]).await
    }

    /// The same, asking for these scopes.
    pub(crate) async fn connect_for(&self, scopes: &[String]) -> Result<Tokens, Failure> {
        let redirect = Url::parse(REDIRECT).unwrap();
        let verifier = Verifier::of(AccessToken::new(VERIFIER));
        let back = self.agree(&self.asking(&redirect, &verifier, scopes)).await;
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let code = AuthorizationCode::new(code);
        let outgoing = self.provider.exchange(&self.env, self.client(), &code, &redirect, &verifier).unwrap();
        self.provider.tokens(&self.egress, outgoing, NOW * 1000).await
    }

    /// What a callback says of the issuer.
    pub(crate) async fn iss(&self) -> Option<String> {
        let verifier = Verifier::of(AccessToken::new("v".repeat(43)));
        let redirect = Url::parse(REDIRECT).unwrap();
        let back = self.agree(&self.asking(&redirect, &verifier, &[])).await;
        back.query_pairs().find(|(name, _)| name == "iss").map(|(_, iss)| iss.into_owned())
    }

    fn asking(&self, redirect_uri: &Url, verifier: &Verifier, scopes: &[String]) -> Url {
        let (client_id, state) = (ID, "state");
        self.provider.authorize_url(Asking { client_id, redirect_uri, state, scopes, verifier })
    }

    /// Signs in as `ada` and says yes; gives the callback.
    async fn agree(&self, to: &Url) -> Url {
        let origin = self.simulator.url();
        let site = Site::at(origin.strip_prefix("http://").unwrap().parse().unwrap());
        let mut browser = Browser::at(site, origin);
        let page = browser.open(&format!("{}?{}", to.path(), to.query().unwrap()), From::Elsewhere).await;
        let fields = [("username", "ada"), ("password", PASSWORD)];
        let fields =
            hidden(&page.text()).into_iter().chain(fields.map(|(name, value)| (name, value.to_owned())));
        let fields: Vec<_> = fields.collect();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let signed_in = browser.submit("/sign-in", &fields).await;
        let page = browser.open(signed_in.header("location").unwrap(), From::Here).await;
        let mut fields = hidden(&page.text());
        fields.push(("decision", "approve".to_owned()));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let back = browser.submit("/consent", &fields).await;
        Url::parse(back.header("location").unwrap()).unwrap()
    }

    pub(crate) fn refreshing(&self, held: &RefreshToken) -> Outgoing {
        self.provider.refresh(&self.env, self.client(), held, &[]).unwrap()
    }

    pub(crate) async fn refresh(&self, held: &RefreshToken) -> Result<Tokens, Failure> {
        self.provider.tokens(&self.egress, self.refreshing(held), NOW * 1000).await
    }

    /// A refresh that is not answered in time: the clock stands still as soon as the provider has done its work, and
    /// then only timers move it.
    pub(crate) async fn refresh_in_vain(&self, held: &RefreshToken) -> Failure {
        let before = self.simulator.refreshes();
        let done = async {
            while self.simulator.refreshes() == before {
                tokio::task::yield_now().await;
            }
            tokio::time::pause();
        };
        let (failed, ()) = tokio::join!(self.refresh(held), done);
        tokio::time::resume();
        failed.unwrap_err()
    }

    pub(crate) async fn revoke(&self, tokens: &Tokens, refresh: Option<&RefreshToken>) -> Reply {
        let outgoing = self.provider.revoke(&self.env, self.client(), &tokens.access_token, refresh).unwrap();
        self.send(outgoing.unwrap()).await
    }

    /// Whether the provider takes this access token.
    pub(crate) async fn works(&self, token: &AccessToken) -> bool {
        let outgoing = self.provider.userinfo(token).unwrap().unwrap();
        self.send(outgoing).await.status.is_success()
    }

    async fn send(&self, outgoing: Outgoing) -> Reply {
        let Outgoing { method, url, headers, body } = outgoing;
        let (total, cap_bytes, audience) = (std::time::Duration::from_secs(30), 1 << 16, Audience::Provider);
        self.egress.send(Request { method, url, headers, body, total, cap_bytes, audience }).await.unwrap()
    }
}

/// What a page's form carries along.
fn hidden(page: &str) -> Vec<(&'static str, String)> {
    let of = |name| {
        let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    vec![("request", of("request")), ("csrf", of("csrf"))]
}
