//! The bodies that an App receives in the worked exchanges, byte for byte.

use std::collections::BTreeMap;

use serde_json::json;
use tessera_testkit::fake_app::Answer;
use tessera_types::{Call, CallResponseWithMetadata, Context, Http, RawJson, json};

use super::super::{Profile, ServerCall};
use super::stage::*;

/// A text of the specification as it is on the wire: without the white space that is there for reading.
fn compact(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    text.chars()
        .filter(|&character| {
            if quoted {
                quoted = escaped || character != '"';
                escaped = !escaped && character == '\\';
                return true;
            }
            quoted = character == '"';
            !character.is_ascii_whitespace()
        })
        .collect()
}

#[tokio::test]
async fn the_body_of_a_users_call_is_the_golden_one() {
    let scene = Scene::with(Profile::Documented, ALL, |app| {
        let http = app.manifest.http.take().unwrap_or_default();
        app.manifest.http = Some(Http { use_jwt: true, ..http });
    })
    .await;
    scene.store_credentials().await;
    let record = r#"{"access_token":"at-1","expiry":"2026-01-02T15:04:05Z","refresh_token":"rt-1","token_type":"Bearer"}"#;
    scene.store_record(ANN, record).await;
    scene.app.answer("/send", Answer::body(r#"{"type":"ok","text":"Sent **hi**.","data":{"n":1}}"#));

    let outcome = scene.invoke(ANN, read(include_str!("golden/send_by_user_agent.json"))).await;

    let seen = &scene.app.calls()[0];
    assert_eq!(seen.text(), compact(SEND));
    assert_eq!(seen.headers["content-length"], "4579");
    assert_eq!(
        seen.claims("hello-jwt-secret"),
        json!({"exp": 1_767_226_500, "acting_user_id": "anngt5bxb8pa73ik757pith7am"})
    );
    let wrapped = CallResponseWithMetadata { response: outcome.response, app_metadata: outcome.metadata };
    assert_eq!(
        String::from_utf8(json::to_vec(&wrapped).unwrap()).unwrap(),
        r#"{"type":"ok","text":"Sent **hi**.","data":{"n":1},"app_metadata":{"bot_user_id":"boths9koeqrbkcdbbh4cw3rf1d","bot_username":"hello-oauth2"}}"#
    );
}

async fn made_by_server(call: Call, values: &[(&str, &str)], golden: &str, length: usize) {
    let scene = Scene::new().await;
    scene.store_credentials().await;
    let app = scene.apps.installed(&scene.id).await.unwrap();
    let value = |(name, value): &(&str, &str)| (name.to_string(), RawJson::from_value(value).unwrap());
    let made = ServerCall {
        app: &app,
        call,
        values: values.iter().map(value).collect::<BTreeMap<_, _>>(),
        given: Context::default(),
        acting: Some(ANN),
        request: "request-1",
        deadline: soon(),
    };
    assert_eq!(scene.calls.server_call(made).await.unwrap().kind, "ok");
    let seen = &scene.app.calls()[0];
    assert_eq!(seen.text(), compact(golden));
    assert_eq!(seen.body.len(), length);
}

#[tokio::test]
async fn the_body_of_the_connect_call_is_the_golden_one() {
    let state = "Zk3x_9QpTn0aLw7-RbYc.anngt5bxb8pa73ik757pith7am";
    let call = tessera_types::Manifest::default().connect_call();
    made_by_server(call, &[("state", state)], include_str!("golden/connect.json"), 1203).await;
}

#[tokio::test]
async fn the_body_of_the_complete_call_is_the_golden_one() {
    let state = "Zk3x_9QpTn0aLw7-RbYc.anngt5bxb8pa73ik757pith7am";
    let call = tessera_types::Manifest::default().complete_call();
    let values = [("state", state), ("scope", "read write"), ("code", "c0de")];
    made_by_server(call, &values, include_str!("golden/complete.json"), 1259).await;
}
