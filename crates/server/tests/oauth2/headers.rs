//! What requests may carry a token in, and what answers with secrets carry.

use serde_json::json;
use tessera_testkit::child::{Child, serve};
use tessera_testkit::site::{OAUTH2_APP, OAUTH2_USER};
use tessera_testkit::wire::{Answer, Ask};

use crate::TESSERA;
use crate::stage::{APP, Stage, With};

const RECORD: &str = r#"{"access_token":"at-1"}"#;

fn check(answer: &Answer, cell: &str) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{cell}: {answer:?}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{cell}");
    for (name, _) in &answer.headers {
        assert!(!name.to_lowercase().starts_with("access-control-"), "{cell}: {answer:?}");
    }
}

#[tokio::test]
async fn os_53_answers_with_secrets_are_not_kept_sniffed_or_shared() {
    let stage = Stage::set().await;
    let site = stage.site;
    let token = stage.token(&stage.user, With::ActingUser).await;
    site.store(&token, RECORD).await;
    let admin = stage.token(&stage.admin, With::ActingUser).await;
    site.store_credentials(&admin, "id", "secret").await;
    let get = || Ask::get(OAUTH2_USER).bearer(&token);
    // The record, also to a page of the site itself.
    let own_page = format!("http://localhost:{}", site.address.port());
    for ask in [get(), get().with("Origin", own_page)] {
        let answer = site.send(&ask).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, RECORD));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        check(&answer, "the record");
    }
    // An App's record, which an administrator sees with the client secret in it.
    let route = format!("/plugins/com.mattermost.apps/api/v1/apps/{APP}");
    let answer = site.send(&Ask::get(route).bearer(&stage.admin.token)).await;
    assert_eq!(answer.json()["remote_oauth2"]["client_secret"], "secret");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    check(&answer, "the App's record");
    // What refuses or says nothing is no exception.
    for (ask, status) in [
        (Ask::get(OAUTH2_USER), 401),
        (Ask::post(OAUTH2_USER, "test").bearer(&token), 400),
        (Ask::post(OAUTH2_USER, "null").bearer(&token), 200),
        (Ask::post(OAUTH2_APP, "{}").bearer(&token), 401),
    ] {
        let answer = site.send(&ask).await;
        assert_eq!(answer.status, status);
        check(&answer, &format!("{ask:?}"));
    }
    // A page elsewhere that asks whether it may is not told that it may, nor given anything.
    let asks = Ask::new("OPTIONS", OAUTH2_USER)
        .with("Origin", "https://elsewhere.example")
        .with("Access-Control-Request-Method", "GET")
        .with("Access-Control-Request-Headers", "authorization");
    for ask in [asks, get().with("Origin", "https://elsewhere.example")] {
        let answer = site.send(&ask).await;
        assert!(answer.status >= 400 && !answer.text().contains("at-1"), "{answer:?}");
        check(&answer, "another origin");
    }
}

#[tokio::test]
async fn os_52_a_token_counts_in_the_authorization_header_alone() {
    let stage = Stage::set().await;
    let site = stage.site;
    let token = stage.token(&stage.user, With::ActingUser).await;
    site.store(&token, RECORD).await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "token", "Token", "TOKEN"] {
        let ask = Ask::get(OAUTH2_USER).with("Authorization", format!("{scheme} {token}"));
        let answer = site.send(&ask).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, RECORD), "{scheme}");
    }
    let query = format!("{OAUTH2_USER}?access_token={token}");
    let form = format!("access_token={token}");
    let in_form = |method, route| {
        Ask { method, ..Ask::post(route, form.as_str()) }
            .with("Content-Type", "application/x-www-form-urlencoded")
    };
    let mut refused = vec![
        Ask::get(query.as_str()),
        Ask::get(query.replace("access_token", "token")),
        Ask::post(query.as_str(), RECORD),
        Ask::post(format!("{OAUTH2_APP}?access_token={token}"), "{}"),
        in_form("POST", OAUTH2_USER),
        in_form("PUT", OAUTH2_APP),
    ];
    for header in ["Basic", "OAuth", "Bearer:", "Bearer,", "JWT"] {
        refused.push(Ask::get(OAUTH2_USER).with("Authorization", format!("{header} {token}")));
    }
    refused.push(Ask::get(OAUTH2_USER).with("Authorization", token.as_str()));
    refused.push(Ask::get(OAUTH2_USER).with("X-Access-Token", token.as_str()));
    for ask in refused {
        let answer = site.send(&ask).await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (401, "user ID is required: unauthorized\n"),
            "{ask:?}"
        );
        // RFC 6750 section 3.1: where no token came, no error code.
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{ask:?}");
    }
    assert_eq!(site.record(&token).await, RECORD);
}

#[tokio::test]
async fn os_52_a_token_in_an_address_is_not_logged() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = serve(TESSERA, dir.path());
    command.env("TESSERA_LOG__LEVEL", "trace");
    let child = Child::spawn(command);
    let planted = "plantedplantedplantedplant";
    for query in ["access_token", "token"] {
        let answer = child.site.send(&Ask::get(format!("{OAUTH2_USER}?{query}={planted}"))).await;
        assert_eq!(answer.status, 401);
    }
    let user = child.site.sign_in("user-1").await;
    let call =
        child.site.post(&user.token, "/call", &json!({"path": "/x", "context": {"app_id": "none"}})).await;
    assert_eq!(call.status, 200, "{}", call.text());
    let printed = child.stop();
    let printed = String::from_utf8_lossy(&printed);
    assert!(printed.contains("oauth2/user"), "the requests were logged: {printed}");
    assert!(!printed.contains(planted), "{printed}");
    assert!(!printed.contains(&user.token), "{printed}");
}
