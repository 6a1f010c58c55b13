//! The scene of the worked exchanges (apps-framework.md section 16): who is there, and what is where.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_types::{
    AccessToken, App, AppId, CallRequest, CallResponse, Channel, ChannelMember, Context, DeployType,
    JwtSecret, OAuth2App, Post, Team, TeamMember, User, WebhookSecret, json,
};
use tokio::time::Instant;

use super::super::{CallOutcome, Calls, Profile, Settings};
use crate::apps::Registry;
use crate::audit::{Audit, Sync};
use crate::egress::{Egress, Rules};
use crate::env::{Clock, Env};
use crate::grants::{Act, Grants};
use crate::platform::{AppToken, Bot, Credential, Error, Event, Eyes, Freshness, Identity, Platform, Right};
use crate::providers::Catalogue;
use crate::store::{Store, StoreConfig};
use crate::upstream::Upstream;
use crate::vault::{RootKey, Vault};

pub(super) const ANN: &str = "anngt5bxb8pa73ik757pith7am";
pub(super) const BOB: &str = "bob5xgqjg67pyruo38hzuqnpxm";
pub(super) const ROOT: &str = "root1yfu11m7k1uehfbtworsge";
pub(super) const BOT: &str = "boths9koeqrbkcdbbh4cw3rf1d";
pub(super) const TEAM: &str = "teammme1oc4ixgrit6t8f5rkqm";
pub(super) const CHANNEL: &str = "chanah7yph1id1tmqo51qpb66n";
pub(super) const POST: &str = "posthmjrmt8kjwb13dghk96fzq";
pub(super) const ROOT_POST: &str = "rpostjtrrgwtr77rb1owe3qdkn";
pub(super) const ALL: &[&str] = &["act_as_bot", "act_as_user", "remote_oauth2"];

/// The body of section 16.5, laid out as the specification has it.
pub(super) const SEND: &str = include_str!("golden/send.json");

/// The App token of a user id.
pub(super) type Tokens = fn(&str) -> Result<AppToken, Error>;

/// The platform. It knows a few people and one of everything else, and hands out what it is told to.
pub(super) struct Stage {
    users: HashMap<&'static str, User>,
    /// What every read of an entity fails with.
    pub(super) closed: Mutex<Option<&'static str>>,
    pub(super) token: Mutex<Tokens>,
    /// With whose eyes which user was read.
    pub(super) reads: Mutex<Vec<(String, String)>>,
    pub(super) events: Mutex<Vec<Event>>,
}

fn token_of(user: &str) -> Result<AppToken, Error> {
    let token = match user {
        BOT => "bottoko9g313sfgtgz3kua5qzh",
        ANN => "annapptok4hxxukudikoo51mss",
        ROOT => "rootapptok5ip83bmejhosxhca",
        _ => return Ok(AppToken::Refused("nobody knows this user".into())),
    };
    Ok(AppToken::Token(AccessToken::new(token)))
}

/// A part of the golden context, as the platform would give it.
fn part<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let send: Value = serde_json::from_str(SEND).unwrap();
    json::from_slice_strict(send["context"][name].to_string().as_bytes()).unwrap()
}

impl Stage {
    fn new() -> Self {
        let ann: User = part("acting_user");
        let bob = User { create_at: 17, update_at: 18, email_verified: true, ..part("user") };
        let root = User { id: ROOT.into(), username: "root".into(), ..User::default() };
        let bot = User {
            id: BOT.into(),
            username: "hello-oauth2".into(),
            first_name: "Hello, OAuth2!".into(),
            is_bot: true,
            ..User::default()
        };
        Self {
            users: HashMap::from([(ANN, ann), (BOB, bob), (ROOT, root), (BOT, bot)]),
            closed: Mutex::default(),
            token: Mutex::new(token_of),
            reads: Mutex::default(),
            events: Mutex::default(),
        }
    }

    fn open(&self) -> Result<(), Error> {
        match *self.closed.lock().unwrap() {
            Some(text) => Err(Error::Entity(text.into())),
            None => Ok(()),
        }
    }

    fn the<T: serde::de::DeserializeOwned>(&self, name: &str, here: bool) -> Result<T, Error> {
        self.open()?;
        if here { Ok(part(name)) } else { Err(Error::Entity(": not here".into())) }
    }
}

#[async_trait]
impl Platform for Stage {
    async fn resolve(&self, _: Credential<'_>, _: Freshness) -> Result<Option<Identity>, Error> {
        Ok(None)
    }
    async fn may(&self, user_id: &str, _: Right, _: Freshness) -> Result<bool, Error> {
        Ok(user_id == ROOT)
    }
    async fn app_token(&self, _: &AppId, user_id: &str) -> Result<AppToken, Error> {
        let answer = *self.token.lock().unwrap();
        answer(user_id)
    }
    async fn revoke_app_tokens(&self, _: &AppId) -> Result<(), Error> {
        Ok(())
    }
    async fn ensure_bot(&self, _: &AppId, _: &str) -> Result<Bot, Error> {
        Ok(Bot { user_id: BOT.into(), username: "hello-oauth2".into() })
    }
    async fn set_bot_active(&self, _: &str, _: bool) -> Result<(), Error> {
        Ok(())
    }
    async fn user(&self, eyes: Eyes<'_>, user_id: &str) -> Result<User, Error> {
        let eyes = match eyes {
            Eyes::Of(id) => id,
            Eyes::Unrestricted => "*",
        };
        self.reads.lock().unwrap().push((eyes.to_owned(), user_id.to_owned()));
        self.open()?;
        self.users.get(user_id).cloned().ok_or_else(|| Error::Entity(": no such user".into()))
    }
    async fn channel(&self, _: Eyes<'_>, id: &str) -> Result<Channel, Error> {
        self.the("channel", id == CHANNEL)
    }
    async fn channel_member(&self, _: Eyes<'_>, channel: &str, user: &str) -> Result<ChannelMember, Error> {
        let member = self.the("channel_member", channel == CHANNEL)?;
        Ok(ChannelMember { user_id: user.to_owned(), ..member })
    }
    async fn team(&self, _: Eyes<'_>, id: &str) -> Result<Team, Error> {
        let team = self.the("team", id == TEAM)?;
        Ok(Team { email: "core@example.com".into(), invite_id: "inviteid".into(), ..team })
    }
    async fn team_member(&self, _: Eyes<'_>, team: &str, user: &str) -> Result<TeamMember, Error> {
        let member = self.the("team_member", team == TEAM)?;
        Ok(TeamMember { user_id: user.to_owned(), ..member })
    }
    async fn post(&self, _: Eyes<'_>, id: &str) -> Result<Post, Error> {
        match id {
            ROOT_POST => self.the("root_post", true),
            id => self.the("post", id == POST),
        }
    }
    async fn sign_out(&self, _: &AccessToken) -> Result<(), Error> {
        panic!("no call signs anybody out")
    }

    async fn direct_message(&self, _: &str, _: &str, _: &str) -> Result<(), Error> {
        Ok(())
    }
    fn default_locale(&self) -> &str {
        "de"
    }
    fn sign_in_url(&self, return_to: &str) -> String {
        return_to.to_owned()
    }
    fn publish(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}

/// The moment of the worked exchanges.
struct Still;
impl Clock for Still {
    fn now_ms(&self) -> i64 {
        1_767_225_600_000
    }
}

/// The App hello-oauth2, installed, and everything that calls need.
pub(super) struct Scene {
    pub(super) calls: Calls,
    pub(super) stage: Arc<Stage>,
    pub(super) app: FakeApp,
    pub(super) apps: Arc<Registry>,
    pub(super) grants: Arc<Grants>,
    pub(super) id: AppId,
    _audit: tempfile::TempDir,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::with(Profile::Documented, ALL, |_| {}).await
    }

    pub(super) async fn with(
        profile: Profile,
        permissions: &[&str],
        change: impl Fn(&mut App) + Send,
    ) -> Self {
        let env = Env { clock: Arc::new(Still), ..Env::system() };
        let store = Store::open(&StoreConfig::Memory).await.unwrap();
        let root = RootKey::generate(&env).unwrap();
        let vault = Arc::new(Vault::open(&root, store.keys.clone(), &store.meta, env.clone()).await.unwrap());
        let dir = tempfile::tempdir().unwrap();
        let key = zeroize::Zeroizing::new([7; 32]);
        let audit = Arc::new(Audit::open(dir.path(), key, Sync::Soon, env.clone()).unwrap());
        let apps = Arc::new(Registry::new(store.apps.clone(), Arc::clone(&vault), env.clone()));
        let egress = Arc::new(Egress::new(Rules { allow_loopback: true, ..Rules::default() }).unwrap());
        let rooms = crate::grants::Rooms {
            apps: Arc::clone(&apps),
            vault,
            audit: Arc::clone(&audit),
            egress: Arc::clone(&egress),
            catalogue: Catalogue::bundled().unwrap(),
            env: env.clone(),
        };
        let grants = Arc::new(Grants::new(&store, rooms));
        let stage = Arc::new(Stage::new());
        let platform: Arc<dyn Platform> = stage.clone();
        let settings = Settings { site_url: "https://mm.example.com".into(), developer_mode: false, profile };
        let upstream = Arc::new(Upstream::new(egress, env));
        let calls = Calls::new(Arc::clone(&apps), Arc::clone(&grants), platform, upstream, audit, settings);
        let (app, id) = (FakeApp::start().await, AppId::unchecked("hello-oauth2"));

        let manifest = app.manifest(id.as_str(), permissions).to_string();
        let mut record = App {
            manifest: json::from_slice_strict(manifest.as_bytes()).unwrap(),
            deploy_type: Some(DeployType::Http),
            bot_user_id: BOT.into(),
            bot_username: "hello-oauth2".into(),
            secret: JwtSecret::new("hello-jwt-secret"),
            webhook_secret: WebhookSecret::new("whkt8dn8g3894fcumrfistwrru"),
            granted_permissions: permissions.iter().map(ToString::to_string).collect(),
            ..App::default()
        };
        change(&mut record);
        apps.list_manifest(&id, &record.manifest).await.unwrap();
        apps.change(&id, |_| Ok(record.clone())).await.unwrap();
        Self { calls, stage, app, apps, grants, id, _audit: dir }
    }

    /// Stores what the worked exchanges store.
    pub(super) async fn store_credentials(&self) {
        let stored = r#"{"remote_root_url":"https://idp.example.net","client_id":"hello-client",
            "client_secret":"s3cr3t\u0026\u003c1\u003e","data":{"scopes":["read","write"]}}"#;
        let stored: OAuth2App = json::from_slice_strict(stored.as_bytes()).unwrap();
        self.grants.put_credentials(&self.act(ROOT), &stored).await.unwrap();
    }

    pub(super) async fn store_record(&self, user: &str, record: &str) {
        self.grants.put_record(&self.act(user), record.as_bytes()).await.unwrap();
    }

    fn act<'a>(&'a self, actor: &'a str) -> Act<'a> {
        Act { actor, app: &self.id, request: "test", reason: "test" }
    }

    pub(super) async fn invoke(&self, caller: &str, request: CallRequest) -> CallOutcome {
        self.calls.invoke(Some(&identity(caller)), request, "request-1", soon()).await
    }

    /// Calls `/send`, gives what the App saw, or the text of the error.
    pub(super) async fn seen(&self, caller: &str, expand: Value, context: Value) -> Result<Value, String> {
        let mut request = json!({"path": "/send", "expand": expand, "context": context});
        request["context"]["app_id"] = json!("hello-oauth2");
        let before = self.app.calls().len();
        let outcome = self.invoke(caller, read(&request.to_string())).await;
        match outcome.response.is_error() {
            true => {
                assert_eq!(self.app.calls().len(), before, "the call did not reach the App");
                Err(outcome.response.text)
            }
            false => Ok(self.app.calls().last().unwrap().json()["context"].clone()),
        }
    }

    /// Calls a path with an answer prepared.
    pub(super) async fn answered(&self, path: &str, answer: Answer) -> CallResponse {
        self.app.answer(path, answer);
        self.invoke(ANN, to(path)).await.response
    }
}

pub(super) fn read(text: &str) -> CallRequest {
    json::from_slice_stream(text.as_bytes()).unwrap()
}

pub(super) fn to(path: &str) -> CallRequest {
    let context = Context { app_id: "hello-oauth2".into(), ..Context::default() };
    CallRequest { path: path.into(), context, ..CallRequest::default() }
}

pub(super) fn identity(user_id: &str) -> Identity {
    Identity {
        user_id: user_id.into(),
        username: "someone".into(),
        display_name: "Someone".into(),
        is_bot: user_id == BOT,
        app: None,
        session_id: "session".into(),
    }
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}
