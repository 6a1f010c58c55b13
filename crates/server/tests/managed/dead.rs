//! A grant that ended: nobody asks for it again and again, its person is told once, and a thief is noticed.

use serde_json::Value;
use tessera_server::grants::{Act, Use, Want};
use tessera_simulator::Behaviour;
use tessera_testkit::managed::{APP, CLIENT, Managed, SECRET, at};
use tessera_testkit::wire::Ask;
use tessera_types::AppId;

/// What the audit log has of one kind.
fn audited(stage: &Managed, act: &str) -> Vec<Value> {
    stage.cast.server.audit().into_iter().filter(|entry| entry["act"] == act).collect()
}

fn rotates(switches: &mut Behaviour) {
    switches.rotate_refresh_tokens = true;
}

/// The refresh token that was given last.
fn refresh_token(stage: &Managed) -> String {
    stage.provider.issued_secrets().into_iter().rfind(|secret| secret.starts_with("refresh-")).unwrap()
}

/// Somebody else's use of a refresh token, with the client's own authentication.
async fn steal(stage: &Managed, token: &str) {
    let body =
        format!("grant_type=refresh_token&refresh_token={token}&client_id={CLIENT}&client_secret={SECRET}");
    let ask = Ask::post("/token", body).with("Content-Type", "application/x-www-form-urlencoded");
    let answer = at(stage.provider.url()).send(&ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn os_38_a_stolen_refresh_token_is_an_event_within_one_refresh() {
    for family_dies in [false, true] {
        let behave = |switches: &mut Behaviour| {
            rotates(switches);
            switches.reuse_kills_family = family_dies;
        };
        let stage = Managed::set_up("", |_| {}, behave).await;
        stage.connect().await;
        // An ordinary refresh is no event.
        stage.later(3_600);
        stage.access_token().await;
        assert_eq!(audited(&stage, "grant_suspect").len(), 0);

        steal(&stage, &refresh_token(&stage)).await;
        stage.later(3_600);
        let asked = stage.provider.token_requests();
        let answer = stage.ask("").await;
        assert_eq!(answer.header("tessera-connection"), Some("needs_reconnect"), "{}", answer.whole());
        assert_eq!(stage.provider.token_requests(), asked + 1, "one refresh is enough to notice");
        let events = audited(&stage, "grant_suspect");
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((&events[0]["app"], &events[0]["detail"]), (&APP.into(), &"invalid_grant".into()));
    }
}

/// 60,000 reads in a day: of each minute one over HTTP, and the others at the room's door.
const A_MINUTE: usize = 42;
const MINUTES: usize = 24 * 60;

#[tokio::test]
async fn os_34_a_dead_grant_read_60000_times_in_a_day_is_asked_for_a_few_times_and_told_once() {
    let stage = Managed::set_up("", |_| {}, rotates).await;
    stage.connect().await;
    while stage.work().await > 0 {}
    let told = words(&stage).await;
    steal(&stage, &refresh_token(&stage)).await;
    stage.later(3_600);
    let asked = stage.provider.token_requests();
    let app = AppId::unchecked(APP);
    let user = stage.cast.user.id.clone();
    let act = Act { actor: &user, app: &app, request: "r", reason: "api" };
    let (mut reads, mut token) = (0, String::new());
    for minute in 0..MINUTES {
        // The App's own token lives for some minutes.
        if minute % 5 == 0 {
            token = stage.token().await;
        }
        let answer = stage.ask_with("", &token).await;
        assert_eq!(answer.header("tessera-connection"), Some("needs_reconnect"), "{}", answer.whole());
        for _ in 1..A_MINUTE {
            let released = stage.cast.server.grants.record(&act, Use::Api, Want::default()).await.unwrap();
            assert!(released.record.is_none());
        }
        reads += A_MINUTE;
        stage.work().await;
        stage.later(60);
    }
    assert!(reads >= 60_000, "{reads}");
    let requests = stage.provider.token_requests() - asked;
    assert!((1..=5).contains(&requests), "{requests} requests");
    assert_eq!(words(&stage).await, told + 1, "its person is told once");
}

/// How often the App's bot told the user that the connection ended.
async fn words(stage: &Managed) -> usize {
    let (site, user) = (stage.cast.site, &stage.cast.user);
    let bot = site.send(&Ask::get(format!("/api/v4/users/username/{APP}")).bearer(&user.token)).await.json();
    let both = serde_json::json!([user.id, bot["id"]]).to_string();
    let direct = Ask::post("/api/v4/channels/direct", both).bearer(&user.token);
    let channel = site.send(&direct).await.json()["id"].as_str().unwrap().to_owned();
    let posts = Ask::get(format!("/api/v4/channels/{channel}/posts")).bearer(&user.token);
    let posts = site.send(&posts).await.json()["posts"].as_object().unwrap().clone();
    posts.values().filter(|post| post["message"].as_str().unwrap().contains("has ended")).count()
}
