//! Several nodes seal with one data key: no nonce comes twice (OS-41).

use std::collections::HashSet;

use tessera_server::env::Env;
use tessera_server::vault::RootKey;
use tessera_testkit::fake_app::FakeApp;
use tessera_testkit::postgres::Database;
use tessera_testkit::site::PERMISSIONS;
use tessera_testkit::within::Within;
use tokio_postgres::NoTls;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_41_nodes_that_share_a_data_key_on_postgres_never_share_a_nonce() {
    let database = Database::create().await.unwrap();
    let key = RootKey::generate(&Env::system()).unwrap().to_text();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let node = Within::start_with(|config| {
            config.store.postgres_url = database.url().to_owned();
            config.vault.root_key = key.to_string();
        });
        nodes.push(node.await);
    }
    let (site, fake) = (nodes[0].site, FakeApp::start().await);
    let admin = site.sign_in("sysadmin").await;
    site.install(&admin, &fake.manifest("hello", &PERMISSIONS)).await;
    let (token, _) = site.tokens(&admin, &fake, "hello").await;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let (mut keys, mut nonces) = (HashSet::new(), HashSet::new());
    for round in 0..150 {
        nodes[round % nodes.len()].site.store(&token, &format!("[{}]", round % 2)).await;
        let row = client.query_one("SELECT sealed FROM tessera.connections", &[]).await.unwrap();
        let sealed: Vec<u8> = row.get(0);
        keys.insert(sealed[10..26].to_vec());
        assert!(nonces.insert(sealed[26..50].to_vec()), "round {round}");
    }
    assert_eq!((keys.len(), nonces.len()), (1, 150));
    drop(client);
    connection.await.unwrap().unwrap();
}
