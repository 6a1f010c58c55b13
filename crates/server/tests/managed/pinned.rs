//! Metadata: what an administrator said yes to is what is used, whatever the provider says later (OS-23).

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tessera_testkit::fake_app::{Answer, FakeApp};
use tessera_testkit::managed::{APP, Managed, PROVIDER};
use tessera_testkit::site::flow;
use tessera_testkit::wire::Ask;
use url::Url;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// A provider whose metadata can be changed while it lives.
struct Issuer {
    server: FakeApp,
    metadata: Arc<Mutex<Value>>,
}

impl Issuer {
    async fn start() -> Self {
        let server = FakeApp::start().await;
        let url = server.root_url();
        let metadata = Arc::new(Mutex::new(json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        })));
        let shown = Arc::clone(&metadata);
        server.answer_with(WELL_KNOWN, move |_| {
            let shown = shown.lock().unwrap().clone();
            async move { Answer::Json(shown) }
        });
        for path in ["/token", "/token2"] {
            server.answer_with(path, |asked| async move {
                match asked.text().contains("code=good") {
                    true => Answer::Json(
                        json!({"access_token": "a-token", "token_type": "Bearer", "expires_in": 60}),
                    ),
                    false => {
                        let refusal = br#"{"error":"invalid_grant"}"#.as_slice();
                        Answer::Raw(StatusCode::BAD_REQUEST, "application/json", refusal.into())
                    }
                }
            });
        }
        Self { server, metadata }
    }

    fn change(&self, member: &str, value: impl Into<Value>) {
        self.metadata.lock().unwrap()[member] = value.into();
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.server.root_url())
    }

    fn heard(&self, path: &str) -> usize {
        self.server.calls_to(path).len()
    }

    fn record(&self) -> Value {
        let url = self.server.root_url();
        let text = format!("name = 'moving'\ndisplay_name = 'Moving'\nissuer = '{url}'\ndiscovery = true");
        json!({"descriptor": text, "client_id": "moving-client", "client_secret": "moving-s3cret"})
    }
}

/// Connects `user-1`, who agrees at once; gives where they were sent.
async fn connect(stage: &Managed) -> String {
    let begun = stage.cast.site.send(&Ask::get(flow(APP, "connect")).bearer(&stage.cast.user.token)).await;
    assert_eq!(begun.status, 307, "{}", begun.text());
    let to = Url::parse(begun.header("location").unwrap()).unwrap();
    let state = to.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let back = format!("http://localhost{}?code=good&state={state}", flow(APP, "complete"));
    let page = stage.come_back(&Url::parse(&back).unwrap()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    to.as_str().split('?').next().unwrap().to_owned()
}

async fn check(stage: &Managed) -> Value {
    let ask = Ask::get(format!("{PROVIDER}?check=true")).bearer(&stage.cast.admin.token);
    stage.cast.site.send(&ask).await.json()
}

#[tokio::test]
async fn os_23_changed_metadata_is_told_of_and_used_once_an_administrator_says_yes() {
    let stage = Managed::with("").await;
    let issuer = Issuer::start().await;
    let answer = stage.set_provider(&issuer.record()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["probe"], "Moving accepts the client");
    let read = issuer.heard(WELL_KNOWN);
    assert_eq!(connect(&stage).await, issuer.at("/authorize"));
    assert_eq!((issuer.heard("/token"), issuer.heard(WELL_KNOWN)), (2, read), "it is not read again");

    // What it says now is shown, and secrets go where they went.
    issuer.change("token_endpoint", issuer.at("/token2"));
    issuer.change("authorization_endpoint", issuer.at("/authorize2"));
    let told = check(&stage).await;
    let changed: Vec<&str> =
        told["changed"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(
        changed,
        [
            format!(
                "authorization_endpoint: {} is in use, and the provider says {}",
                issuer.at("/authorize"),
                issuer.at("/authorize2")
            ),
            format!(
                "token_endpoint: {} is in use, and the provider says {}",
                issuer.at("/token"),
                issuer.at("/token2")
            ),
        ]
    );
    assert_eq!(connect(&stage).await, issuer.at("/authorize"));
    assert_eq!(issuer.heard("/token2"), 0);

    // Set again, it is taken over; who agreed elsewhere must agree anew (OS-37).
    let answer = stage.set_provider(&issuer.record()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json().get("changed").is_none(), "{}", answer.text());
    assert_eq!(issuer.heard("/token2"), 1, "the probe");
    assert_eq!(stage.connections().await[0]["managed"]["status"], "needs_reconnect");
    assert_eq!(connect(&stage).await, issuer.at("/authorize2"));
    assert!(check(&stage).await.get("changed").is_none());
}

#[tokio::test]
async fn os_23_metadata_that_cannot_be_believed_is_not_taken() {
    let stage = Managed::with("").await;
    let issuer = Issuer::start().await;
    let good = issuer.metadata.lock().unwrap().clone();
    assert_eq!(stage.set_provider(&issuer.record()).await.status, 200);
    let before = check(&stage).await;
    for (member, value, what) in [
        ("issuer", json!(format!("{}/", issuer.at(""))), "metadata.issuer: "),
        ("issuer", json!("https://id.example.com"), "metadata.issuer: "),
        ("token_endpoint", json!("/token"), "metadata.token_endpoint: "),
        ("token_endpoint", json!("ftp://id.example.com/token"), "metadata.token_endpoint: "),
        ("padding", json!("x".repeat(300 << 10)), "metadata"),
    ] {
        issuer.change(member, value);
        let answer = stage.set_provider(&issuer.record()).await;
        assert_eq!(answer.status, 400, "{member}: {}", answer.text());
        assert!(answer.text().contains(what), "{member}: {}", answer.text());
        // Looked at on a live provider it is told of, and changes nothing.
        let told = check(&stage).await;
        assert!(told["changed"][0].as_str().unwrap().contains(what), "{member}: {told}");
        assert_eq!(told["updated_at"], before["updated_at"]);
        *issuer.metadata.lock().unwrap() = good.clone();
    }
    assert_eq!(check(&stage).await, before);
    assert_eq!(connect(&stage).await, issuer.at("/authorize"));
}
