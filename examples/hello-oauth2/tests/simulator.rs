//! The App with a provider that it did not bring along: sign-in and consent pages, PKCE, rotating tokens.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

use std::collections::HashMap;
use std::time::Duration;

use hello_oauth2::{ProviderSettings, Settings, app};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use tessera_driver::test::{self, FakeService};
use tessera_driver::{CallResponse, ClientSecret, OAuth2App};
use tessera_simulator::{PASSWORD, Running, Simulator};
use tokio::net::TcpListener;

struct World {
    simulator: Running,
    service: FakeService,
    settings: Settings,
}

impl World {
    async fn start(token_life: Duration) -> Self {
        let service = FakeService::start_for(hello_oauth2::APP_ID, "").await.unwrap();
        let complete = service.context_of("ann").oauth2.complete_url;
        let simulator = Simulator::builder()
            .client("hello", "s3cret", [complete])
            .token_life(token_life)
            .rotate_refresh_tokens(true)
            .build();
        let simulator = simulator.start(TcpListener::bind(("127.0.0.1", 0)).await.unwrap()).unwrap();
        let client_secret = ClientSecret::new("s3cret");
        service.set_stored_app(OAuth2App {
            client_id: "hello".into(),
            client_secret,
            ..OAuth2App::default()
        });
        let url = |path: &str| format!("{}{path}", simulator.url()).parse().unwrap();
        let mut settings = Settings::from_env(|_| None).unwrap();
        settings.provider = ProviderSettings {
            authorize_url: url("/authorize"),
            token_url: url("/token"),
            calendar_url: url("/calendar/v3/users/me/calendarList"),
            ..settings.provider
        };
        Self { simulator, service, settings }
    }

    async fn call(&self, path: &str, values: &HashMap<String, String>) -> CallResponse {
        let call = test::call(path).service(&self.service).acting_user("ann");
        let call = values.iter().fold(call, |call, (name, value)| call.value(name, value));
        call.send(app(self.settings.clone()).unwrap().into_router()).await.unwrap()
    }

    /// The browser's way from the App's link to the provider and back: what the redirect brings.
    async fn consent(&self, decision: &str) -> HashMap<String, String> {
        let state = HashMap::from([("state".to_owned(), "the-state".to_owned())]);
        let url: String = self.call("/oauth2/connect", &state).await.data.unwrap().to().unwrap();
        let mut browser = Browser::new(self.simulator.url());
        let page = browser.get(url).await;
        let consent = browser.submit("/sign-in", &page, &[("username", "ada"), ("password", PASSWORD)]).await;
        let page = browser.get(format!("{}{consent}", self.simulator.url())).await;
        let back = browser.submit("/consent", &page, &[("decision", decision)]).await;
        url::Url::parse(&back).unwrap().query_pairs().into_owned().collect()
    }
}

/// Keeps cookies and fills in forms.
struct Browser {
    site: String,
    http: reqwest::Client,
    cookies: HashMap<String, String>,
}

impl Browser {
    fn new(site: &str) -> Self {
        let http = tessera_driver::http_client_builder().unwrap().no_proxy().build().unwrap();
        Self { site: site.to_owned(), http, cookies: HashMap::new() }
    }

    async fn get(&mut self, url: String) -> String {
        let request = self.http.get(url);
        self.send(request).await.text().await.unwrap()
    }

    /// Posts a page's form, hidden fields included; gives where the answer redirects.
    async fn submit(&mut self, action: &str, page: &str, filled: &[(&str, &str)]) -> String {
        let hidden = |name: &str| {
            let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
            rest.split_once('"').unwrap().0.replace("&#38;", "&")
        };
        let (request, csrf) = (hidden("request"), hidden("csrf"));
        let mut form = vec![("request", request.as_str()), ("csrf", csrf.as_str())];
        form.extend(filled);
        let request = self.http.post(format!("{}{action}", self.site)).form(&form);
        self.send(request).await.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
        for set in answer.headers().get_all(SET_COOKIE) {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

#[tokio::test]
async fn connect_and_send_with_a_provider_of_another_hand() {
    let world = World::start(Duration::from_secs(3600)).await;
    let answer = world.consent("approve").await;
    assert_eq!(answer["state"], "the-state");
    let response = world.call("/oauth2/complete", &answer).await;
    assert!(!response.is_error(), "{}", response.text);

    let response = world.call("/send", &HashMap::new()).await;
    assert!(response.text.contains("ada@simulator.example"), "{}", response.text);
    assert!(response.text.contains("Analytical Engine"), "{}", response.text);
    assert_eq!(world.simulator.refreshes(), 0);

    world.simulator.expire_access_tokens();
    let response = world.call("/send", &HashMap::new()).await;
    assert!(response.text.contains("to connect again"), "{}", response.text);
}

#[tokio::test]
async fn short_tokens_are_refreshed_again_and_again() {
    let world = World::start(Duration::from_secs(5)).await;
    let answer = world.consent("approve").await;
    world.call("/oauth2/complete", &answer).await;
    for round in 1..=3 {
        let response = world.call("/send", &HashMap::new()).await;
        assert!(response.text.contains("Analytical Engine"), "{}", response.text);
        assert_eq!(world.simulator.refreshes(), round);
    }
}

#[tokio::test]
async fn a_user_who_says_no_is_told_so() {
    let world = World::start(Duration::from_secs(3600)).await;
    let answer = world.consent("deny").await;
    let response = world.call("/oauth2/complete", &answer).await;
    assert!(response.is_error());
    assert!(response.text.contains("`access_denied`"), "{}", response.text);
    assert_eq!(world.service.stored_user("ann"), None);
}
