//! Interactive dialogs, by version.

use serde_json::{Value, json};
use tessera_testkit::fake_app::{Answer as Said, FakeApp};
use tessera_testkit::fake_mattermost::{FakeMattermost, Version};
use tessera_testkit::wire::{Answer, Ask};

use crate::{Scene, is, refused};

/// An App whose command is typed, so that there are triggers.
struct Stage {
    scene: Scene,
    app: FakeApp,
}

impl Stage {
    async fn of(version: Version) -> Self {
        Self::with(FakeMattermost::start(version).await).await
    }

    async fn with(mattermost: FakeMattermost) -> Self {
        let (scene, app) = (Scene::with(mattermost), FakeApp::start().await);
        let url = format!("{}/cmd", app.root_url());
        let command = json!({"team_id": scene.team, "trigger": "hello", "method": "P", "url": url});
        assert_eq!(scene.post(&scene.root, "/commands", command).await.status, 201);
        app.answer("/cmd", Said::Json(json!({})));
        Self { scene, app }
    }

    async fn trigger(&self) -> String {
        let Scene { mattermost, ada, team, channel, .. } = &self.scene;
        mattermost.run_command(ada, team, channel, "/hello").await;
        let body = self.app.calls_to("/cmd").last().unwrap().text().to_owned();
        let mut pairs = url::form_urlencoded::parse(body.as_bytes());
        pairs.find(|(name, _)| name == "trigger_id").unwrap().1.into_owned()
    }

    async fn open_with(&self, trigger: &str, dialog: Value) -> Answer {
        let url = format!("{}/submit", self.app.root_url());
        let body = json!({"trigger_id": trigger, "url": url, "dialog": dialog}).to_string();
        // No header says who asks: the trigger is enough.
        self.scene.send(&Ask::post("/api/v4/actions/dialogs/open", body)).await
    }

    async fn open(&self, elements: Value) -> Answer {
        self.open_with(&self.trigger().await, dialog(elements)).await
    }

    async fn submit(&self, values: Value) -> Answer {
        self.scene.mattermost.submit_dialog(&self.scene.ada, &self.scene.channel, values).await
    }

    fn shown(&self) -> Option<Value> {
        self.scene.mattermost.dialog_of(&self.scene.ada).map(|dialog| dialog.form)
    }
}

fn dialog(elements: Value) -> Value {
    json!({"callback_id": "c", "title": "Title", "state": "st", "notify_on_cancel": true, "elements": elements})
}

fn element(kind: &str) -> Value {
    json!({"display_name": "Field", "name": "field", "type": kind, "options": [{"text": "A", "value": "a"}]})
}

fn select(more: Value) -> Value {
    let mut element = element("select");
    element.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    element
}

#[tokio::test]
async fn a_trigger_is_signed_and_good_for_a_while() {
    for (version, life) in [(Version::V5_37, 3_000), (Version::V11_6, 30_000)] {
        let stage = Stage::of(version).await;
        let trigger = stage.trigger().await;
        stage.scene.mattermost.advance_ms(life);
        assert_eq!(stage.open_with(&trigger, dialog(json!([]))).await.status, 200);
        assert_eq!(stage.open_with(&trigger, dialog(json!([]))).await.status, 200, "more than once");
        let id = |what: &str| format!("interactive_message.decode_trigger_id.{what}");
        for (wrong, expected) in [
            ("*", "base64_decode_failed"),
            ("bm9uc2Vuc2U=", "missing_data"),
            (&format!("QQ{}", &trigger[2..]), "verify_signature_failed"),
        ] {
            let answer = stage.open_with(wrong, dialog(json!([]))).await;
            assert_eq!(refused(&answer), is(400, &id(expected)));
        }
        stage.scene.mattermost.advance_ms(1);
        assert_eq!(refused(&stage.open_with(&trigger, dialog(json!([]))).await), is(400, &id("expired")));
    }
}

#[tokio::test]
async fn each_version_draws_what_it_knows() {
    let old = Version::V5_37;
    let dynamic = json!({"data_source": "dynamic", "data_source_url": "https://x.example", "options": []});
    let bounded = json!({"display_name": "F", "name": "f", "type": "date", "min_date": "today"});
    for (what, since, until) in [
        (element("text"), old, None),
        (element("textarea"), old, None),
        (element("bool"), old, None),
        (element("radio"), old, None),
        (select(json!({"data_source": "users", "options": []})), old, None),
        (select(json!({"multiselect": true})), Version::V11_0, None),
        (select(dynamic), Version::V11_0, None),
        (select(json!({"refresh": true})), Version::V11_1, None),
        (element("date"), Version::V11_1, None),
        (element("datetime"), Version::V11_1, None),
        (bounded, Version::V11_1, Some(Version::V12_0)),
        (element("action_button"), Version::V11_10, None),
        (element("file"), Version::V11_10, None),
        (element("checkbox_group"), Version::V12_0, None),
        (element("checkbox_matrix"), Version::V12_0, None),
        (element("slider"), Version(99, 0), None),
    ] {
        for version in [old, Version::V10_11, Version::V11_0, Version::V11_1, Version::V11_10, Version::V12_0]
        {
            let stage = Stage::of(version).await;
            let opened = stage.open(json!([what])).await;
            let can = version >= since && until.is_none_or(|until| version < until);
            assert_eq!(opened.status, if can { 200 } else { 400 }, "{version}: {what}");
        }
    }
}

#[tokio::test]
async fn texts_are_as_long_as_they_may_be() {
    for (version, most) in [(Version::V11_10, 24), (Version::V12_0, 80)] {
        let stage = Stage::of(version).await;
        let trigger = stage.trigger().await;
        for (length, status) in [(most, 200), (most + 1, 400), (0, 400)] {
            let mut dialog = dialog(json!([]));
            dialog["title"] = json!("t".repeat(length));
            assert_eq!(stage.open_with(&trigger, dialog).await.status, status, "{length}");
        }
        for (name, most) in [("display_name", 24), ("name", 300), ("help_text", 150), ("default", 150)] {
            for (length, status) in [(most, 200), (most + 1, 400)] {
                let mut element = element("text");
                element[name] = json!("x".repeat(length));
                assert_eq!(stage.open(json!([element])).await.status, status, "{name} {length}");
            }
        }
        let twice = json!([element("text"), element("text")]);
        assert_eq!(stage.open(twice).await.status, 400, "a name stands for one field");
        // It counts bytes, and only its log says so.
        let mut element = element("text");
        element["display_name"] = json!("ä".repeat(24));
        let before = stage.scene.mattermost.warnings().len();
        assert_eq!(stage.open(json!([element])).await.status, 200);
        assert!(stage.scene.mattermost.warnings()[before].contains("cannot be longer than 24"));
    }
}

#[tokio::test]
async fn a_lenient_server_shows_what_it_knows_of_it() {
    let mattermost = FakeMattermost::builder(Version::V10_11).lenient_dialogs().start().await.unwrap();
    let stage = Stage::with(mattermost).await;
    assert_eq!(stage.open(json!([select(json!({"multiselect": true}))])).await.status, 200);
    assert!(stage.shown().unwrap()["elements"][0].get("multiselect").is_none(), "it never heard of it");
    assert!(stage.scene.mattermost.warnings().iter().any(|one| one.contains("multiselect is not known")));
}

#[tokio::test]
async fn a_submission_closes_it_unless_something_is_wrong_with_it() {
    let stage = Stage::of(Version::V10_11).await;
    stage.open(json!([element("text")])).await;
    stage.app.answer("/submit", Said::Json(json!({"errors": {"field": "Too short."}, "error": "No."})));
    stage.submit(json!({"field": "x"})).await;
    let dialog = stage.scene.mattermost.dialog_of(&stage.scene.ada).unwrap();
    assert_eq!(dialog.errors, json!({"field": "Too short.", "": "No."}));
    let expected = json!({
        "type": "dialog_submission", "callback_id": "c", "state": "st", "user_id": stage.scene.ada,
        "channel_id": stage.scene.channel, "team_id": stage.scene.team, "submission": {"field": "x"},
        "cancelled": false,
    });
    assert_eq!(stage.app.calls_to("/submit")[0].json(), expected);
    stage.app.answer("/submit", Said::body(""));
    stage.submit(json!({"field": "long"})).await;
    assert!(stage.shown().is_none());
    // Closed without sending it, for whoever wants to know.
    stage.open(json!([element("text")])).await;
    let told = stage.scene.mattermost.cancel_dialog(&stage.scene.ada, &stage.scene.channel).await;
    assert!(told.is_some() && stage.shown().is_none());
    let sent = stage.app.calls_to("/submit").last().unwrap().json();
    assert_eq!((&sent["cancelled"], &sent["submission"]), (&json!(true), &json!(null)));
}

#[tokio::test]
async fn a_second_step_is_drawn_from_11_1_on() {
    for (version, drawn) in [(Version::V11_0, false), (Version::V11_1, true)] {
        let stage = Stage::of(version).await;
        stage.open(json!([element("text")])).await;
        let mut next = dialog(json!([]));
        next["title"] = json!("Next");
        stage.app.answer("/submit", Said::Json(json!({"type": "form", "form": next})));
        stage.submit(json!({})).await;
        let title = stage.shown().map(|form| form["title"].clone());
        assert_eq!(title, drawn.then(|| json!("Next")), "{version}");
        stage.app.answer("/submit", Said::Json(json!({"type": "ok"})));
        if drawn {
            stage.submit(json!({})).await;
            assert!(stage.shown().is_none());
        }
    }
}

#[tokio::test]
async fn choices_are_looked_up_and_forms_drawn_anew() {
    let stage = Stage::of(Version::V11_1).await;
    let root = stage.app.root_url();
    let mut changes = element("radio");
    (changes["name"], changes["refresh"]) = (json!("kind"), json!(true));
    let dynamic = json!({
        "display_name": "Who", "name": "who", "type": "select", "data_source": "dynamic",
        "data_source_url": format!("{root}/look"),
    });
    let mut form = dialog(json!([changes, dynamic]));
    form["source_url"] = json!(format!("{root}/source"));
    assert_eq!(stage.open_with(&stage.trigger().await, form).await.status, 200);
    let (mattermost, ada, channel) = (&stage.scene.mattermost, &stage.scene.ada, &stage.scene.channel);
    stage.app.answer("/look", Said::Json(json!({"items": [{"text": "Ada", "value": "a"}]})));
    let found = mattermost.lookup(ada, channel, "who", "ad").await;
    assert_eq!(found, [json!({"text": "Ada", "value": "a"})]);
    let sent = stage.app.calls_to("/look")[0].json();
    assert_eq!(sent["type"], "dialog_lookup");
    assert_eq!(sent["submission"], json!({"query": "ad", "selected_field": "who"}));
    let mut next = dialog(json!([]));
    next["title"] = json!("Anew");
    stage.app.answer("/source", Said::Json(json!({"type": "form", "form": next})));
    mattermost.refresh(ada, channel, "kind", json!({"kind": "a"})).await;
    let sent = stage.app.calls_to("/source")[0].json();
    assert_eq!(sent["type"], "refresh");
    assert_eq!(sent["submission"], json!({"kind": "a", "selected_field": "kind"}));
    assert_eq!(stage.shown().unwrap()["title"], "Anew");
}

#[tokio::test]
async fn dialogs_stand_above_each_other_from_11_10_on() {
    for (version, most) in [(Version::V11_7, 1), (Version::V11_10, 3)] {
        let stage = Stage::of(version).await;
        for _ in 0..4 {
            assert_eq!(stage.open(json!([])).await.status, 200);
        }
        assert_eq!(stage.scene.mattermost.dialogs_of(&stage.scene.ada), most, "{version}");
    }
}

#[tokio::test]
async fn clients_send_them_over_rest() {
    let stage = Stage::of(Version::V11_6).await;
    let url = format!("{}/submit", stage.app.root_url());
    stage.app.answer("/submit", Said::Json(json!({"error": "No."})));
    let body = |user: &str| json!({"url": url, "user_id": user, "channel_id": stage.scene.channel, "submission": {}, "callback_id": "c"});
    let answer = stage.scene.post(&stage.scene.token, "/actions/dialogs/submit", body("somebody else")).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"error": "No."})));
    let sent = stage.app.calls_to("/submit")[0].json();
    assert_eq!((&sent["user_id"], &sent["type"]), (&json!(stage.scene.ada), &json!("dialog_submission")));
    assert!(sent.get("url").is_none());
    let eve = stage.scene.mattermost.add_user("eve");
    let eve = stage.scene.mattermost.session(&eve).token;
    assert_eq!(stage.scene.post(&eve, "/actions/dialogs/submit", body("")).await.status, 403);
}
