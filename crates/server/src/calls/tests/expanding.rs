//! Expand, field by field (apps-framework.md sections 6 and 15.13).

use serde_json::{Value, json};
use tessera_types::{CallRequest, Context, DeployType, ExpandLevel, User, parse_level};

use super::super::Profile;
use super::super::expand::Asking;
use super::stage::*;
use crate::platform::{AppToken, Error};

fn place() -> Value {
    json!({"channel_id": CHANNEL, "team_id": TEAM, "post_id": POST, "root_post_id": ROOT_POST})
}

fn send_context() -> Value {
    serde_json::from_str::<Value>(SEND).unwrap()["context"].clone()
}

async fn refused(scene: &Scene, caller: &str, expand: Value, context: Value) -> String {
    let text = scene.seen(caller, expand, context).await.unwrap_err();
    text.strip_prefix("failed to expand context: ").expect(&text).to_owned()
}

/// The context that expands to nothing but what every call has.
fn bare(context: &Value) -> Vec<&str> {
    context.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn c_ex_01_the_acting_user_at_each_level() {
    let scene = Scene::new().await;
    let id = json!({"id": ANN, "delete_at": 0, "username": "", "auth_service": "", "email": "", "nickname": "",
        "first_name": "", "last_name": "", "position": "", "roles": "", "locale": "", "timezone": null,
        "disable_welcome_email": false});
    let all = send_context()["acting_user"].clone();
    let mut summary = all.clone();
    for hidden in ["create_at", "update_at", "email_verified", "notify_props"] {
        summary.as_object_mut().unwrap().remove(hidden);
    }
    for (level, user) in [("id", id), ("summary", summary), ("all", all)] {
        for plus in ["", "+"] {
            let seen =
                scene.seen(ANN, json!({"acting_user": format!("{plus}{level}")}), json!({})).await.unwrap();
            assert_eq!(seen["acting_user"], user, "{plus}{level}");
            assert_eq!(seen["mattermost_site_url"], "https://mm.example.com");
            assert_eq!(seen["app_path"], "/plugins/com.mattermost.apps/apps/hello-oauth2");
            assert_eq!(seen["bot_user_id"], BOT);
        }
    }
}

#[tokio::test]
async fn c_ex_02_nothing_asked_nothing_read() {
    let scene = Scene::new().await;
    for expand in
        [json!(null), json!({}), json!({"acting_user": ""}), json!({"acting_user": "none", "user": "+"})]
    {
        let seen = scene.seen(ANN, expand, json!({"user_id": BOB})).await.unwrap();
        assert!(seen.get("acting_user").is_none() && seen.get("user").is_none());
    }
    assert!(scene.stage.reads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn c_ex_03_a_forbidden_user() {
    let scene = Scene::new().await;
    *scene.stage.closed.lock().unwrap() = Some("forbidden");
    let seen = scene.seen(ANN, json!({"acting_user": "all"}), json!({})).await.unwrap();
    assert!(seen.get("acting_user").is_none());
    let text = refused(&scene, ANN, json!({"acting_user": "+all"}), json!({})).await;
    assert_eq!(text, format!("failed to expand required acting_user: id: {ANN}: forbidden"));
}

#[tokio::test]
async fn c_ex_04_unknown_levels_fail_whatever_the_field() {
    let scene = Scene::new().await;
    for level in ["garbage", "+garbage"] {
        for field in ["acting_user", "oauth2_app", "locale"] {
            let text = refused(&scene, ANN, json!({ field: level }), json!({})).await;
            assert_eq!(text, r#""garbage" is not a known expand level"#);
        }
    }
}

#[tokio::test]
async fn c_ex_05_nobody_acts() {
    let scene = Scene::new().await;
    let app = scene.apps.installed(&scene.id).await.unwrap();
    let given = Context::default();
    for level in ["+id", "+all"] {
        let asking = Asking { app: &app, acting: None, given: &given, path: "/p", request: "r", asks: false };
        let expand = tessera_types::Expand { acting_user: level.into(), ..Default::default() };
        let error = scene.calls.expand(asking, Some(&expand)).await.unwrap_err();
        assert_eq!(error.to_string(), "failed to expand required acting_user: no user ID to expand");
    }
    let text = refused(&scene, ANN, json!({"user": "+id"}), json!({})).await;
    assert_eq!(text, "failed to expand required user: no user ID to expand");
}

#[tokio::test]
async fn c_ex_06_channel_members() {
    let scene = Scene::new().await;
    let mut full = send_context()["channel_member"].clone();
    full["user_id"] = json!(ANN);
    for (level, has_roles) in [("id", false), ("summary", true), ("all", true)] {
        let seen = scene.seen(ANN, json!({"channel_member": level}), place()).await.unwrap();
        let member = &seen["channel_member"];
        assert_eq!((&member["channel_id"], &member["user_id"]), (&json!(CHANNEL), &json!(ANN)));
        assert_eq!(*member == full, has_roles, "{level}");
    }
    let mut about_bob = place();
    about_bob["user_id"] = json!(BOB);
    let seen = scene.seen(ANN, json!({"channel_member": "+all"}), about_bob).await.unwrap();
    assert_eq!(seen["channel_member"], send_context()["channel_member"]);
}

#[tokio::test]
async fn c_ex_07_a_channel_membership_of_nothing() {
    let scene = Scene::new().await;
    let text = refused(&scene, ANN, json!({"channel_member": "+all"}), json!({"user_id": BOB})).await;
    assert_eq!(text, "failed to expand required channel_member: no user ID or channel ID to expand");
    let seen = scene.seen(ANN, json!({"channel_member": "all"}), json!({})).await.unwrap();
    assert!(seen.get("channel_member").is_none());
}

#[tokio::test]
async fn c_ex_08_a_channel_membership_that_cannot_be_read() {
    let scene = Scene::new().await;
    *scene.stage.closed.lock().unwrap() = Some("ERROR");
    let text = refused(&scene, ANN, json!({"channel_member": "+all"}), place()).await;
    assert_eq!(text, "failed to expand required channel_member: failed to get channel membership: ERROR");
}

#[tokio::test]
async fn c_ex_09_team_members() {
    let scene = Scene::new().await;
    let mut about_bob = place();
    about_bob["user_id"] = json!(BOB);
    for level in ["summary", "+all"] {
        let seen = scene.seen(ANN, json!({"team_member": level}), about_bob.clone()).await.unwrap();
        assert_eq!(seen["team_member"], send_context()["team_member"]);
    }
    let seen = scene.seen(ANN, json!({"team_member": "id"}), place()).await.unwrap();
    assert_eq!((&seen["team_member"]["user_id"], &seen["team_member"]["roles"]), (&json!(ANN), &json!("")));
    let text = refused(&scene, ANN, json!({"team_member": "+all"}), json!({})).await;
    assert_eq!(text, "failed to expand required team_member: no user ID or channel ID to expand");
    *scene.stage.closed.lock().unwrap() = Some("ERROR");
    let text = refused(&scene, ANN, json!({"team_member": "+all"}), place()).await;
    assert_eq!(text, "failed to expand required team_member: failed to get team membership: ERROR");
}

#[tokio::test]
async fn c_ex_10_the_given_context_is_not_modified() {
    let scene = Scene::new().await;
    let app = scene.apps.installed(&scene.id).await.unwrap();
    let given = Context {
        channel_id: CHANNEL.into(),
        user_id: BOB.into(),
        location: "/command".into(),
        ..Context::default()
    };
    let before = given.clone();
    let asking =
        Asking { app: &app, acting: Some(ANN), given: &given, path: "/p", request: "r", asks: false };
    let expand = tessera_types::Expand { channel: "all".into(), user: "all".into(), ..Default::default() };
    let seen = scene.calls.expand(asking, Some(&expand)).await.unwrap();
    assert!(seen.channel.is_some() && seen.user.is_some());
    assert_eq!(given, before);
}

#[tokio::test]
async fn c_ex_11_what_a_user_agent_says_of_itself_survives_and_nothing_else() {
    let scene = Scene::new().await;
    let mut context = place();
    let given = json!({"user_agent": "webapp", "track_as_submit": true, "subject": "user_joined_channel",
        "location": "/command/x", "user_id": BOB, "mattermost_site_url": "https://evil.example", "developer_mode": true,
        "app_path": "/evil", "bot_user_id": "evil", "bot_access_token": "evil", "acting_user": {"id": ROOT},
        "acting_user_access_token": "evil", "locale": "xx", "user": {"id": ROOT}, "app": {"app_id": "evil"},
        "oauth2": {"client_id": "evil", "user": {"evil": true}}});
    context.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
    let seen = scene.seen(ANN, json!({}), context).await.unwrap();
    assert_eq!(
        seen,
        json!({"app_id": "", "user_agent": "webapp", "track_as_submit": true,
            "mattermost_site_url": "https://mm.example.com",
            "app_path": "/plugins/com.mattermost.apps/apps/hello-oauth2", "bot_user_id": BOT,
            "bot_access_token": "bottoko9g313sfgtgz3kua5qzh", "oauth2": {}})
    );
}

#[test]
fn c_ex_12_levels_are_parsed() {
    use ExpandLevel::{All, Id, None, Summary};
    for (text, level) in [("", None), ("id", Id), ("summary", Summary), ("all", All)] {
        assert_eq!(parse_level(text), Ok((level, false)));
        assert_eq!(parse_level(&format!("+{text}")), Ok((level, level != None)));
        assert_eq!(parse_level(&format!("-{text}")), Ok((level, false)));
    }
}

#[tokio::test]
async fn entities_are_read_with_the_eyes_of_whom_the_app_acts_as() {
    let about_bob = json!({"user_id": BOB});
    for (permissions, eyes) in [(ALL, ANN), (&["act_as_user"], ANN), (&["act_as_bot"], BOT)] {
        let scene = Scene::with(Profile::Documented, permissions, |_| {}).await;
        scene.seen(ANN, json!({"user": "+summary"}), about_bob.clone()).await.unwrap();
        assert_eq!(*scene.stage.reads.lock().unwrap(), [(eyes.to_owned(), BOB.to_owned())]);
    }
    let scene = Scene::with(Profile::Documented, &[], |_| {}).await;
    for expand in [json!({"locale": "all"}), json!({"app": "+all"})] {
        let text = refused(&scene, ANN, expand, json!({})).await;
        assert_eq!(text, "apps without any ActAs* permission can't expand: unauthorized");
    }
    let seen = scene.seen(ANN, json!({}), json!({})).await.unwrap();
    assert_eq!(bare(&seen), ["app_id", "app_path", "bot_user_id", "mattermost_site_url", "oauth2"]);
}

#[tokio::test]
async fn levels_without_use_for_a_field_are_skipped_in_silence() {
    let scene = Scene::new().await;
    let expand = json!({"app": "+id", "acting_user_access_token": "+id", "oauth2_app": "+summary", "oauth2_user": "id"});
    let seen = scene.seen(ANN, expand, json!({})).await.unwrap();
    assert_eq!(seen["oauth2"], json!({}));
    assert!(seen.get("app").is_none() && seen.get("acting_user_access_token").is_none());
}

#[tokio::test]
async fn ids_stand_in_for_a_channel_or_team_that_cannot_be_read() {
    let scene = Scene::new().await;
    *scene.stage.closed.lock().unwrap() = Some(": gone");
    let seen = scene.seen(ANN, json!({"channel": "+id", "team": "+id"}), place()).await.unwrap();
    assert_eq!((&seen["channel"]["id"], &seen["channel"]["team_id"]), (&json!(CHANNEL), &json!(TEAM)));
    assert_eq!(seen["team"]["id"], TEAM);
    for (field, cause) in [
        ("channel", format!("id: {CHANNEL}: : gone")),
        ("team", format!("failed to get team {TEAM}: : gone")),
        ("post", format!("failed to get post {POST}: : gone")),
        ("root_post", format!("failed to get post {ROOT_POST}: : gone")),
    ] {
        let text = refused(&scene, ANN, json!({ field: "+summary" }), place()).await;
        assert_eq!(text, format!("failed to expand required {field}: {cause}"));
    }
    for (field, cause) in [
        ("channel", "no channel ID to expand"),
        ("team", "no team ID to expand"),
        ("post", "no post ID to expand"),
        ("root_post", "no post ID to expand"),
    ] {
        let text = refused(&scene, ANN, json!({ field: "+id" }), json!({})).await;
        assert_eq!(text, format!("failed to expand required {field}: {cause}"));
    }
}

#[tokio::test]
async fn the_locale_is_the_users_own_else_the_sites() {
    let scene = Scene::new().await;
    let locale =
        async |caller, expand| scene.seen(caller, expand, json!({})).await.unwrap()["locale"].clone();
    assert_eq!(locale(ANN, json!({"locale": "id"})).await, "en");
    assert_eq!(locale(ANN, json!({"locale": "+all", "acting_user": "id"})).await, "en");
    assert_eq!(locale(ROOT, json!({"locale": "+summary"})).await, "de");
    *scene.stage.closed.lock().unwrap() = Some("closed");
    assert_eq!(locale(ANN, json!({"locale": "+all"})).await, "de");
}

#[tokio::test]
async fn only_an_administrator_sees_the_webhook_secret() {
    let scene = Scene::new().await;
    let app = async |caller, level: &str| {
        scene.seen(caller, json!({"app": level}), json!({})).await.unwrap()["app"].clone()
    };
    let mut summary = send_context()["app"].clone();
    assert_eq!(app(ANN, "all").await, summary);
    assert_eq!(app(ROOT, "all").await["webhook_secret"], "whkt8dn8g3894fcumrfistwrru");
    summary.as_object_mut().unwrap().remove("deploy_type");
    assert_eq!(app(ROOT, "summary").await, summary);
}

#[tokio::test]
async fn the_acting_users_token_needs_the_permission_and_the_platform() {
    let scene = Scene::with(Profile::Documented, &["act_as_bot"], |_| {}).await;
    let expand = json!({"acting_user_access_token": "+all"});
    let text = refused(&scene, ANN, expand.clone(), json!({})).await;
    assert_eq!(
        text,
        "failed to expand required acting_user_access_token: hello-oauth2 does not have permission to use Mattermost \
         REST API as connected users: forbidden"
    );
    let scene = Scene::with(Profile::Documented, &["act_as_user"], |_| {}).await;
    let seen = scene.seen(ANN, json!({"acting_user_access_token": "all"}), json!({})).await.unwrap();
    assert_eq!(seen["acting_user_access_token"], "annapptok4hxxukudikoo51mss");
    assert!(seen.get("bot_access_token").is_none(), "the App may not act as its bot");
    for (answer, reason) in [
        ((|_| Ok(AppToken::Refused("not now".into()))) as fn(&str) -> _, "not now"),
        (|_| Err(Error::Rng(crate::env::RngError)), "internal error, see the server's log"),
    ] {
        *scene.stage.token.lock().unwrap() = answer;
        let text = refused(&scene, ANN, expand.clone(), json!({})).await;
        let start = "failed to expand required acting_user_access_token: failed to get session: ";
        assert_eq!(text, format!("{start}{reason}"));
    }
    // Whoever can still agree is asked to, also where the App could do without.
    *scene.stage.token.lock().unwrap() =
        |_| Ok(AppToken::NeedsConsent { url: "https://mm.example.com/agree".into() });
    for expand in [expand, json!({"acting_user_access_token": "all"})] {
        let text = scene.seen(ANN, expand, json!({})).await.unwrap_err();
        let link = "[Agree to it once](https://mm.example.com/agree)";
        assert_eq!(text, format!("Hello, OAuth2! wants to act for you here. {link}, then try again."));
    }
}

#[tokio::test]
async fn a_bot_without_a_token_fails_every_call() {
    let scene = Scene::new().await;
    *scene.stage.token.lock().unwrap() = |_| Ok(AppToken::Refused("the bot is gone".into()));
    let text = refused(&scene, ANN, json!({}), json!({})).await;
    assert_eq!(text, "failed to get bot session: the bot is gone");
}

#[tokio::test]
async fn builtin_apps_see_everything_and_get_no_token() {
    let scene =
        Scene::with(Profile::Documented, ALL, |app| app.deploy_type = Some(DeployType::Builtin)).await;
    let app = scene.apps.installed(&scene.id).await.unwrap();
    let given = Context { user_id: BOB.into(), ..Context::default() };
    let asking =
        Asking { app: &app, acting: Some(ANN), given: &given, path: "/p", request: "r", asks: false };
    let expand = tessera_types::Expand { user: "+all".into(), ..Default::default() };
    let seen = scene.calls.expand(asking, Some(&expand)).await.unwrap();
    assert_eq!(seen.user.map(|user: User| user.id), Some(BOB.to_owned()));
    assert!(seen.bot_access_token.is_empty());
    assert_eq!(*scene.stage.reads.lock().unwrap(), [("*".to_owned(), BOB.to_owned())]);
}

#[tokio::test]
async fn what_is_expanded_must_fit_what_was_given() {
    let scene = Scene::new().await;
    let elsewhere = |field: &str, id: &str| {
        let mut context = place();
        context[field] = json!(id);
        context
    };
    for (expand, context, text) in [
        (
            json!({"post": "all"}),
            elsewhere("channel_id", "other"),
            format!("expanded post's channel ID {CHANNEL} is different from user agent context other"),
        ),
        (
            json!({"channel": "summary"}),
            elsewhere("team_id", "other"),
            format!("expanded channel's team ID {TEAM} is different from user agent context other"),
        ),
    ] {
        let full = refused(&scene, ANN, expand, context).await;
        assert_eq!(full, format!("failed post-expand consistency check: {text}"));
    }
    // The post's channel is hidden at this level, so there is nothing to compare.
    scene.seen(ANN, json!({"post": "id"}), elsewhere("channel_id", "other")).await.unwrap();
}

#[tokio::test]
async fn a_call_reaches_the_app_with_its_own_parts_untouched() {
    let scene = Scene::new().await;
    let request = read(
        r#"{"path":"/a//b/","expand":{},"state":{"z":1,"a":[1e400,12345678901234567890]},"values":{"b":{"x":null},"a":"1"},
        "raw_command":"/x","selected_field":"f","query":"q","context":{"app_id":"hello-oauth2"}}"#,
    );
    assert_eq!(scene.invoke(ANN, CallRequest { ..request }).await.response.kind, "ok");
    let seen = &scene.app.calls()[0];
    assert_eq!(seen.target, "/a/b");
    let text = seen.text();
    assert!(text.starts_with(r#"{"path":"/a/b","expand":{},"state":{"#), "{text}");
    assert!(text.contains("12345678901234567890") && text.contains("1e400"), "{text}");
    assert!(text.contains(r#""values":{"a":"1","b":{"x":null}},"context":{"app_id":"","#), "{text}");
    assert!(text.ends_with(r#""raw_command":"/x","selected_field":"f","query":"q"}"#), "{text}");
}
