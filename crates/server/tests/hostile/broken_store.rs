//! A database that loses one table after another under a running server: whoever asks learns that it is the
//! server's trouble and no more, and everything is back once the table is.

use serde_json::json;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{API, OAUTH2_APP, OAUTH2_USER, PERMISSIONS, PLUGIN, flow};
use tessera_testkit::wire::Ask;
use tessera_testkit::within::Within;

use crate::apps::state_in;
use crate::form;

const TABLES: [&str; 13] = [
    "manifests",
    "apps",
    "credentials",
    "connections",
    "connection_uses",
    "states",
    "parked",
    "origins",
    "app_tokens",
    "site_users",
    "site_sessions",
    "site_posts",
    "tessera_keys.data_keys",
];

/// Words of the database, or of us about it.
const INNER: [&str; 8] =
    ["relation", "does not exist", "database", "the store", "_gone", "column", "audit", "data key"];

const RECORD: &str = "{\"kept\": true}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_postgres_is_the_servers_own_trouble_and_nobody_elses_to_read() {
    let database = Database::create().await.unwrap();
    let server = Within::start_with(|config| config.store.postgres_url = database.url().to_owned()).await;
    let site = server.site;
    let fake = FakeApp::start().await;
    fake.leads_to_a_provider();
    let (admin, user) = (site.sign_in("sysadmin").await, site.sign_in("user-1").await);
    site.install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    let (token, bot) = site.tokens(&user, &fake, "hello").await;
    site.store(&token, RECORD).await;
    site.store_credentials(&bot, "id", "secret").await;
    let expand = json!({
        "acting_user": "all", "acting_user_access_token": "all", "app": "all", "oauth2_app": "all",
        "oauth2_user": "all",
    });
    let call = json!({"path": "/x", "context": {"app_id": "hello"}, "expand": expand}).to_string();
    let required = call.replace("\"all\"", "\"+all\"");
    let mut troubled = 0;
    for table in TABLES {
        let name = table.rsplit('.').next().unwrap();
        let begun = site.send(&Ask::get(flow("hello", "connect")).bearer(&user.token)).await;
        let complete = format!("{}?code=c&state={}", flow("hello", "complete"), state_in(&begun));
        let parked = format!("{}?code=c&state=a.b", flow("hello", "complete"));
        database.run(&format!("ALTER TABLE {table} RENAME TO {name}_gone")).await.unwrap();
        let login = json!({"login_id": "user-1", "password": "tessera-dev"}).to_string();
        let which = json!({"app_id": "hello", "deploy_type": "http"}).to_string();
        let asks = [
            Ask::get(OAUTH2_USER).bearer(&token),
            Ask::post(OAUTH2_USER, RECORD).bearer(&token),
            Ask::post(OAUTH2_APP, r#"{"client_id":"id","client_secret":"secret"}"#).bearer(&bot),
            Ask::post(format!("{API}/call"), call.as_str()).bearer(&user.token),
            Ask::post(format!("{API}/call"), required.as_str()).bearer(&user.token),
            Ask::get(flow("hello", "connect")).bearer(&user.token),
            Ask::get(complete).bearer(&user.token),
            Ask::get(parked).with("Accept", "text/html"),
            Ask::get(format!("{API}/apps/hello")).bearer(&admin.token),
            Ask::post(format!("{API}/install-app"), which.as_str()).bearer(&admin.token),
            Ask::post(format!("{API}/enable-app"), which.as_str()).bearer(&admin.token),
            Ask::get(format!("{PLUGIN}/tessera/v1/connections")).bearer(&user.token),
            Ask::get(format!("{PLUGIN}/tessera/v1/accounts")).bearer(&user.token),
            Ask::get(format!("{PLUGIN}/tessera/v1/apps/hello/connections")).bearer(&admin.token),
            Ask::post("/api/v4/users/login", login),
            Ask::get("/api/v4/users/me").bearer(&token),
            Ask::post("/api/v4/posts", r#"{"channel_id":"x","message":"y"}"#).bearer(&token),
        ];
        for ask in asks {
            let cell = format!("{} {} without {table}", ask.method, ask.target);
            let answer = site.send(&ask).await;
            let whole = answer.whole();
            for word in INNER {
                assert!(!whole.contains(word), "{cell}: {word:?} in {whole}");
            }
            if ask.headers.iter().all(|(name, _)| *name != "Accept") {
                form::check(&answer, &cell);
            }
            troubled += usize::from(answer.status >= 500 || whole.contains("see the server's log"));
        }
        database.run(&format!("ALTER TABLE {}_gone RENAME TO {name}", table)).await.unwrap();
        let (again, _) = site.tokens(&user, &fake, "hello").await;
        assert_eq!(site.record(&again).await, RECORD, "after {table}");
    }
    assert!(troubled > TABLES.len(), "hardly anything noticed: {troubled}");
}
