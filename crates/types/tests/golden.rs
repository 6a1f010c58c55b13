//! The worked exchanges of apps-framework.md section 16, byte for byte. Each file is one line; its end is not part of
//! the document.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper of tests fails as a test does")]

use tessera_types::{App, CallRequest, ExpandLevel, User, json};

fn line(file: &str) -> &str {
    file.strip_suffix('\n').expect("a golden file ends its line")
}

fn again<T: serde::de::DeserializeOwned + serde::Serialize>(text: &str) -> String {
    let value: T = json::from_slice_strict(text.as_bytes()).unwrap();
    String::from_utf8(json::to_vec(&value).unwrap()).unwrap()
}

#[test]
fn section_16_4_what_a_user_agent_sends_is_understood() {
    let text = line(include_str!("golden/call-from-user-agent.json"));
    assert_eq!(text.len(), 738);
    let request: CallRequest = json::from_slice_stream(text.as_bytes()).unwrap();
    assert_eq!(request.path, "/send");
    assert_eq!(request.value_or("to", ""), "bob5xgqjg67pyruo38hzuqnpxm");
    assert_eq!(request.value_or("text", ""), "hi");
    assert_eq!(request.context.app_id, "hello-oauth2");
    // What only the server fills is there, empty; values are sorted; the context is in its own order.
    let context = concat!(
        r#""context":{"channel_id":"chanah7yph1id1tmqo51qpb66n","team_id":"teammme1oc4ixgrit6t8f5rkqm","#,
        r#""post_id":"posthmjrmt8kjwb13dghk96fzq","root_post_id":"rpostjtrrgwtr77rb1owe3qdkn","#,
        r#""user_id":"bob5xgqjg67pyruo38hzuqnpxm","app_id":"hello-oauth2","#,
        r#""location":"/command/hello-oauth2/send","user_agent":"webapp","track_as_submit":true,"#,
        r#""mattermost_site_url":"","app_path":"","bot_user_id":"","oauth2":{}}"#,
    );
    let expand = &text[text.find(r#""expand""#).unwrap()..text.find(r#","values""#).unwrap()];
    let values = r#""values":{"text":"hi","to":{"label":"Bob","value":"bob5xgqjg67pyruo38hzuqnpxm"}}"#;
    let command = r#""raw_command":"/hello-oauth2 send --to @bob hi""#;
    let expected = format!(r#"{{"path":"/send",{expand},{values},{context},{command}}}"#);
    assert_eq!(again::<CallRequest>(text), expected);
}

#[test]
fn section_16_5_what_an_app_receives() {
    let text = line(include_str!("golden/call-to-app.json"));
    assert_eq!(text.len(), 4579);
    assert_eq!(again::<CallRequest>(text), text);
}

#[test]
fn section_16_7_the_connect_call() {
    let text = line(include_str!("golden/connect-call.json"));
    assert_eq!(text.len(), 1203);
    assert_eq!(again::<CallRequest>(text), text);
}

#[test]
fn section_16_9_the_complete_call() {
    let text = line(include_str!("golden/complete-call.json"));
    assert_eq!(text.len(), 1259);
    assert_eq!(again::<CallRequest>(text), text);
}

#[test]
fn section_16_10_the_installed_app() {
    let text = line(include_str!("golden/installed-app.json"));
    assert_eq!(text.len() + "\n".len(), 1015);
    assert_eq!(again::<App>(text), text);
}

#[test]
fn section_5_1_the_smallest_call() {
    let text = concat!(
        r#"{"path":"/ping","context":{"app_id":"","mattermost_site_url":"","app_path":"","bot_user_id":"","#,
        r#""oauth2":{}}}"#,
    );
    let ping = CallRequest { path: "/ping".to_owned(), ..CallRequest::default() };
    assert_eq!(json::to_vec(&ping).unwrap(), text.as_bytes());
    assert_eq!(again::<CallRequest>(text), text);
}

#[test]
fn section_6_4_a_user_by_id_keeps_its_shape() {
    let ann = User { id: "ann".into(), username: "ann".into(), create_at: 1, ..User::default() };
    let expected = concat!(
        r#"{"id":"ann","delete_at":0,"username":"","auth_service":"","email":"","nickname":"","first_name":"","#,
        r#""last_name":"","position":"","roles":"","locale":"","timezone":null,"disable_welcome_email":false}"#,
    );
    let seen = ann.at_level(ExpandLevel::Id).unwrap();
    assert_eq!(json::to_vec(&seen).unwrap(), expected.as_bytes());
}
