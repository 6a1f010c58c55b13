//! A server with an App whose connections are managed, and the provider that they are at.

use std::sync::Arc;

use serde_json::{Value, json};
use tessera_server::boot::config::Config;
use tessera_server::env::Clock as _;
use tessera_simulator::{Behaviour, PASSWORD, Running, Simulator};
use url::Url;

use crate::browser::{Browser, From};
use crate::cast::Cast;
use crate::site::{Site, flow};
use crate::wire::{Answer, Ask};
use crate::within::Within;

/// The App's id.
pub const APP: &str = "hello";
/// The App's client id at the provider.
pub const CLIENT: &str = "hello-client";
/// Its secret there.
pub const SECRET: &str = "s3cret-of-hello";
/// Where provider records are.
pub const PROVIDER: &str = "/plugins/com.mattermost.apps/tessera/v1/apps/hello/provider";

/// What a managed connection needs. The provider's clock is the server's.
pub struct Managed {
    /// Who is there.
    pub cast: Cast,
    /// The provider.
    pub provider: Running,
}

impl Managed {
    /// With these lines more in the provider's descriptor (`URL` in them is where the provider is).
    pub async fn with(lines: &str) -> Self {
        Self::set_up(lines, |_| {}, |_| {}).await
    }

    /// The same with changes to the server's settings and to how the provider behaves.
    pub async fn set_up(
        lines: &str,
        change: impl FnOnce(&mut Config),
        behave: impl FnOnce(&mut Behaviour),
    ) -> Self {
        let cast = Cast::with(change).await;
        let provider = Self::provider_of(&cast.server, behave).await;
        cast.site
            .install(&cast.admin, &cast.fake.manifest(APP, &["remote_oauth2", "act_as_user", "act_as_bot"]))
            .await;
        let managed = Self { cast, provider };
        let set = managed.set_provider(&managed.record(lines)).await;
        assert_eq!(set.status, 200, "{}", set.text());
        managed
    }

    /// A provider that knows the App of this server, by its clock.
    pub async fn provider_of(server: &Within, behave: impl FnOnce(&mut Behaviour)) -> Running {
        let port = server.site.address.port();
        let complete = format!("http://localhost:{port}{}", flow(APP, "complete"));
        let clock = Arc::clone(&server.clock);
        let simulator = Simulator::builder()
            .client(CLIENT, SECRET, [complete])
            .clock(Arc::new(move || clock.now_ms() / 1_000))
            .behaviour(behave)
            .build();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        simulator.start(listener).unwrap()
    }

    /// The provider record: a descriptor of the simulator with these lines more, and the App's client.
    pub fn record(&self, lines: &str) -> Value {
        json!({
            "descriptor": descriptor(self.provider.url(), lines),
            "client_id": CLIENT,
            "client_secret": SECRET,
        })
    }

    /// Writes a provider record as the administrator.
    pub async fn set_provider(&self, record: &Value) -> Answer {
        let ask = Ask::new("PUT", PROVIDER).body(crate::wire::Sent::Whole(record.to_string().into_bytes()));
        self.cast.site.send(&ask.bearer(&self.cast.admin.token)).await
    }

    /// Connects `user-1` by their own token, as a program would; `person` agrees at the provider. Gives the last page.
    pub async fn connect_as(&self, person: &str) -> Answer {
        let back = agree(&self.begin().await, person).await;
        self.come_back(&back).await
    }

    /// Opens a callback by `user-1`'s own token.
    pub async fn come_back(&self, callback: &Url) -> Answer {
        let target = format!("{}?{}", callback.path(), callback.query().unwrap_or_default());
        self.cast.site.send(&Ask::get(target).bearer(&self.cast.user.token)).await
    }

    /// Connects `user-1` with Ada's account.
    pub async fn connect(&self) {
        let page = self.connect_as("ada").await;
        assert_eq!(page.status, 200, "{}", page.text());
    }

    /// A token with which the App acts as `user-1`, good for some minutes. Nothing else is expanded.
    pub async fn token(&self) -> String {
        let call = json!({
            "path": "/token",
            "context": {"app_id": APP},
            "expand": {"acting_user_access_token": "all"},
        });
        let answer = self.cast.site.post(&self.cast.user.token, "/call", &call).await;
        assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
        let heard = self.cast.fake.calls_to("/token").last().unwrap().json();
        heard["context"]["acting_user_access_token"].as_str().unwrap().to_owned()
    }

    /// What the App gets when it asks for `user-1`'s record.
    pub async fn ask(&self, query: &str) -> Answer {
        self.ask_with(query, &self.token().await).await
    }

    /// The same with a token that is there already.
    pub async fn ask_with(&self, query: &str, token: &str) -> Answer {
        let target = format!("/plugins/com.mattermost.apps/api/v1/oauth2/user{query}");
        self.cast.site.send(&Ask::get(target).bearer(token)).await
    }

    /// The access token in it.
    pub async fn access_token(&self) -> String {
        let answer = self.ask("").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether the provider takes a token.
    pub async fn works(&self, token: &str) -> bool {
        let site = at(self.provider.url());
        site.send(&Ask::get("/userinfo").bearer(token)).await.status == 200
    }

    /// `user-1`'s connections, as they are told.
    pub async fn connections(&self) -> Value {
        let ask = Ask::get("/plugins/com.mattermost.apps/tessera/v1/connections");
        let answer = self.cast.site.send(&ask.bearer(&self.cast.user.token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Ends `user-1`'s connection as `user-1`.
    pub async fn disconnect(&self) -> Answer {
        let ask = Ask::new("DELETE", "/plugins/com.mattermost.apps/tessera/v1/connections/hello");
        self.cast.site.send(&ask.bearer(&self.cast.user.token)).await
    }

    /// Has the provider misbehave.
    pub fn set(&self, switches: &[&str]) {
        self.provider.change_behaviour(|behaviour| {
            for switch in switches {
                behaviour.set(switch).unwrap();
            }
        });
    }

    /// Where connecting leads `user-1`, by their own token.
    pub async fn begin(&self) -> Url {
        let begun = self.cast.site.send(&Ask::get(flow(APP, "connect")).bearer(&self.cast.user.token)).await;
        assert_eq!(begun.status, 307, "{}", begun.text());
        Url::parse(begun.header("location").unwrap()).unwrap()
    }

    /// Moves the clock of server and provider.
    pub fn later(&self, seconds: i64) {
        self.cast.server.clock.advance_ms(seconds * 1_000);
    }

    /// Does what is due by now.
    pub async fn work(&self) -> usize {
        self.cast.server.grants.work_once().await.unwrap()
    }
}

/// A descriptor of a simulator at this address.
pub fn descriptor(url: &str, lines: &str) -> String {
    let lines = lines.replace("URL", url);
    let refresh = if lines.contains("[refresh]") { "" } else { "\n[refresh]\nrotation = 'always'\n" };
    format!(
        "name = 'simulator'\ndisplay_name = 'Simulator'\nissuer = '{url}'\nauthorize_url = '{url}/authorize'\n\
         token_url = '{url}/token'\nuserinfo_url = '{url}/userinfo'\nclient_auth = 'basic'\n\
         revoke = {{ url = '{url}/revoke' }}\nscopes = {{ default = ['profile', 'email'] }}\n\
         reply = {{ account_id = ['sub'], account_name = ['email', 'name'] }}\n{lines}\n{refresh}"
    )
}

/// Where this address is.
pub fn at(origin: &str) -> Site {
    Site::at(origin.strip_prefix("http://").unwrap().parse().unwrap())
}

/// Signs in at the provider as this person and says yes; gives the callback, which nobody has followed yet.
pub async fn agree(to: &Url, person: &str) -> Url {
    let origin = to.origin().ascii_serialization();
    let mut browser = Browser::at(at(&origin), &origin);
    let page = browser.open(&format!("{}?{}", to.path(), to.query().unwrap()), From::Elsewhere).await;
    let mut fields = hidden(&page.text());
    fields.extend([("username", person.to_owned()), ("password", PASSWORD.to_owned())]);
    let signed_in = browser.submit("/sign-in", &borrowed(&fields)).await;
    let page = browser.open(signed_in.header("location").unwrap(), From::Here).await;
    let mut fields = hidden(&page.text());
    fields.push(("decision", "approve".to_owned()));
    let back = browser.submit("/consent", &borrowed(&fields)).await;
    Url::parse(back.header("location").unwrap()).unwrap()
}

fn borrowed<'a>(fields: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The hidden fields of the simulator's forms.
fn hidden(page: &str) -> Vec<(&'static str, String)> {
    let value = |name: &'static str| {
        let rest = page.split_once(&format!("name=\"{name}\" value=\""))?.1;
        Some((name, rest.split_once('"')?.0.replace("&amp;", "&")))
    };
    ["request", "csrf"].into_iter().filter_map(value).collect()
}
