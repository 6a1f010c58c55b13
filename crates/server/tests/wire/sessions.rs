//! How long the tokens live that Apps get in calls (sections 4.3 and 15.12).

use serde_json::json;
use tessera_testkit::site::OAUTH2_USER;
use tessera_testkit::wire::Ask;

use crate::stage::Stage;

const APP: &str = "sessiontest";
const MINUTE_MS: i64 = 60_000;

async fn installed() -> Stage {
    let stage = Stage::set().await;
    let permissions = ["act_as_bot", "act_as_user", "remote_oauth2"];
    stage.site.install(&stage.admin, &stage.fake.manifest(APP, &permissions)).await;
    stage
}

/// The token that the App gets in a call by the user now.
async fn token(stage: &Stage) -> String {
    let call =
        json!({"path": "/hear", "context": {"app_id": APP}, "expand": {"acting_user_access_token": "all"}});
    let (heard, _) = stage.hears(&call).await;
    heard["context"]["acting_user_access_token"].as_str().unwrap().to_owned()
}

async fn status(stage: &Stage, token: &str) -> u16 {
    stage.site.send(&Ask::get(OAUTH2_USER).bearer(token)).await.status
}

#[tokio::test]
async fn section_4_3_a_token_is_used_again_and_extended_only_when_it_runs_out() {
    let stage = installed().await;
    let first = token(&stage).await;
    // More than five minutes left: the same, and no longer.
    stage.server.clock.advance_ms(4 * MINUTE_MS);
    assert_eq!(token(&stage).await, first);
    stage.server.clock.advance_ms(6 * MINUTE_MS - 1);
    assert_eq!(status(&stage, &first).await, 200);
    // A millisecond left: the same, for ten minutes more.
    assert_eq!(token(&stage).await, first);
    stage.server.clock.advance_ms(10 * MINUTE_MS - 1);
    assert_eq!(status(&stage, &first).await, 200);
    stage.server.clock.advance_ms(1);
    assert_eq!(status(&stage, &first).await, 401);
    assert_ne!(token(&stage).await, first, "an expired one is not handed out");
}

#[tokio::test]
async fn b_48_a_token_that_was_ended_elsewhere_is_not_handed_out_again() {
    let stage = installed().await;
    let before = token(&stage).await;
    for active in [false, true] {
        let target = format!("/api/v4/users/{}/active", stage.user.id);
        let body = json!({"active": active}).to_string();
        let ask = Ask::new("PUT", target).body(tessera_testkit::wire::Sent::Whole(body.into_bytes()));
        assert_eq!(stage.site.send(&ask.bearer(&stage.admin.token)).await.status, 200);
    }
    assert_eq!(status(&stage, &before).await, 401);
    let stage = Stage { user: stage.site.sign_in("user-1").await, ..stage };
    let after = token(&stage).await;
    assert_ne!(after, before);
    assert_eq!(status(&stage, &after).await, 200);
}
