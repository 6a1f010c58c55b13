//! Who may do and see what.

use serde_json::json;
use tessera_testkit::fake_mattermost::Version;

use crate::{Scene, is, refused};

const FORBIDDEN: &str = "api.context.permissions.app_error";

#[tokio::test]
async fn a_private_channel_is_its_members_and_a_public_one_its_team_s() {
    let scene = Scene::of(Version::V11_6).await;
    let (public, private) = (
        scene.mattermost.add_channel(&scene.team, "open", "O"),
        scene.mattermost.add_channel(&scene.team, "closed", "P"),
    );
    let stranger = scene.mattermost.add_user("eve");
    let eve = scene.mattermost.session(&stranger).token;
    let read =
        async |token: &str, channel: &str| scene.get(token, &format!("/channels/{channel}")).await.status;
    assert_eq!(read(&scene.token, &public).await, 200);
    assert_eq!(read(&scene.token, &private).await, 403);
    assert_eq!(read(&eve, &public).await, 403);
    assert_eq!(read(&scene.root, &private).await, 200);
    scene.mattermost.join(&private, &scene.ada);
    assert_eq!(read(&scene.token, &private).await, 200);
    let nowhere = scene.get(&scene.token, &format!("/channels/{}", "z".repeat(26))).await;
    assert_eq!(refused(&nowhere), is(404, "app.channel.get.existing.app_error"));
    let no_id = scene.get(&scene.token, "/channels/nonsense").await;
    assert_eq!(refused(&no_id), is(400, "api.context.invalid_url_param.app_error"));
    // Members are seen by members.
    let member = format!("/channels/{private}/members/{}", scene.ada);
    let shown = scene.get(&scene.token, &member).await.json();
    assert_eq!((&shown["roles"], &shown["scheme_user"]), (&json!("channel_user"), &json!(true)));
    assert_eq!(scene.get(&eve, &member).await.status, 403);
    let missing = scene.get(&scene.token, &format!("/channels/{private}/members/{stranger}")).await;
    assert_eq!(refused(&missing), is(404, "app.channel.get_member.missing.app_error"));
}

#[tokio::test]
async fn posts_are_for_those_who_may_read_and_write_them() {
    let scene = Scene::of(Version::V11_6).await;
    let eve = scene.mattermost.add_user("eve");
    let eve = scene.mattermost.session(&eve).token;
    let post = json!({"channel_id": scene.channel, "message": "hi"});
    assert_eq!(refused(&scene.post(&eve, "/posts", post.clone()).await), is(403, FORBIDDEN));
    let made = scene.post(&scene.token, "/posts", post).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["user_id"], scene.ada.as_str());
    assert_eq!(scene.get(&eve, &format!("/posts/{id}")).await.status, 403);
    let patch = format!("/posts/{id}/patch");
    assert_eq!(scene.put(&eve, &patch, json!({"message": "no"})).await.status, 403);
    let changed = scene.put(&scene.token, &patch, json!({"message": "ho"})).await;
    assert_eq!(changed.json()["message"], "ho", "{}", changed.text());
    assert_eq!(scene.put(&scene.root, &patch, json!({"message": "by root"})).await.status, 200);
    // Somebody else's eyes alone: a plain person may not.
    let alone = json!({"user_id": scene.ada, "post": {"channel_id": scene.channel, "message": "psst"}});
    assert_eq!(scene.post(&scene.token, "/posts/ephemeral", alone.clone()).await.status, 403);
    assert_eq!(scene.post(&scene.root, "/posts/ephemeral", alone).await.status, 201);
    assert_eq!(scene.mattermost.whispers_to(&scene.ada), ["psst"]);
}

#[tokio::test]
async fn a_role_of_the_site_s_own_may_do_what_it_allows() {
    let scene = Scene::of(Version::V11_6).await;
    let config = async |token: &str| scene.get(token, "/config").await.status;
    assert_eq!((config(&scene.token).await, config(&scene.root).await), (403, 200));
    scene.mattermost.add_role("keeper", &["manage_system"]);
    scene.mattermost.set_roles(&scene.ada, "system_user keeper");
    assert_eq!(config(&scene.token).await, 200);
    let roles = scene.post(&scene.token, "/roles/names", json!(["keeper", "nobody"])).await.json();
    assert_eq!(roles.as_array().unwrap().len(), 1);
    assert_eq!(roles[0]["permissions"], json!(["manage_system"]));
}

#[tokio::test]
async fn teams_are_seen_by_members_and_administrators() {
    let scene = Scene::of(Version::V11_6).await;
    let other = scene.mattermost.add_team("ops");
    let team = async |token: &str, id: &str| scene.get(token, &format!("/teams/{id}")).await.status;
    assert_eq!((team(&scene.token, &scene.team).await, team(&scene.token, &other).await), (200, 403));
    assert_eq!(team(&scene.root, &other).await, 200);
    scene.mattermost.open_team(&other);
    assert_eq!(team(&scene.token, &other).await, 200);
    // Who does not manage a team is not told how to be invited.
    let shown = scene.get(&scene.token, &format!("/teams/{}", scene.team)).await.json();
    assert_eq!((&shown["invite_id"], &shown["email"]), (&json!(""), &json!("")));
    let count = |answer: serde_json::Value| answer.as_array().unwrap().len();
    assert_eq!(count(scene.get(&scene.token, "/users/me/teams").await.json()), 1);
    assert_eq!(count(scene.get(&scene.token, "/teams").await.json()), 1, "those that anybody may join");
    assert_eq!(count(scene.get(&scene.root, "/teams?per_page=200").await.json()), 2);
    // Members add others to the team; a channel is for those who are in its team.
    let bob = scene.mattermost.add_user("bob");
    let channel = format!("/channels/{}/members", scene.channel);
    let outside = scene.post(&scene.root, &channel, json!({"user_id": bob})).await;
    assert_eq!(outside.status, 404, "{}", outside.text());
    let member = json!({"team_id": scene.team, "user_id": bob});
    let added = scene.post(&scene.token, &format!("/teams/{}/members", scene.team), member).await;
    assert_eq!(added.status, 201, "{}", added.text());
    assert_eq!(added.json()["roles"], "team_user");
    assert!(scene.mattermost.is_member(&scene.channel, &bob), "the town square is everybody's");
    for place in [format!("/teams/{}", scene.team), format!("/channels/{}", scene.channel)] {
        let members = scene.get(&scene.token, &format!("{place}/members")).await.json();
        assert_eq!(count(members), 2, "{place}");
    }
}

#[tokio::test]
async fn what_others_see_of_somebody_is_what_the_site_shows() {
    let scene = Scene::of(Version::V11_6).await;
    let bob = scene.mattermost.add_user("bob");
    scene.mattermost.change_user(&bob, |user| user.first_name = "Bob".to_owned());
    let see = async |token: &str| scene.get(token, &format!("/users/{bob}")).await.json();
    assert_eq!(see(&scene.token).await["email"], "bob@example.com");
    assert!(see(&scene.token).await.get("notify_props").is_none());
    scene.mattermost.set("PrivacySettings.ShowEmailAddress", false);
    scene.mattermost.set("PrivacySettings.ShowFullName", false);
    let seen = see(&scene.token).await;
    assert_eq!((&seen["email"], &seen["first_name"]), (&json!(""), &json!("")));
    assert_eq!(see(&scene.root).await["email"], "bob@example.com");
    let unknown = scene.get(&scene.token, "/users/username/nobody").await;
    assert_eq!(refused(&unknown), is(404, "app.user.missing_account.const"));
}

#[tokio::test]
async fn who_is_deactivated_or_lacks_a_second_factor_is_nobody() {
    let scene = Scene::of(Version::V11_6).await;
    scene.mattermost.demand_mfa(&scene.ada, true);
    let answer = scene.get(&scene.token, "/users/me").await;
    assert_eq!(refused(&answer), is(401, "api.context.mfa_required.app_error"));
    scene.mattermost.demand_mfa(&scene.ada, false);
    assert_eq!(scene.get(&scene.token, "/users/me").await.status, 200);
    let inactive = json!({"active": false});
    let path = format!("/users/{}/active", scene.ada);
    assert_eq!(scene.put(&scene.token, &path, inactive.clone()).await.status, 401);
    assert_eq!(scene.put(&scene.root, &path, inactive).await.status, 200);
    assert_eq!(scene.get(&scene.token, "/users/me").await.status, 401);
    let gone = scene.get(&scene.root, &format!("/users/{}", scene.ada)).await.json();
    assert!(gone["delete_at"].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn two_have_one_direct_channel() {
    let scene = Scene::of(Version::V5_37).await;
    let bob = scene.mattermost.add_user("bob");
    let two = json!([scene.ada, bob]);
    let first = scene.post(&scene.token, "/channels/direct", two.clone()).await;
    assert_eq!((first.status, first.json()["type"].clone()), (201, json!("D")));
    let again = scene.post(&scene.token, "/channels/direct", two.clone()).await;
    assert_eq!(first.json()["id"], again.json()["id"]);
    let eve = scene.mattermost.add_user("eve");
    let eve = scene.mattermost.session(&eve).token;
    assert_eq!(scene.post(&eve, "/channels/direct", two).await.status, 403);
}
