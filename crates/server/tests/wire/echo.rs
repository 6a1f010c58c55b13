//! What an App hears of a call, and nothing else (section 15.5); calls that no user may make (section 15.4).

use serde_json::json;
use tessera_testkit::wire::Ask;

use crate::stage::Stage;

const APP: &str = "echotest";

async fn installed() -> Stage {
    let stage = Stage::set().await;
    stage.site.install(&stage.admin, &stage.fake.manifest(APP, &["act_as_bot"])).await;
    stage
}

#[tokio::test]
async fn c_ec_01_the_app_hears_exactly_this() {
    let stage = installed().await;
    let call = json!({
        "path": "/echo",
        "values": {"key": "value", "n": 1},
        "context": {"app_id": APP, "user_agent": "test", "channel_id": "k4m9x8n3ziyqpd1rbw7utg5esa"},
    });
    let (heard, _) = stage.hears(&call).await;
    let (bot, token) = (&heard["context"]["bot_user_id"], &heard["context"]["bot_access_token"]);
    for id in [bot, token] {
        assert_eq!(id.as_str().map(str::len), Some(26), "{heard}");
    }
    assert_ne!(bot, token);
    let whole = json!({
        "path": "/echo",
        "values": {"key": "value", "n": 1},
        "context": {
            "bot_user_id": bot,
            "bot_access_token": token,
            "mattermost_site_url": format!("http://localhost:{}", stage.site.address.port()),
            "app_path": "/plugins/com.mattermost.apps/apps/echotest",
            "developer_mode": true,
            "user_agent": "test",
            // These two are on the wire even when they say nothing (section 5.2).
            "app_id": "",
            "oauth2": {},
        },
    });
    assert_eq!(heard, whole);
}

/// Beside the original's headers (section 7.1) there are two of ours, which an App that does not know them ignores:
/// the request's id, and the trace that it belongs to.
#[tokio::test]
async fn c_ec_01_the_app_gets_these_headers_and_no_other() {
    let stage = installed().await;
    stage.hears(&json!({"path": "/echo", "context": {"app_id": APP}})).await;
    stage.asset(APP, "icon.png").await;
    let names = |path: &str| {
        let heard = stage.fake.calls_to(path).pop().unwrap();
        let mut names: Vec<_> = heard.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("/echo"), "accept content-length content-type host traceparent user-agent x-request-id");
    assert_eq!(names("/static/icon.png"), "accept host traceparent user-agent x-request-id");
}

#[tokio::test]
async fn c_ec_02_the_answer_names_the_bot() {
    let stage = installed().await;
    let (heard, answer) = stage.hears(&json!({"path": "/echo", "context": {"app_id": APP}})).await;
    assert_eq!(answer["app_metadata"]["bot_username"], APP);
    assert_eq!(answer["app_metadata"]["bot_user_id"], heard["context"]["bot_user_id"]);
    assert!(!heard["context"]["bot_user_id"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn c_ec_03_an_address_is_seen_until_the_site_hides_it() {
    for shown in [true, false] {
        let stage = Stage::with(|config| config.site.show_email_address = shown).await;
        stage.site.install(&stage.admin, &stage.fake.manifest(APP, &["act_as_bot"])).await;
        let other = stage.site.sign_in("user-2").await;
        let call = json!({
            "path": "/echo", "context": {"app_id": APP, "user_id": other.id}, "expand": {"user": "summary"},
        });
        let (heard, _) = stage.hears(&call).await;
        let user = &heard["context"]["user"];
        assert_eq!(user["id"], other.id.as_str(), "{heard}");
        let seen = user["email"].as_str().filter(|email| !email.is_empty());
        // A person's own view and an administrator's do not change.
        for who in [&other, &stage.admin] {
            let target = format!("/api/v4/users/{}", other.id);
            let answer = stage.site.send(&Ask::get(target).bearer(&who.token)).await.json();
            let address = answer["email"].as_str().unwrap();
            assert!(address.contains('@'), "{answer}");
            assert_eq!(seen, shown.then_some(address), "{heard}");
        }
    }
}

async fn forbidden(stage: &Stage, path: &str) {
    let call = json!({"path": path, "context": {"app_id": APP}});
    let before = stage.fake.calls_to(path).len();
    let answer = stage.site.post(&stage.user.token, "/call", &call).await;
    assert_eq!((answer.status, &answer.json()["type"]), (200, &json!("error")), "{path}");
    assert!(answer.json()["text"].as_str().unwrap().contains("forbidden call path"), "{}", answer.text());
    assert_eq!(stage.fake.calls_to(path).len(), before, "{path} reached the App");
}

#[tokio::test]
async fn c_cl_01_default_paths_of_the_server_are_forbidden_at_the_door() {
    let stage = installed().await;
    for path in ["/ping", "/oauth2/connect", "/oauth2/complete", "/webhook"] {
        forbidden(&stage, path).await;
    }
}

#[tokio::test]
async fn c_cl_02_callbacks_of_the_manifest_are_forbidden_at_the_door() {
    let names = [
        "on_install",
        "on_uninstall",
        "on_version_changed",
        "on_enable",
        "on_disable",
        "get_oauth2_connect_url",
        "on_oauth2_complete",
        "on_remote_webhook",
    ];
    let stage = Stage::set().await;
    let mut manifest = stage.fake.manifest(APP, &["act_as_bot"]);
    for name in names {
        manifest[name] = json!({"path": format!("/prefix/{name}")});
    }
    stage.site.install(&stage.admin, &manifest).await;
    for name in names {
        forbidden(&stage, &format!("/prefix/{name}")).await;
    }
}

/// Whoever else serves at the App's host is not the App, and a call carries the App's tokens.
#[tokio::test]
async fn os_48_a_users_call_does_not_leave_the_apps_root() {
    let stage = Stage::set().await;
    let mut manifest = stage.fake.manifest(APP, &["act_as_bot"]);
    manifest["http"]["root_url"] = json!(format!("{}/base", stage.fake.root_url()));
    stage.site.install(&stage.admin, &manifest).await;
    let before = stage.fake.calls().len();
    for path in ["/%2e%2e/neighbour", "/a/%252e%252e/..%2f..%2fneighbour"] {
        let call = json!({"path": path, "context": {"app_id": APP}});
        let answer = stage.site.post(&stage.user.token, "/call", &call).await.json();
        assert_eq!(answer["type"], "error", "{answer}");
        let text = answer["text"].as_str().unwrap();
        assert!(text.starts_with("upstream call failed: failed to invoke via HTTP: bad path: "), "{text}");
    }
    assert_eq!(stage.fake.calls().len(), before, "a neighbour was called");
    let call = json!({"path": "/a/%2e%2e/echo", "context": {"app_id": APP}});
    let answer = stage.site.post(&stage.user.token, "/call", &call).await.json();
    assert_eq!(answer["type"], "ok", "{answer}");
    assert_eq!(stage.fake.calls_to("/base/echo").len(), 1);
}
