//! Who is calling, and what they may.

use serde_json::json;
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::fake_mattermost::{Failure, Version};
use tessera_testkit::site::{API, Site};
use tessera_testkit::wire::Ask;

const CALL: &str = "/plugins/com.mattermost.apps/api/v1/call";

fn body() -> String {
    json!({"path": "/hello", "context": {"app_id": APP}}).to_string()
}

/// Whether a call got through to the App; else it is answered as one from nobody.
async fn call(site: Site, ask: Ask) -> bool {
    let answer = site.send(&ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert!(answer["type"] == "ok" || answer["text"] == "user ID is required: unauthorized", "{answer}");
    answer["type"] == "ok"
}

#[tokio::test]
async fn a_bearer_is_whom_mattermost_says_and_headers_say_nothing() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_user"]).await;
    assert!(call(stage.site(), Ask::post(CALL, body()).bearer(&stage.user.token)).await);
    for token in ["", "no-token", &"a".repeat(51), &"a".repeat(26)] {
        assert!(!call(stage.site(), Ask::post(CALL, body()).bearer(token)).await, "{token}");
    }
    // Past the front door, too: what a plugin host would say is nobody's to say.
    let spoofed = Ask::post(CALL, body())
        .with("Mattermost-User-Id", stage.admin.id.clone())
        .with("Mattermost-Plugin-ID", "com.mattermost.plugin-playbooks");
    for site in [stage.site(), stage.server.site] {
        assert!(!call(site, spoofed.clone()).await);
    }
    // A text that no Mattermost gives is not even asked about.
    let asked = stage.mattermost.requests();
    let sent = asked.iter().filter_map(|one| one.headers.get("authorization"));
    assert!(!sent.clone().any(|value| value.contains("no-token") || value.len() > 60));
}

#[tokio::test]
async fn os_57_a_cookie_must_prove_where_its_request_comes_from_and_mattermost_says_whether_it_does() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_user"]).await;
    let session = stage.mattermost.session(&stage.user.id);
    let with = || Ask::post(CALL, body()).with("Cookie", format!("MMAUTHTOKEN={}", session.token));
    assert!(!call(stage.site(), with()).await);
    assert!(!call(stage.site(), with().with("X-CSRF-Token", "wrong")).await);
    assert!(call(stage.site(), with().with("X-CSRF-Token", session.csrf.clone())).await);
    let lenient = || with().with("X-Requested-With", "XMLHttpRequest");
    assert!(call(stage.site(), lenient()).await);
    // Strict mode is Mattermost's own setting, and needs no second one here.
    stage.mattermost.set("ServiceSettings.ExperimentalStrictCSRFEnforcement", true);
    assert!(!call(stage.site(), lenient()).await);
    // The token went as a bearer to be resolved, and as a cookie alone to be proven.
    for one in stage.mattermost.requests().iter().filter(|one| one.path == "/api/v4/users/status/ids") {
        assert!(!one.headers.contains_key("authorization"));
        assert_eq!(one.headers["cookie"], format!("MMAUTHTOKEN={}", session.token));
    }
}

#[tokio::test]
async fn administration_needs_the_permission_and_not_the_role_s_name() {
    let stage = Attached::to(Version::V11_7).await;
    let listing = stage.fake.manifest(APP, &[]).to_string();
    let list = |token: &str| Ask::post(format!("{API}/update-app-listing"), listing.clone()).bearer(token);
    assert_eq!(stage.site().send(&list(&stage.user.token)).await.status, 401);
    // A role of the site's own that has it; and one that is called as if it had.
    stage.mattermost.add_role("operators", &["manage_system"]);
    stage.mattermost.set_roles(&stage.user.id, "system_user operators");
    assert_eq!(stage.site().send(&list(&stage.user.token)).await.status, 200);
    stage.mattermost.add_role("system_admin_of_nothing", &["create_post"]);
    stage.mattermost.set_roles(&stage.user.id, "system_user system_admin_of_nothing");
    assert_eq!(stage.site().send(&list(&stage.user.token)).await.status, 401);
}

#[tokio::test]
async fn what_an_app_is_told_is_what_its_person_may_see() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_user"]).await;
    let team = stage.mattermost.add_team("dev");
    let (open, private) = (
        stage.mattermost.add_channel(&team, "open", "O"),
        stage.mattermost.add_channel(&team, "private", "P"),
    );
    let asks = |channel: &str| {
        json!({
            "path": "/hello",
            "context": {"app_id": APP, "channel_id": channel, "team_id": team},
            "expand": {"channel": "+all", "acting_user": "+all"},
        })
    };
    // No member of anything: nothing is told, and nothing tells the two apart.
    for channel in [&open, &private] {
        let answer = stage.site().post(&stage.user.token, "/call", &asks(channel)).await;
        assert_ne!(answer.json()["type"], "ok", "{}", answer.text());
    }
    stage.mattermost.join(&team, &stage.user.id);
    let answer = stage.site().post(&stage.user.token, "/call", &asks(&open)).await;
    assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
    let heard = stage.fake.calls_to("/hello").last().unwrap().json();
    assert_eq!(heard["context"]["channel"]["name"], "open");
    assert_eq!(heard["context"]["acting_user"]["username"], "ada");
    let answer = stage.site().post(&stage.user.token, "/call", &asks(&private)).await;
    assert_ne!(answer.json()["type"], "ok", "{}", answer.text());
    stage.mattermost.join(&private, &stage.user.id);
    let answer = stage.site().post(&stage.user.token, "/call", &asks(&private)).await;
    assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
}

#[tokio::test]
async fn a_limit_of_mattermost_is_honoured_and_told() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_user"]).await;
    stage.mattermost.fail_next("/api/v4/users/me", Failure::Limited(30));
    let before = stage.mattermost.count("GET", "/api/v4/users/me");
    let ask = || Ask::post(CALL, body()).bearer(&stage.user.token);
    for _ in 0..3 {
        let answer = stage.site().send(&ask()).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.header("retry-after"), Some("30"));
    }
    assert_eq!(
        stage.mattermost.count("GET", "/api/v4/users/me") - before,
        1,
        "nothing is sent while it wants quiet"
    );
    stage.server.clock.advance_ms(30_000);
    assert_eq!(stage.site().send(&ask()).await.status, 200);
}

#[tokio::test]
async fn a_mattermost_that_is_down_is_said_to_be() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_user"]).await;
    stage.mattermost.fail_next("/api/v4/users/me", Failure::Status(502));
    let answer = stage.site().send(&Ask::post(CALL, body()).bearer(&stage.user.token)).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().contains("Mattermost"), "{}", answer.text());
}

#[tokio::test]
async fn many_readers_of_one_new_token_are_one_question_to_mattermost() {
    const CONNECTIONS: &str = "/plugins/com.mattermost.apps/tessera/v1/connections";
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_user"]).await;
    for known in [true, false] {
        let token = if known { stage.mattermost.session(&stage.user.id).token } else { "z".repeat(26) };
        stage.mattermost.forget_requests();
        let reads =
            (0..20).map(|_| async { stage.site().send(&Ask::get(CONNECTIONS).bearer(&token)).await.status });
        let answers = futures_util::future::join_all(reads).await;
        assert!(answers.iter().all(|status| *status == if known { 200 } else { 401 }), "{answers:?}");
        assert_eq!(stage.mattermost.count("GET", "/api/v4/users/me"), 1);
        // A write asks for itself.
        call(stage.site(), Ask::post(CALL, body()).bearer(&token)).await;
        assert_eq!(stage.mattermost.count("GET", "/api/v4/users/me"), 2);
    }
    // Where one question fails the others are asked all the same.
    stage.server.clock.advance_ms(10_000);
    let token = stage.mattermost.session(&stage.user.id).token;
    stage.mattermost.fail_next("/api/v4/users/me", Failure::Cut);
    let reads =
        (0..20).map(|_| async { stage.site().send(&Ask::get(CONNECTIONS).bearer(&token)).await.status });
    let answers = futures_util::future::join_all(reads).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 19, "{answers:?}");
}

#[tokio::test]
async fn who_may_use_no_app_gets_an_empty_list_which_older_web_clients_need() {
    let stage = Attached::to(Version::V6_7).await;
    for token in [stage.user.token.as_str(), ""] {
        let path = "/plugins/com.mattermost.apps/api/v1/bindings?user_agent=webapp";
        let answer = stage.site().send(&Ask::get(path).bearer(token)).await;
        assert_eq!((answer.status, answer.text().trim()), (200, "[]"));
    }
}
