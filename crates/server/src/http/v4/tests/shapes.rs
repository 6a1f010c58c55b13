//! Members without which Mattermost's own JavaScript client, or the web app on top of it, goes wrong.

use super::*;
use crate::platform::standalone::Heard;

#[tokio::test]
async fn a_post_has_its_metadata_wherever_it_is_seen() {
    let fixture = Fixture::new().await;
    let user = Client::of(&fixture, "user-1").await;
    let team = user.ok("users/me/teams").await[0]["id"].as_str().unwrap().to_owned();
    let channel = user.ok(&format!("teams/{team}/channels/name/town-square")).await;
    let channel = channel["id"].as_str().unwrap();
    let mut listener = fixture.site.listen();
    let draft = json!({"channel_id": channel, "message": "hello"});
    let (status, post) = user.json("POST", "posts", draft).await;
    assert_eq!((status, &post["metadata"]), (StatusCode::CREATED, &json!({})));
    let id = post["id"].as_str().unwrap();
    assert_eq!(user.ok(&format!("posts/{id}")).await["metadata"], json!({}));
    let list = user.ok(&format!("channels/{channel}/posts")).await;
    assert_eq!(list["posts"][id]["metadata"], json!({}));
    assert_eq!(list["first_inaccessible_post_time"], 0);
    let me = fixture.user("user-1").await.id;
    let Some(Heard::News(news)) = listener.next(&me).await else { panic!("nothing was heard") };
    let heard: Value = serde_json::from_str(news.data["post"].as_str().unwrap()).unwrap();
    assert_eq!(heard, post);
}

#[tokio::test]
async fn a_person_sees_how_to_be_notified_and_others_do_not() {
    let fixture = Fixture::new().await;
    let user = Client::of(&fixture, "user-1").await;
    let admin = Client::of(&fixture, "sysadmin").await;
    let id = fixture.user("user-1").await.id;
    for seen in [user.ok("users/me").await, admin.ok(&format!("users/{id}")).await] {
        for (name, value) in [("desktop", "mention"), ("email", "true"), ("mention_keys", "")] {
            assert_eq!(seen["notify_props"][name], value, "{seen}");
        }
    }
    let other = Client::of(&fixture, "user-2").await;
    assert!(other.ok(&format!("users/{id}")).await.get("notify_props").is_none());
    let response = Client::anonymous(&fixture).send("POST", "users/login", login("user-1", PASSWORD)).await;
    assert_eq!(read(response).await.1, user.ok("users/me").await);
}

#[tokio::test]
async fn a_role_has_all_its_members() {
    let fixture = Fixture::new().await;
    let user = Client::of(&fixture, "user-1").await;
    let (_, roles) = user.json("POST", "roles/names", json!(["system_user"])).await;
    let mut members: Vec<_> = roles[0].as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let expected = [
        "built_in",
        "create_at",
        "delete_at",
        "description",
        "display_name",
        "id",
        "name",
        "permissions",
        "scheme_managed",
        "update_at",
    ];
    assert_eq!(members, expected);
}

/// The client takes the server's version only from answers without `Cache-Control`, and asks for the configuration
/// first. Nothing secret is in these three; they are stale at once, as on Mattermost.
#[tokio::test]
async fn what_everybody_may_know_tells_the_clients_the_version() {
    let fixture = Fixture::new().await;
    let anonymous = Client::anonymous(&fixture);
    for path in ["system/ping", "config/client?format=old", "license/client?format=old"] {
        let response = anonymous.send("GET", path, "").await;
        assert_eq!(response.headers()["x-version-id"], "8.1.0", "{path}");
        assert_eq!(response.headers()["expires"], "0", "{path}");
        assert!(!response.headers().contains_key("cache-control"), "{path}");
    }
    let user = Client::of(&fixture, "user-1").await;
    assert_eq!(user.send("GET", "users/me", "").await.headers()["cache-control"], "no-store");
}
