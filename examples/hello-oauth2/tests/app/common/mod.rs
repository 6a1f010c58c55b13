//! What the App is tested in: the driver's fake service on one side, a small provider on the other.

mod provider;

pub(crate) use provider::{CLIENT_ID, CLIENT_SECRET, Provider};

use hello_oauth2::Settings;
use tessera_driver::test::{self, FakeService};
use tessera_driver::{CallResponse, ClientSecret, OAuth2App};

/// Who connects in most tests.
pub(crate) const ANN: &str = "ann";
/// The system administrator.
pub(crate) const ROOT: &str = "root";

/// The App, its provider and a server, with an administrator.
pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) service: FakeService,
    pub(crate) settings: Settings,
}

impl World {
    pub(crate) async fn start() -> Self {
        let provider = Provider::start().await;
        let service = FakeService::start_for(hello_oauth2::APP_ID, "").await.unwrap();
        service.make_admin(ROOT);
        let settings = provider.settings();
        Self { provider, service, settings }
    }

    pub(crate) async fn configured() -> Self {
        let world = Self::start().await;
        let client_secret = ClientSecret::new(CLIENT_SECRET);
        let app = OAuth2App { client_id: CLIENT_ID.into(), client_secret, ..OAuth2App::default() };
        world.service.set_stored_app(app);
        world
    }

    /// A call by this user, as the server makes it.
    pub(crate) async fn call(&self, user: &str, path: &str, values: &[(&str, &str)]) -> CallResponse {
        let mut call = test::call(path).service(&self.service).acting_user(user);
        for (name, value) in values {
            call = call.value(name, value);
        }
        call.send(hello_oauth2::app(self.settings.clone()).unwrap().into_router()).await.unwrap()
    }

    /// The connect call; gives the provider's URL.
    pub(crate) async fn authorize_url(&self, user: &str, state: &str) -> String {
        let response = self.call(user, "/oauth2/connect", &[("state", state)]).await;
        assert_eq!(response.kind.as_str(), "ok", "{}", response.text);
        serde_json::from_slice(response.data.unwrap().get().as_bytes()).unwrap()
    }

    /// Connects the user: connect, consent, complete.
    pub(crate) async fn connect(&self, user: &str) {
        let code = self.provider.consent(&self.authorize_url(user, "the-state").await);
        let response = self.call(user, "/oauth2/complete", &[("code", &code), ("state", "the-state")]).await;
        assert_eq!(response.kind.as_str(), "ok", "{}", response.text);
    }
}
