//! What the audit log says of an App's record, and what it does not.

use std::path::Path;

use serde_json::Value;
use tessera_testkit::site::OAUTH2_APP;
use tessera_testkit::wire::Ask;

use crate::stage::{APP, Stage, With};

const SECRET: &str = "s3cr3t-of-the-client-0123456789";

/// Every line of the log in this folder.
fn entries(dir: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.join("audit.log")).unwrap();
    for secret in [SECRET, &SECRET[..8], "hello-client"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Who changed the App's record, and the fingerprint of what they stored.
fn changes(dir: &Path) -> Vec<(String, String)> {
    let stored = entries(dir).into_iter().filter(|entry| entry["act"] == "credentials_stored");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    stored
        .map(|entry| {
            assert_eq!((&entry["app"], &entry["outcome"]), (&APP.into(), &"allowed".into()));
            assert!(!text(&entry["request"]).is_empty());
            (text(&entry["actor"]), text(&entry["detail"]))
        })
        .collect()
}

async fn stage(dir: &Path) -> Stage {
    let dir = dir.display().to_string();
    Stage::with(move |config| config.audit.dir = dir).await
}

#[tokio::test]
async fn os_50_each_change_of_an_apps_record_is_audited_with_a_keyed_fingerprint() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut fingerprints = Vec::new();
    for dir in &dirs {
        let stage = stage(dir.path()).await;
        let admin = stage.token(&stage.admin, With::ActingUser).await;
        stage.site.store_credentials(&admin, "hello-client", SECRET).await;
        let first = changes(dir.path());
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].0, stage.admin.id);
        let fingerprint = first[0].1.clone();
        assert!(
            fingerprint.len() >= 16 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{first:?}"
        );

        // The same is no change; another, and the first again, each are; the bot's is the bot's.
        stage.site.store_credentials(&admin, "hello-client", SECRET).await;
        assert_eq!(changes(dir.path()), first);
        stage.site.store_credentials(&admin, "hello-client", &format!("{SECRET}0")).await;
        let bot = stage.token(&stage.user, With::Bot).await;
        stage.site.store_credentials(&bot, "hello-client", SECRET).await;
        let all = changes(dir.path());
        assert_eq!(all.len(), 3);
        assert_ne!(all[1].1, fingerprint);
        assert_eq!(all[2].1, fingerprint, "whoever stores it");
        assert!(all[2].0 != stage.admin.id && all[2].0 != stage.user.id, "{all:?}");
        fingerprints.push(fingerprint);
    }
    assert_ne!(fingerprints[0], fingerprints[1], "without the key nobody can tell what a fingerprint is of");
}

#[tokio::test]
async fn os_50_whoever_is_refused_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let stage = stage(dir.path()).await;
    let user = stage.token(&stage.user, With::ActingUser).await;
    let body = format!(r#"{{"client_id":"hello-client","client_secret":"{SECRET}"}}"#);
    for token in [&user, &stage.user.token, &stage.admin.token] {
        let answer = stage.site.send(&Ask::post(OAUTH2_APP, body.as_str()).bearer(token)).await;
        let text = match token == &stage.admin.token {
            true => "not an app session: unauthorized\n",
            false => {
                "access to this operation is limited to users with permission: manage_system: unauthorized\n"
            }
        };
        assert_eq!((answer.status, answer.text().as_str()), (401, text));
    }
    assert_eq!(changes(dir.path()), []);
}
