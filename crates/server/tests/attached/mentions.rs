//! People and channels in commands and dialogs.

use serde_json::{Value, json};
use tessera_testkit::fake_mattermost::Version;

use crate::scene::{Scene, commands};

fn bindings() -> Value {
    commands(&json!([{"location": "send", "label": "send", "form": {"submit": {"path": "/send"}, "fields": [
        {"name": "to", "type": "user", "is_required": true},
        {"name": "where", "type": "channel"},
    ]}}]))
}

#[tokio::test]
async fn whom_and_what_a_command_names_the_app_gets_as_from_a_native_client() {
    let scene = Scene::set(Version::V11_7, &[bindings()]).await;
    let (mattermost, ada) = (&scene.stage.mattermost, scene.stage.user.id.clone());
    // Bob is no member of the team, so Mattermost does not say who he is.
    let bob = mattermost.add_user("bob");
    let closed = mattermost.add_channel(&scene.team, "closed", "P");
    mattermost.join(&closed, &ada);
    let secret = mattermost.add_channel(&scene.team, "secret", "P");
    let (here, town) = (&scene.channel, "town-square");
    for (typed, to, place) in [
        ("@ada ~town-square".to_owned(), ("ada", &ada), Some((town, here))),
        ("@bob ~closed".to_owned(), ("bob", &bob), Some(("closed", &closed))),
        ("bob".to_owned(), ("bob", &bob), None),
    ] {
        let (person, channel) = typed.split_once(' ').unwrap_or((&typed, ""));
        let channel = if channel.is_empty() { String::new() } else { format!(" --where {channel}") };
        let text = scene.types(&format!("/hello send --to {person}{channel}")).await.text();
        let values = scene.called("/send")["values"].clone();
        assert!(text.starts_with("got "), "{text}");
        assert_eq!(values["to"], json!({"label": to.0, "value": to.1}), "{typed}");
        let place = place.map_or(json!(null), |(name, id)| json!({"label": name, "value": id}));
        assert_eq!(values["where"], place, "{typed}");
    }
    // Nobody, a channel that the typist may not see, and what is no name at all.
    let before = scene.stage.fake.calls_to("/send").len();
    for typed in ["--to @nobody", "--to @ada --where ~secret", "--to ../users/me", "--to @"] {
        let text = scene.types(&format!("/hello send {typed}")).await.text();
        assert!(text.contains("of this site, and you see no"), "{typed}: {text}");
    }
    assert_eq!(scene.stage.fake.calls_to("/send").len(), before);
    assert!(!mattermost.is_member(&secret, &ada));
}

#[tokio::test]
async fn whom_and_what_a_dialog_chose_has_a_name() {
    for version in [Version::V6_7, Version::V12_0] {
        let scene = Scene::set(version, &[bindings()]).await;
        let bob = scene.stage.mattermost.add_user("bob");
        scene.types("/hello send").await;
        let sent = scene.submits(json!({"to": bob, "where": scene.channel})).await;
        assert_eq!(sent.json(), json!({}), "{}", sent.text());
        let values = scene.called("/send")["values"].clone();
        assert_eq!(values["to"], json!({"label": "bob", "value": bob}));
        assert_eq!(values["where"], json!({"label": "town-square", "value": scene.channel}));
        // What cannot be told is its own name.
        let nobody = "z".repeat(26);
        scene.types("/hello send").await;
        scene.submits(json!({"to": nobody})).await;
        assert_eq!(scene.called("/send")["values"]["to"], json!({"label": nobody, "value": nobody}));
    }
}
