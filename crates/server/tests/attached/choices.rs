//! Choices that an App looks up while somebody types, and forms that depend on what was chosen.

use serde_json::{Value, json};
use tessera_testkit::attached::APP;
use tessera_testkit::fake_app::Answer;
use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::wire::Ask;

use crate::scene::{Scene, commands};

fn bindings() -> Value {
    commands(&json!([
        {"location": "send", "label": "send", "form": {"submit": {"path": "/send"}, "fields": [
            {"name": "topic", "type": "dynamic_select", "is_required": true, "value": {"label": "Old", "value": "o"},
             "lookup": {"path": "/topics", "state": {"of": "us"}}},
            {"name": "note", "type": "text", "is_required": true},
        ]}},
        {"location": "pick", "label": "pick", "form": {"source": {"path": "/form", "state": "s"}}},
    ]))
}

async fn scene(version: Version) -> Scene {
    let scene = Scene::set(version, &[bindings()]).await;
    let items = json!([{"label": "Jour ferié", "value": "j"}, {"value": "k"}]);
    scene.stage.fake.answer("/topics", Answer::Json(json!({"type": "ok", "data": {"items": items}})));
    // What can be chosen second depends on what was chosen first.
    scene.stage.fake.answer_with("/form", |call| async move {
        let first = call.json()["values"]["first"]["value"].as_str().unwrap_or_default().to_owned();
        let second: Vec<Value> = ["1", "2"].iter().map(|n| json!({"label": format!("{first}{n}"), "value": n})).collect();
        Answer::Json(json!({"type": "form", "form": {
            "title": format!("Of {first}"), "source": {"path": "/form", "state": "s"}, "submit": {"path": "/send"}, "fields": [
                {"name": "first", "type": "static_select", "refresh": true, "is_required": true,
                 "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]},
                {"name": "second", "type": "static_select", "options": second},
                {"name": "note", "type": "text"},
            ],
        }}))
    });
    scene
}

#[tokio::test]
async fn what_was_chosen_already_goes_along_with_a_look_up_as_the_real_client_sends_it() {
    let scene = scene(Version::V11_7).await;
    let (mattermost, user) = (&scene.stage.mattermost, scene.stage.user.id.clone());
    scene.types("/hello send").await;
    for (sent, heard) in [
        (json!({"label": "Old", "value": "o"}), json!({"label": "Old", "value": "o"})),
        (json!({"label": "", "value": ""}), Value::Null),
    ] {
        let values = json!({"topic": sent, "note": "x"});
        mattermost.lookup_with(&user, &scene.channel, "topic", "j", values).await;
        let call = scene.called("/topics");
        assert_eq!((&call["values"]["topic"], &call["values"]["note"]), (&heard, &json!("x")));
    }
}

#[tokio::test]
async fn a_choice_is_looked_up_and_the_app_hears_what_it_is_called() {
    let scene = scene(Version::V11_0).await;
    let (mattermost, user) = (&scene.stage.mattermost, scene.stage.user.id.clone());
    assert_eq!(scene.types("/hello send").await.text(), "");
    let element = scene.dialog()["elements"][0].clone();
    assert_eq!(
        (&element["type"], &element["data_source"], &element["default"]),
        (&json!("select"), &json!("dynamic"), &json!("o"))
    );
    let found = mattermost.lookup(&user, &scene.channel, "topic", "jo").await;
    assert_eq!(found, [json!({"text": "Jour ferié", "value": "j"}), json!({"text": "k", "value": "k"})]);
    let call = scene.called("/topics");
    assert_eq!(
        (&call["query"], &call["selected_field"], &call["state"]),
        (&json!("jo"), &json!("topic"), &json!({"of": "us"}))
    );
    for (value, label) in [("j", "Jour ferié"), ("k", "k"), ("o", "Old"), ("never offered", "never offered")]
    {
        scene.types("/hello send").await;
        let sent = scene.submits(json!({"topic": value, "note": "x"})).await;
        assert_eq!(sent.json(), json!({}), "{}", sent.text());
        assert_eq!(scene.called("/send")["values"]["topic"], json!({"label": label, "value": value}));
    }
    assert_eq!(mattermost.warnings(), Vec::<String>::new());
    // An App that has nothing to say offers nothing.
    scene.stage.fake.answer("/topics", Answer::Json(json!({"type": "error", "text": "no"})));
    scene.types("/hello send").await;
    assert!(mattermost.lookup(&user, &scene.channel, "topic", "").await.is_empty());
}

#[tokio::test]
async fn before_it_can_be_looked_up_a_choice_is_typed() {
    let scene = scene(Version::V10_11).await;
    scene.types("/hello send").await;
    assert_eq!(scene.dialog()["elements"][0]["type"], "text");
    scene.submits(json!({"topic": "j", "note": "x"})).await;
    assert_eq!(scene.called("/send")["values"]["topic"], json!({"label": "j", "value": "j"}));
    assert_eq!(scene.stage.mattermost.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn a_form_is_drawn_anew_as_its_app_has_it_and_keeps_what_was_filled_in() {
    for version in [Version::V11_1, Version::V12_0] {
        let scene = scene(version).await;
        let (mattermost, user) = (&scene.stage.mattermost, scene.stage.user.id.clone());
        assert_eq!(scene.types("/hello pick").await.text(), "");
        assert_eq!(scene.dialog()["elements"][0]["refresh"], true);
        mattermost.refresh(&user, &scene.channel, "first", json!({"first": "b", "note": "kept"})).await;
        let call = scene.called("/form");
        assert_eq!((&call["selected_field"], &call["state"]), (&json!("first"), &json!("s")));
        assert_eq!(call["values"]["first"], json!({"label": "B", "value": "b"}));
        let drawn = scene.dialog();
        assert_eq!(drawn["title"], "Of b");
        let defaults: Vec<&Value> =
            drawn["elements"].as_array().unwrap().iter().map(|one| &one["default"]).collect();
        assert_eq!(defaults, [&json!("b"), &json!(""), &json!("kept")]);
        assert_eq!(drawn["elements"][1]["options"][0]["text"], "b1");
        let sent = scene.submits(json!({"first": "b", "second": "1", "note": "kept"})).await;
        assert_eq!(sent.json(), json!({}), "{}", sent.text());
        let expected = json!({"first": {"label": "B", "value": "b"}, "second": {"label": "b1", "value": "1"}, "note": "kept"});
        assert_eq!(scene.called("/send")["values"], expected);
        assert_eq!(mattermost.warnings(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn before_it_can_be_drawn_anew_a_form_is_drawn_once() {
    let scene = scene(Version::V11_0).await;
    scene.types("/hello pick").await;
    let drawn = scene.dialog();
    assert_eq!((&drawn["source_url"], &drawn["elements"][0]["refresh"]), (&json!(null), &json!(null)));
    let sent = scene.submits(json!({"first": "b", "second": "1"})).await;
    assert_eq!(sent.json(), json!({}), "{}", sent.text());
    assert_eq!(scene.called("/send")["values"]["second"]["value"], "1");
    assert_eq!(scene.stage.mattermost.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_looked_up_or_drawn_for_anybody_but_whose_dialog_it_is() {
    let scene = scene(Version::V11_7).await;
    let stage = &scene.stage;
    scene.types("/hello send").await;
    let dialog = scene.dialog();
    let path = format!("/plugins/com.mattermost.apps/tessera/v1/from-mattermost/dialogs/{APP}");
    for kind in ["dialog_lookup", "refresh"] {
        for (user, state) in [(&stage.admin.id, dialog["state"].clone()), (&stage.user.id, json!("x.y"))] {
            let body = json!({"type": kind, "user_id": user, "state": state, "submission": {"selected_field": "topic"}});
            let ask = Ask::post(path.clone(), body.to_string()).bearer(&stage.admin.token);
            assert_eq!(stage.site().send(&ask).await.status, 401);
        }
    }
    assert!(stage.fake.calls_to("/topics").is_empty());
}
