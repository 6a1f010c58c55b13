//! What becomes of an App's answer (apps-framework.md section 5.3).

use std::sync::Arc;

use serde_json::json;
use tessera_testkit::fake_app::Answer;
use tessera_types::{Call, CallResponse, RawJson, json};

use super::super::Profile;
use super::stage::*;
use crate::grants::Act;
use crate::platform::{Audience, REFRESH_BINDINGS};

#[tokio::test]
async fn an_empty_type_means_ok_and_unknown_ones_pass() {
    let scene = Scene::new().await;
    let response = scene.answered("/send", Answer::body(r#"{"text":"hi","unknown":1}"#)).await;
    assert_eq!(response, CallResponse::text("hi"));
    let response = scene.answered("/send", Answer::body(r#"{"type":"dance","data":[1, 2]}"#)).await;
    assert_eq!((response.kind.as_str(), response.data.as_ref().map(RawJson::get)), ("dance", Some("[1, 2]")));
}

#[tokio::test]
async fn an_apps_error_is_its_own_word() {
    let scene = Scene::new().await;
    let answer = json!({"type": "error", "text": "no", "data": {"errors": {"field": "bad"}}});
    let response = scene.answered("/send", Answer::Json(answer.clone())).await;
    assert_eq!(
        json::to_vec(&response).unwrap(),
        br#"{"type":"error","text":"no","data":{"errors":{"field":"bad"}}}"#
    );
}

#[tokio::test]
async fn upstream_errors_have_their_prefix() {
    let scene = Scene::new().await;
    for (answer, text) in [
        (Answer::body(""), "upstream call failed: EOF".to_owned()),
        (
            Answer::body("<html>"),
            "upstream call failed: invalid character '<' looking for beginning of value".to_owned(),
        ),
        (
            Answer::Raw(http::StatusCode::NOT_FOUND, "text/plain", "x".into()),
            format!(
                "upstream call failed: failed to invoke via HTTP: {}/send: not found",
                scene.app.root_url()
            ),
        ),
        (
            Answer::Raw(http::StatusCode::BAD_REQUEST, "text/plain", "it is bad".into()),
            "upstream call failed: failed to invoke via HTTP: it is bad".to_owned(),
        ),
    ] {
        assert_eq!(scene.answered("/send", answer).await, CallResponse::error(text));
    }
}

#[tokio::test]
async fn forms_are_cleaned_whatever_the_type() {
    let scene = Scene::new().await;
    let answer = json!({"type": "error", "form": {"submit": "/s", "icon": "i.png", "fields": [
        {"name": "a_b", "type": "text"}, {"name": "", "type": "text"}]}});
    let form = scene.answered("/send", Answer::Json(answer)).await.form.unwrap();
    assert_eq!(
        form.icon,
        "https://mm.example.com/plugins/com.mattermost.apps/apps/hello-oauth2/static/i.png"
    );
    assert_eq!(form.fields.len(), 1);
    assert_eq!(form.fields[0].label, "a-b");
}

#[tokio::test]
async fn c_ub_08_when_bindings_are_refreshed() {
    let scene = Scene::with(Profile::Documented, ALL, |app| {
        app.manifest.bindings = Some(Call::new("/my-bindings"));
    })
    .await;
    let events = || std::mem::take(&mut *scene.stage.events.lock().unwrap());
    let refresh = |kind: &str| Answer::Json(json!({"type": kind, "refresh_bindings": true}));
    for (path, answer, sent, flag) in [
        ("/send", refresh("ok"), true, true),
        ("/send", refresh(""), true, true),
        ("/send", refresh("form"), true, true),
        ("/send", refresh("error"), false, true),
        ("/my-bindings", refresh("ok"), false, true),
        ("/bindings", refresh("ok"), true, true),
        ("/send", Answer::ok(), false, false),
    ] {
        let response = scene.answered(path, answer).await;
        assert_eq!(response.refresh_bindings, flag, "the caller sees the flag");
        let told: Vec<_> = events().into_iter().map(|event| (event.name, event.audience)).collect();
        let wanted = vec![(REFRESH_BINDINGS, Audience::User(ANN.to_owned()))];
        assert_eq!(told, if sent { wanted } else { vec![] }, "{path}");
    }
}

/// The App stores the user's record, and is called again for it, while we wait for its first answer.
#[tokio::test]
async fn an_app_may_call_back_while_it_is_called() {
    let scene = Arc::new(Scene::new().await);
    let backstage = Arc::downgrade(&scene);
    scene.app.answer_with("/send", move |_| {
        let backstage = backstage.clone();
        async move {
            let scene = backstage.upgrade().unwrap();
            let act = Act { actor: ANN, app: &scene.id, request: "inner", reason: "test" };
            scene.grants.put_record(&act, br#"{"fresh":true}"#).await.unwrap();
            let mut inner = to("/inner");
            inner.expand = json::from_slice_strict(br#"{"oauth2_user":"+all"}"#).unwrap();
            assert_eq!(scene.invoke(ANN, inner).await.response.kind, "ok");
            Answer::ok()
        }
    });
    assert_eq!(scene.invoke(ANN, to("/send")).await.response.kind, "ok");
    let inner = scene.app.next_call("/inner").await.json();
    assert_eq!(inner["context"]["oauth2"], json!({"user": {"fresh": true}}));
}
