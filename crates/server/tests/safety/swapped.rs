//! Rows that somebody moves to where they do not belong.

use tessera_testkit::site::OAUTH2_USER;
use tessera_testkit::wire::Ask;

use crate::stage::Stage;

/// Words that must not come out of a row that was moved.
const SECRETS: [&str; 5] =
    ["hello of user-1", "hello of user-2", "other of user-1", "the-client-id", "the-secret"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_40_rows_swapped_between_users_apps_and_purposes_are_refused_and_harmed_by_nothing() {
    let mut stage = Stage::set().await;
    let site = stage.site();
    site.store_credentials(&stage.bot("hello").await, SECRETS[3], SECRETS[4]).await;
    let (user, other) = (stage.user.id.clone(), stage.other.id.clone());
    for (person, app, secret) in
        [(&stage.user, "hello", 0), (&stage.other, "hello", 1), (&stage.user, "other", 2)]
    {
        site.store(&stage.token(person, app).await, &format!("\"{}\"", SECRETS[secret])).await;
    }
    stage.stop();
    let (connections, credentials) =
        (stage.rows("SELECT * FROM connections"), stage.rows("SELECT * FROM credentials"));
    let of = |app: &str, user: &str, column: &str| {
        format!("(SELECT {column} FROM connections WHERE app = '{app}' AND user_id = '{user}')")
    };
    // The sealed bytes with the generation they were sealed for: only the place differs.
    let take = |app: &str, user: &str, from: (&str, &str)| {
        format!(
            "UPDATE connections SET sealed = {}, generation = {} WHERE app = '{app}' AND user_id = '{user}'",
            of(from.0, from.1, "sealed"),
            of(from.0, from.1, "generation"),
        )
    };
    let swaps = [
        ("another user's", take("hello", &user, ("hello", &other))),
        ("another App's", take("hello", &user, ("other", &user))),
        (
            "a client's, as a record",
            format!(
                "UPDATE connections SET sealed = (SELECT sealed FROM credentials),
                    generation = (SELECT generation FROM credentials)
                    WHERE app = 'hello' AND user_id = '{user}'"
            ),
        ),
        ("another generation's", format!("UPDATE connections SET generation = 7 WHERE user_id = '{user}'")),
    ];
    for (what, sql) in swaps {
        assert!(stage.sql(&sql) > 0, "{what}");
        stage.start();
        let token = stage.token(&stage.other, "hello").await;
        assert_eq!(
            stage.site().record(&token).await,
            "\"hello of user-2\"",
            "{what}: others are not touched"
        );
        // The App's own token, not by a call that would expand the record.
        let token = stage.token(&stage.user, "hello").await;
        let answer = stage.site().send(&Ask::get(OAUTH2_USER).bearer(&token)).await;
        assert_eq!(answer.status, 500, "{what}: {answer:?}");
        for secret in SECRETS {
            assert!(!answer.whole().contains(secret), "{what}: {answer:?}");
        }
        let log = stage.stop();
        assert!(log.contains("altered or moved"), "{what}: {log}");
        stage.sql("DELETE FROM connections");
        stage.put_back("connections", &connections);
    }
    // And the other way round: a record as the client.
    let sql = format!(
        "UPDATE credentials SET sealed = {}, generation = {}",
        of("hello", &user, "sealed"),
        of("hello", &user, "generation")
    );
    assert_eq!(stage.sql(&sql), 1);
    stage.start();
    let route = "/plugins/com.mattermost.apps/api/v1/apps/hello";
    let answer = stage.site().send(&Ask::get(route).bearer(&stage.admin.token)).await;
    assert!(answer.status == 500 && !answer.whole().contains(SECRETS[0]), "{answer:?}");
    stage.stop();
    stage.put_back("credentials", &credentials);

    stage.start();
    for (person, app, secret) in
        [(&stage.user, "hello", 0), (&stage.other, "hello", 1), (&stage.user, "other", 2)]
    {
        let token = stage.token(person, app).await;
        assert_eq!(stage.site().record(&token).await, format!("\"{}\"", SECRETS[secret]));
    }
    let answer = stage.site().send(&Ask::get(route).bearer(&stage.admin.token)).await;
    assert_eq!(answer.json()["remote_oauth2"]["client_secret"], SECRETS[4]);
}
