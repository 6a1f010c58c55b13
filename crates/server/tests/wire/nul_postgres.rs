//! A NUL in a name, which PostgreSQL's texts cannot hold, is a name like any other: of nobody.

use serde_json::json;
use tessera_server::env::Env;
use tessera_server::vault::RootKey;
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{API, PERMISSIONS, PLUGIN};
use tessera_testkit::wire::Ask;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nul_in_a_request_fails_nothing_on_postgres() {
    let database = Database::create().await.unwrap();
    let key = RootKey::generate(&Env::system()).unwrap().to_text();
    let stage = Stage::with(|config| {
        config.store.postgres_url = database.url().to_owned();
        config.vault.root_key = key.to_string();
    })
    .await;
    stage.site.install(&stage.admin, &stage.fake.manifest("hello", &PERMISSIONS)).await;
    for (target, status) in [
        (format!("{API}/apps/a%00b"), 404),
        (format!("{PLUGIN}/apps/a%00b/static/x"), 404),
        (format!("{PLUGIN}/apps/a%00b/oauth2/remote/connect"), 404),
        (format!("{PLUGIN}/tessera/v1/apps/a%00b/connections"), 404),
        (format!("{PLUGIN}/tessera/v1/apps/hello/connections?after=%00"), 200),
        ("/api/v4/users/username/a%00b".to_owned(), 404),
        ("/api/v4/teams/name/a%00b".to_owned(), 404),
    ] {
        let answer = stage.site.send(&Ask::get(target.as_str()).bearer(&stage.admin.token)).await;
        assert_eq!(answer.status, status, "{target}: {answer:?}");
    }
    let gone = format!("{PLUGIN}/tessera/v1/connections/a%00b");
    let answer = stage.site.send(&Ask::new("DELETE", gone).bearer(&stage.user.token)).await;
    assert_eq!(answer.status, 404, "{answer:?}");
    for (route, status) in [("/install-app", 404), ("/enable-app", 404), ("/uninstall-app", 404)] {
        let body = json!({"app_id": "a\0b", "deploy_type": "http"});
        let answer = stage.site.post(&stage.admin.token, route, &body).await;
        assert_eq!(answer.status, status, "{route}: {answer:?}");
    }
    let login = json!({"login_id": "a\0b", "password": "c\0d"}).to_string();
    let answer = stage.site.send(&Ask::post("/api/v4/users/login", login)).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    let ids = json!(["a\0b", stage.user.id]).to_string();
    let answer = stage.site.send(&Ask::post("/api/v4/users/ids", ids).bearer(&stage.user.token)).await;
    assert_eq!((answer.status, answer.json().as_array().unwrap().len()), (200, 1), "{answer:?}");
}
