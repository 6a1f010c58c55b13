//! A generated table on PostgreSQL, where nothing is cached: each thing that the service leans on fails, and everything
//! is asked. Nobody gets a record that is not theirs or a half of one, and nothing is half written (OS-59).

use serde_json::json;
use tessera_server::env::Env;
use tessera_server::vault::RootKey;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::postgres::Database;
use tessera_testkit::site::{API, OAUTH2_APP, OAUTH2_USER, PERMISSIONS, Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;
use tokio_postgres::NoTls;

const RECORD: &str = "{\"kept\":  \"the-record-itself\"}";
const SECRETS: [&str; 2] = ["the-record-itself", "the-client-secret"];

const TABLES: [&str; 9] = [
    "tessera.connections",
    "tessera.credentials",
    "tessera.states",
    "tessera.origins",
    "tessera.apps",
    "tessera.app_tokens",
    "tessera.site_users",
    "tessera.site_sessions",
    "tessera_keys.data_keys",
];

/// A fault: its name, how it is made, and how it is undone.
struct Fault(String, String, String);

fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    for table in TABLES {
        let (schema, name) = table.split_once('.').unwrap();
        faults.push(Fault(
            format!("{table} cannot be read"),
            format!("ALTER TABLE {table} RENAME TO {name}_gone"),
            format!("ALTER TABLE {schema}.{name}_gone RENAME TO {name}"),
        ));
        // What stands there and what is sent are both refused: inserts, updates, and deletes such as a redemption.
        faults.push(Fault(
            format!("{table} cannot be written"),
            format!("CREATE TRIGGER planted BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION planted()"),
            format!("DROP TRIGGER planted ON {table}"),
        ));
    }
    for table in ["connections", "credentials", "apps", "app_tokens"] {
        let table = format!("tessera.{table}");
        faults.push(Fault(
            format!("{table} holds altered bytes"),
            format!("UPDATE {table} SET sealed = set_byte(sealed, 60, 255 - get_byte(sealed, 60))"),
            format!("UPDATE {table} SET sealed = set_byte(sealed, 60, 255 - get_byte(sealed, 60))"),
        ));
    }
    let keys = "tessera_keys.data_keys";
    faults.push(Fault(
        "every data key is altered".into(),
        format!("UPDATE {keys} SET wrapped = set_byte(wrapped, 40, 255 - get_byte(wrapped, 40))"),
        format!("UPDATE {keys} SET wrapped = set_byte(wrapped, 40, 255 - get_byte(wrapped, 40))"),
    ));
    faults.push(Fault(
        "every data key is gone".into(),
        format!("CREATE TABLE kept AS SELECT * FROM {keys}; DELETE FROM {keys}"),
        format!("DELETE FROM {keys}; INSERT INTO {keys} SELECT * FROM kept; DROP TABLE kept"),
    ));
    faults
}

/// All rows of what is kept, as text; under whichever name it has now.
async fn kept(database: &Database) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut all = Vec::new();
    for table in ["connections", "credentials"] {
        let sql = format!("SELECT to_regclass('tessera.{table}') IS NULL");
        let gone: bool = client.query_one(&sql, &[]).await.unwrap().get(0);
        let gone = if gone { "_gone" } else { "" };
        let sql = format!("SELECT kept::text FROM tessera.{table}{gone} AS kept ORDER BY 1");
        all.extend(client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)));
    }
    drop(client);
    connection.await.unwrap().unwrap();
    all
}

async fn node(database: &Database, key: &str) -> Within {
    Within::start_with(|config| {
        config.store.postgres_url = database.url().to_owned();
        config.vault.root_key = key.to_owned();
    })
    .await
}

struct Holding {
    user: Person,
    token: String,
    bot: String,
}

fn asks(holding: &Holding, state: &str) -> Vec<Ask> {
    let expand = json!({
        "acting_user": "all", "acting_user_access_token": "all", "oauth2_app": "all", "oauth2_user": "all",
    });
    let call = json!({"path": "/hear", "context": {"app_id": "hello"}, "expand": expand}).to_string();
    let client = r#"{"client_id":"new","client_secret":"new"}"#;
    let complete = format!("{}?code=c&state={state}", flow("hello", "complete"));
    vec![
        Ask::get(OAUTH2_USER).bearer(&holding.token),
        Ask::post(format!("{API}/call"), call.replace("\"all\"", "\"+all\"")).bearer(&holding.user.token),
        Ask::post(format!("{API}/call"), call).bearer(&holding.user.token),
        Ask::get(flow("hello", "connect")).bearer(&holding.user.token),
        Ask::get(complete).bearer(&holding.user.token),
        Ask::post(OAUTH2_USER, "{\"new\":1}").bearer(&holding.token),
        Ask::post(OAUTH2_APP, client).bearer(&holding.bot),
        Ask::new("DELETE", OAUTH2_USER).bearer(&holding.token),
    ]
}

fn went_well(answer: &Answer) -> bool {
    answer.status < 400 && !answer.text().contains("\"type\":\"error\"")
}

async fn put_right(site: Site, holding: &Holding, after: &str) {
    let client = json!({"client_id": "the-id", "client_secret": SECRETS[1]}).to_string();
    for ask in [
        Ask::post(OAUTH2_USER, RECORD).bearer(&holding.token),
        Ask::post(OAUTH2_APP, client).bearer(&holding.bot),
    ] {
        let answer = site.send(&ask).await;
        assert_eq!(answer.status, 200, "{} after {after}: {answer:?}", ask.target);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_59_whatever_fails_on_postgres_nothing_is_released_and_nothing_half_written() {
    let database = Database::create().await.unwrap();
    let key = RootKey::generate(&Env::system()).unwrap().to_text();
    let fake = FakeApp::start().await;
    fake.leads_to_a_provider();
    let first = node(&database, &key).await;
    let admin = first.site.sign_in("sysadmin").await;
    first.site.install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    let user = first.site.sign_in("user-1").await;
    let (token, bot) = first.site.tokens(&user, &fake, "hello").await;
    let holding = Holding { user, token, bot };
    put_right(first.site, &holding, "the start").await;
    let planted = "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'planted'; END $$";
    database.run(planted).await.unwrap();
    let (mut failed, mut fine) = (0, 0);
    for Fault(name, make, undo) in faults() {
        // A node of its own for each. Where keys fail, it fails before the node has unwrapped any.
        let cold = name.starts_with("every data key");
        if cold {
            database.run(&make).await.unwrap();
        }
        let server = node(&database, &key).await;
        let site = server.site;
        let mut state = "none".to_owned();
        if !cold {
            let begun = site.send(&Ask::get(flow("hello", "connect")).bearer(&holding.user.token)).await;
            state = begun.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
            database.run(&make).await.unwrap();
        }
        for ask in asks(&holding, &state) {
            let cell = format!("{} {} while {name}", ask.method, ask.target);
            let (before, heard) = (kept(&database).await, fake.calls().len());
            let answer = site.send(&ask).await;
            let (after, well) = (kept(&database).await, went_well(&answer));
            let calls = fake.calls().split_off(heard);
            if !well {
                failed += 1;
                assert_eq!(before, after, "{cell}: {answer:?}");
                let mut told = answer.whole();
                // On connect the App gets its own client, and what it answers is looked at afterwards.
                if ask.method == "POST" {
                    told.extend(calls.iter().map(|call| call.text()));
                }
                for secret in SECRETS {
                    assert!(!told.contains(secret), "{cell}: {told}");
                }
                continue;
            }
            fine += 1;
            match (ask.method, ask.target.as_str()) {
                // A record that cannot be had is an error, and never looks like none.
                ("GET", OAUTH2_USER) => assert_eq!(answer.text(), RECORD, "{cell}"),
                ("POST" | "DELETE", OAUTH2_USER | OAUTH2_APP) => assert_ne!(before, after, "{cell}"),
                _ => assert_eq!(before, after, "{cell}"),
            }
            if answer.status == 307 || ask.target.contains("complete") {
                assert_eq!(calls.len(), 1, "{cell}");
            }
        }
        database.run(&undo).await.unwrap();
        let again = node(&database, &key).await;
        put_right(again.site, &holding, &name).await;
        assert_eq!(again.site.record(&holding.token).await, RECORD, "after {name}");
    }
    assert!(failed >= 40 && fine >= 40, "{failed} failed, {fine} went well");
}
