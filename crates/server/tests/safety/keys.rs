//! Keys that are wrong, altered or gone: nothing is written over, and all is there again when they are (OS-45).

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use tessera_server::env::Env;
use tessera_server::vault::RootKey;
use tessera_testkit::child::{run, serve};
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::{API, OAUTH2_APP, OAUTH2_USER, flow};
use tessera_testkit::wire::Ask;

use crate::TESSERA;
use crate::stage::{Stage, rows};

const RECORD: &str = "{\"kept\":  \"the user's\"}";
const OTHERS: &str = "\"another's\"";

/// What is kept for good, by table.
fn kept(dir: &Path) -> Vec<Vec<Vec<Value>>> {
    let all = |file: &str, sql: &str| rows(&dir.join(file), sql);
    vec![
        all("tessera.db", "SELECT * FROM connections ORDER BY app, user_id"),
        all("tessera.db", "SELECT * FROM credentials ORDER BY app"),
        all("tessera.db", "SELECT * FROM apps ORDER BY app"),
        all("tessera.db", "SELECT * FROM meta ORDER BY name"),
    ]
}

async fn stage() -> Stage {
    let stage = Stage::set().await;
    let site = stage.site();
    site.store_credentials(&stage.bot("hello").await, "the-id", "the-secret").await;
    site.store(&stage.token(&stage.user, "hello").await, RECORD).await;
    site.store(&stage.token(&stage.other, "hello").await, OTHERS).await;
    stage
}

/// Everything is as it was stored.
async fn stands(stage: &Stage) {
    let heard = stage.site().context(&stage.user, &stage.fake, "hello").await;
    assert_eq!(heard["oauth2"]["client_secret"], "the-secret", "{heard}");
    let token = heard["acting_user_access_token"].as_str().unwrap();
    assert_eq!(stage.site().record(token).await, RECORD);
    let other = stage.token(&stage.other, "hello").await;
    assert_eq!(stage.site().record(&other).await, OTHERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_45_a_wrong_root_key_starts_nothing_and_changes_nothing() {
    let mut stage = stage().await;
    stage.stop();
    let path = stage.dir().join("root.key");
    let right = std::fs::read(&path).unwrap();
    let before = kept(stage.dir());
    let keys = rows(&stage.dir().join("keys.db"), "SELECT * FROM data_keys ORDER BY id");
    let wrong = RootKey::generate(&Env::system()).unwrap().to_text();
    let refused = |command: Command| {
        let (status, text) = run(command);
        assert_eq!(status.code(), Some(1), "{text}");
        assert!(text.contains("put the right key back (nothing was changed)"), "{text}");
        assert!(!text.contains(wrong.as_str()), "{text}");
        assert_eq!(kept(stage.dir()), before);
        assert_eq!(rows(&stage.dir().join("keys.db"), "SELECT * FROM data_keys ORDER BY id"), keys);
    };
    std::fs::write(&path, wrong.as_bytes()).unwrap();
    refused(serve(TESSERA, stage.dir()));
    std::fs::write(&path, &right).unwrap();
    let mut command = serve(TESSERA, stage.dir());
    command.env("TESSERA_VAULT__ROOT_KEY", wrong.as_str());
    refused(command);
    stage.start();
    stands(&stage).await;
}

/// Asks for everything that touches the user's record; nobody may learn, change or lose it.
async fn call_everything(stage: &Stage, what: &str) {
    let site = stage.site();
    let before = kept(stage.dir());
    let token = stage.token(&stage.user, "hello").await;
    let trouble = [
        Ask::get(OAUTH2_USER),
        Ask::post(OAUTH2_USER, "{\"new\":1}"),
        Ask::post(OAUTH2_USER, RECORD),
        Ask::post(OAUTH2_USER, "null"),
        Ask::new("PUT", OAUTH2_USER).body(tessera_testkit::wire::Sent::Whole(b"{}".to_vec())),
    ];
    for ask in trouble {
        let cell = format!("{} {:?}, {what}", ask.method, ask.body);
        let answer = site.send(&ask.bearer(&token)).await;
        assert_eq!(answer.status, 500, "{cell}: {answer:?}");
        assert!(!answer.whole().contains("key"), "the log is told, and not the App: {cell}: {answer:?}");
        assert_eq!(kept(stage.dir()), before, "{cell}");
    }
    // A whole flow, in which the App stores what it got: the App is told that it was not kept.
    stage.fake.leads_to_a_provider();
    stage.fake.answer_with("/oauth2/complete", move |call| async move {
        let token = call.json()["context"]["acting_user_access_token"].as_str().unwrap().to_owned();
        let answer = site.send(&Ask::post(OAUTH2_USER, "{\"fresh\":1}").bearer(&token)).await;
        AppAnswer::Json(json!({"type": "ok", "text": answer.status.to_string()}))
    });
    let begun = site.send(&Ask::get(flow("hello", "connect")).bearer(&stage.user.token)).await;
    assert_eq!(begun.status, 307, "{what}: {}", begun.text());
    let state = begun.header("location").unwrap().split_once("state=").unwrap().1;
    let target = format!("{}?code=c&state={state}", flow("hello", "complete"));
    site.send(&Ask::get(target).bearer(&stage.user.token)).await;
    let call = json!({
        "path": "/context", "context": {"app_id": "hello"}, "expand": {"oauth2_user": "+all", "acting_user": "all"},
    });
    let answer = site.post(&stage.user.token, "/call", &call).await;
    assert_eq!(answer.json()["type"], "error", "{what}: {}", answer.text());
    let listed = Ask::get("/plugins/com.mattermost.apps/tessera/v1/connections").bearer(&stage.user.token);
    let listed = site.send(&listed).await;
    assert!(listed.text().contains("hello"), "it is told that there is one: {what}: {}", listed.text());
    assert_eq!(kept(stage.dir())[0], before[0], "{what}");
    // Others are not concerned.
    let other = stage.token(&stage.other, "hello").await;
    assert_eq!(site.record(&other).await, OTHERS, "{what}");
}

/// Runs SQL on the keys.
fn keys(stage: &Stage, sql: &str) {
    let database = Connection::open(stage.dir().join("keys.db")).unwrap();
    assert!(database.execute(sql, []).unwrap() > 0, "{sql}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_45_a_data_key_that_is_gone_or_altered_makes_its_record_unreadable_and_never_overwritten() {
    let mut stage = stage().await;
    stage.stop();
    let file = stage.dir().join("keys.db");
    let whole = std::fs::read(&file).unwrap();
    let of_user = format!("app = 'hello' AND user_id = '{}'", stage.user.id);
    let others =
        format!("(SELECT {{}} FROM data_keys WHERE app = 'hello' AND user_id = '{}')", stage.other.id);
    keys(&stage, &format!("DELETE FROM data_keys WHERE {of_user}"));
    stage.start();
    call_everything(&stage, "gone").await;
    let log = stage.stop();
    assert!(log.contains("the data key of a stored secret is gone"), "{log}");
    std::fs::write(&file, &whole).unwrap();
    stage.start();
    stands(&stage).await;
    stage.stop();
    // A key that does not open makes no token either: what is asked as the App is refused from the start.
    let swapped = others.replace("{}", "wrapped");
    for (what, sql) in [
        ("under another id", format!("UPDATE data_keys SET id = randomblob(16) WHERE {of_user}")),
        ("altered", format!("UPDATE data_keys SET wrapped = zeroblob(length(wrapped)) WHERE {of_user}")),
        ("another's", format!("UPDATE data_keys SET wrapped = {swapped} WHERE {of_user}")),
        ("cut", format!("UPDATE data_keys SET wrapped = x'01' WHERE {of_user}")),
        ("of another root", format!("UPDATE data_keys SET root_key = '0000000000000000' WHERE {of_user}")),
    ] {
        let before = kept(stage.dir());
        keys(&stage, &sql);
        stage.start();
        for expand in ["all", "+all"] {
            let call = json!({
                "path": "/context", "context": {"app_id": "hello"},
                "expand": {"oauth2_user": expand, "acting_user_access_token": expand, "acting_user": "all"},
            });
            let answer = stage.site().post(&stage.user.token, "/call", &call).await;
            let heard = stage.fake.calls_to("/context").last().unwrap().json()["context"].to_string();
            let told = answer.json()["type"] == "error" || !heard.contains("the user's");
            assert!(told, "{what}: {heard}");
        }
        assert_eq!(kept(stage.dir()), before, "{what}");
        stage.stop();
        std::fs::write(&file, &whole).unwrap();
        stage.start();
        stands(&stage).await;
        stage.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_45_a_key_store_that_is_lost_costs_nothing_once_it_is_back() {
    let mut stage = stage().await;
    stage.stop();
    let file = stage.dir().join("keys.db");
    let before = kept(stage.dir());
    let away = tempfile::tempdir().unwrap();
    std::fs::rename(&file, away.path().join("keys.db")).unwrap();
    stage.start();
    let site = stage.site();
    let which = json!({"app_id": "hello", "deploy_type": "http"});
    let call = json!({"path": "/context", "context": {"app_id": "hello"}, "expand": {"oauth2_app": "all"}});
    for (route, body) in
        [("/call", &call), ("/disable-app", &which), ("/install-app", &which), ("/enable-app", &which)]
    {
        let answer =
            site.send(&Ask::post(format!("{API}{route}"), body.to_string()).bearer(&stage.admin.token)).await;
        let text = answer.text();
        assert!(answer.status == 500 || text.contains("\"error\""), "{route}: {answer:?}");
        assert!(!text.contains("the-secret"), "{route}: {text}");
    }
    assert_eq!(kept(stage.dir()), before);
    stage.stop();
    for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
        let _ = std::fs::remove_file(stage.dir().join(name));
    }
    std::fs::rename(away.path().join("keys.db"), &file).unwrap();
    stage.start();
    stands(&stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_45_a_client_whose_key_is_gone_is_not_written_over_and_who_disconnects_on_purpose_may() {
    let mut stage = stage().await;
    let (user, bot) = (stage.token(&stage.user, "hello").await, stage.bot("hello").await);
    stage.stop();
    let before = kept(stage.dir());
    // The bytes do not open: its key is there, or else the App itself could not be read.
    stage.sql("UPDATE credentials SET sealed = zeroblob(length(sealed))");
    stage.sql(&format!(
        "UPDATE connections SET sealed = zeroblob(length(sealed)) WHERE user_id = '{}'",
        stage.user.id
    ));
    let altered = kept(stage.dir());
    stage.start();
    let client = r#"{"client_id":"new","client_secret":"new"}"#;
    for body in [client, "{}"] {
        let answer = stage.site().send(&Ask::post(OAUTH2_APP, body).bearer(&bot)).await;
        assert_eq!(answer.status, 500, "{answer:?}");
    }
    assert_eq!(kept(stage.dir()), altered);
    stage.stop();
    let (connections, credentials) = (&before[0], &before[1]);
    stage.put_back("credentials", credentials);
    stage.start();
    let removed = stage.site().send(&Ask::new("DELETE", OAUTH2_USER).bearer(&user)).await;
    assert_eq!(removed.status, 200);
    assert_eq!(stage.site().record(&user).await, "");
    stage.site().store(&user, RECORD).await;
    stands(&stage).await;
    assert_eq!(connections.len(), kept(stage.dir())[0].len());
}
