//! C-BN: which bindings come back, and what is said of those that do not.

use serde_json::{Value, json};
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{API, PERMISSIONS};
use tessera_testkit::wire::Ask;

use crate::stage::{APP, Stage, TOPS, errors, everywhere, locations};

const NOT_GRANTED: &str = "location is not granted: forbidden";

#[tokio::test]
async fn c_bn_01_the_tree_comes_back_filled_in_and_the_app_sees_where_it_was_asked() {
    let stage = Stage::set(&TOPS).await;
    let mut manifest = stage.fake.manifest(APP, &PERMISSIONS);
    manifest["requested_locations"] = json!(["/command"]);
    manifest["bindings"] = json!({"path": "/bindings", "expand": {
        "acting_user": "+summary", "acting_user_access_token": "+all", "channel": "+all", "team": "+all",
        "channel_member": "+all", "team_member": "+all",
    }});
    let call = json!({"path": "/do", "state": {"n": 1}});
    let given = json!([{"location": "/command", "bindings": [{"location": "base", "bindings": [
        {"location": "one", "submit": call},
        {"location": "two", "label": "zwei", "form": {"submit": call, "fields": [{"type": "text", "name": "a_b"}]}},
    ]}]}]);
    stage.fake.answer("/bindings", AppAnswer::Json(json!({"type": "ok", "data": given})));
    stage.site.install(&stage.admin, &manifest).await;
    let team = stage.v4("/users/me/teams").await[0].clone();
    let team_id = team["id"].as_str().unwrap();
    let channel = stage.v4(&format!("/teams/{team_id}/channels/name/town-square")).await;
    let channel_id = channel["id"].as_str().unwrap();

    let query =
        format!("?test=true&team_id={team_id}&channel_id={channel_id}&user_agent=webapp&user_id=ignored");
    let answer = stage.get(&query).await.json();
    let expected = json!({"bindings": [{"location": "/command", "bindings": [
        {"app_id": APP, "location": "base", "label": "base", "bindings": [
            {"app_id": APP, "location": "one", "label": "one", "submit": call},
            {"app_id": APP, "location": "two", "label": "zwei", "form": {"submit": call, "fields": [
                {"type": "text", "name": "a_b", "label": "a-b"}
            ]}},
        ]},
    ]}]});
    assert_eq!(answer, expected);

    let heard = stage.fake.calls_to("/bindings").pop().unwrap().json();
    let context = &heard["context"];
    assert_eq!(context["user_agent"], "webapp");
    assert_eq!(context["acting_user"]["id"], stage.user.id.as_str());
    assert!(context["acting_user_access_token"].is_string());
    for (entity, id) in [("team", team_id), ("channel", channel_id)] {
        assert_eq!(context[entity]["id"], id, "{heard}");
    }
    assert_eq!(context["channel_member"]["channel_id"], channel_id);
    assert_eq!(context["team_member"]["team_id"], team_id);
    assert_eq!((&context["team_id"], &context["channel_id"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn c_bn_02_all_that_was_requested_comes_back_in_order() {
    let stage = Stage::set(&["/post_menu", "/command", "/channel_header"]).await;
    let (bindings, error) = stage.tested().await;
    assert_eq!((locations(&bindings), error), (TOPS.map(str::to_owned).to_vec(), None));
    assert_eq!(stage.get("").await.json(), bindings, "without `test` it is the list alone");
}

#[tokio::test]
async fn c_bn_03_an_app_without_locations_is_not_even_asked() {
    let stage = Stage::set(&[]).await;
    let (bindings, error) = stage.tested().await;
    assert_eq!((bindings, error), (Value::Null, errors(&["no location granted to bind to: forbidden"])));
    assert_eq!(stage.get("").await.text(), "null\n");
    assert!(stage.fake.calls_to("/bindings").is_empty());
}

async fn only(granted: &[&str], refused: &[&str]) {
    let stage = Stage::set(granted).await;
    let (bindings, error) = stage.tested().await;
    assert_eq!(locations(&bindings), granted);
    let texts: Vec<_> = refused.iter().map(|top| format!("{top}: {NOT_GRANTED}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    assert_eq!(error, errors(&texts));
}

#[tokio::test]
async fn c_bn_04_only_commands_were_requested() {
    only(&["/command"], &["/post_menu", "/channel_header"]).await;
}

#[tokio::test]
async fn c_bn_05_only_the_channel_header_was_requested() {
    only(&["/channel_header"], &["/post_menu", "/command"]).await;
}

#[tokio::test]
async fn c_bn_06_only_the_post_menu_was_requested() {
    only(&["/post_menu"], &["/command", "/channel_header"]).await;
}

#[tokio::test]
async fn c_bn_07_two_were_requested() {
    only(&["/command", "/post_menu"], &["/channel_header"]).await;
}

#[tokio::test]
async fn c_bn_08_a_disabled_app_is_not_asked() {
    let stage = Stage::set(&TOPS).await;
    let disabled = stage.site.post(&stage.admin.token, "/disable-app", &json!({"app_id": APP})).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text());
    let before = stage.fake.calls_to("/bindings").len();
    assert_eq!(stage.tested().await, (Value::Null, None));
    assert_eq!(stage.fake.calls_to("/bindings").len(), before);
}

#[tokio::test]
async fn c_bn_09_commands_of_several_apps_are_one_entry_with_their_icons() {
    let stage = Stage::set(&["/command"]).await;
    let command = |name: &str, icon: &str| {
        json!({"type": "ok", "data": [{"location": "/command", "bindings": [
            {"location": name, "icon": icon, "submit": {"path": "/do"}},
        ]}]})
    };
    stage.fake.answer("/bindings", AppAnswer::Json(command("zebra", "https://elsewhere.example/i.png")));
    let another = FakeApp::start().await;
    another.answer("/bindings", AppAnswer::Json(command("ant", "nested/my icon.png")));
    stage.site.install(&stage.admin, &another.manifest("another", &PERMISSIONS)).await;

    let (bindings, error) = stage.tested().await;
    let port = stage.site.address.port();
    let icon = format!(
        "http://localhost:{port}/plugins/com.mattermost.apps/apps/another/static/nested/my%20icon.png"
    );
    let expected = json!([{"location": "/command", "bindings": [
        {"app_id": "another", "location": "ant", "label": "ant", "icon": icon, "submit": {"path": "/do"}},
        {"app_id": APP, "location": "zebra", "label": "zebra", "icon": "https://elsewhere.example/i.png",
         "submit": {"path": "/do"}},
    ]}]);
    assert_eq!((bindings, error), (expected, None));
}

#[tokio::test]
async fn what_an_app_answers_wrongly_is_told_to_who_tests_and_spoils_nothing() {
    let stage = Stage::set(&TOPS).await;
    let another = FakeApp::start().await;
    another.answer("/bindings", AppAnswer::Json(json!({"type": "ok", "data": everywhere()})));
    stage.site.install(&stage.admin, &another.manifest("another", &PERMISSIONS)).await;
    for (answer, text) in [
        (
            json!({"type": "ok", "data": {"location": 1}}),
            "failed to decode bindings: json: cannot unmarshal object",
        ),
        (json!({"type": "error", "text": "not today"}), "received app error: not today"),
        (json!({"type": "form"}), "unexpected response type \"form\""),
    ] {
        stage.fake.answer("/bindings", AppAnswer::Json(answer));
        let (bindings, error) = stage.tested().await;
        assert_eq!(locations(&bindings), ["/command"], "the other App's");
        let error = error.unwrap();
        assert!(error.contains(text), "{error}");
    }
    stage.fake.answer("/bindings", AppAnswer::Close);
    let error = stage.tested().await.1.unwrap();
    assert!(error.contains("received app error: upstream call failed: "), "{error}");
    assert_eq!(locations(&stage.get("").await.json()), ["/command"], "who does not test is told nothing");
}

#[tokio::test]
async fn who_is_not_signed_in_gets_null() {
    let stage = Stage::set(&TOPS).await;
    let answer = stage.site.send(&Ask::get(format!("{API}/bindings"))).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "null\n"));
    let answer = stage.site.send(&Ask::get(format!("{API}/bindings?test=1&test=2"))).await;
    assert_eq!(answer.json(), json!({"bindings": null, "error": "user ID is required: unauthorized"}));
}

#[tokio::test]
async fn lookups_and_refreshes_of_forms_pass_through() {
    let stage = Stage::set(&TOPS).await;
    let items = json!({"items": [{"label": "One", "value": "1"}]});
    stage.fake.answer("/lookup", AppAnswer::Json(json!({"type": "ok", "data": items})));
    let form =
        json!({"submit": {"path": "/do"}, "fields": [{"name": "a_b", "type": "text"}, {"type": "text"}]});
    stage.fake.answer("/form", AppAnswer::Json(json!({"type": "form", "form": form})));
    let call = |path: &str| {
        json!({
            "path": path, "selected_field": "who", "query": "on", "values": {"a_b": "x"},
            "context": {"app_id": APP},
        })
    };
    let answer = stage.site.post(&stage.user.token, "/call", &call("/lookup")).await.json();
    assert_eq!((&answer["type"], &answer["data"]), (&json!("ok"), &items));
    let heard = stage.fake.calls_to("/lookup").pop().unwrap().json();
    assert_eq!((&heard["selected_field"], &heard["query"]), (&json!("who"), &json!("on")));
    let answer = stage.site.post(&stage.user.token, "/call", &call("/form")).await.json();
    assert_eq!(answer["type"], "form");
    assert_eq!(answer["form"]["fields"], json!([{"name": "a_b", "type": "text", "label": "a-b"}]));
}
