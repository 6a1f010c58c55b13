//! What people and administrators are told of managed connections, and how they end them.

use serde_json::{Value, json};
use tessera_testkit::browser::{Browser, form_token};
use tessera_testkit::managed::{APP, Managed};
use tessera_testkit::site::flow;
use tessera_testkit::wire::{Answer, Ask};

use crate::seen::{Apart, OURS, accounts, messages, revocations, until};

const GRANTS: &str = "https://provider.example/grants";

/// A provider with a page on which people end what they granted.
async fn stage() -> Managed {
    Managed::with(&format!("permissions_url = '{GRANTS}'")).await
}

fn shows(page: &Answer, texts: &[&str]) {
    for text in texts {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
}

fn hides(page: &Answer, texts: &[&str]) {
    for text in texts {
        assert!(!page.text().contains(text), "{text}: {}", page.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_person_sees_the_account_and_what_became_of_it_at_its_provider() {
    let stage = stage().await;
    stage.connect().await;
    let site = stage.cast.site;
    let mut browser = Browser::signed_in(site, "user-1").await;
    let fresh = accounts(&mut browser, "").await;
    let account = "ada@simulator.example at Simulator (unverified)";
    shows(&fresh, &[&format!("<bdi>{account}</bdi>"), "<span>Works</span>", "/oauth2/complete</code>"]);
    shows(&fresh, &["<code>profile</code>, <code>email</code>", ">in 5", "Unverified: how that service"]);
    shows(&fresh, &[&format!("<a href=\"{GRANTS}\">What you granted at Simulator</a>")]);
    shows(&fresh, &["the other service is asked to end what you granted it"]);
    hides(&fresh, &["Connect again", "The other service is not told", "Ended lately", "May not"]);
    let token = stage.access_token().await;
    shows(&accounts(&mut browser, "").await, &["just now</time>, by the App on its own"]);

    let told = stage.connections().await;
    let managed = &told[0]["managed"];
    assert_eq!(managed["verified"], false);
    assert_eq!(managed["refreshable"], true);
    assert_eq!(managed["permissions_url"], GRANTS);
    assert_eq!(managed["scopes"], json!(["profile", "email"]));
    assert!(managed["next_refresh_at"].as_i64() < managed["expires_at"].as_i64(), "{managed}");

    let fields = [("token", form_token(&fresh)), ("app", APP.to_owned())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.submit(&format!("{OURS}/accounts"), &fields).await.status, 303);
    let ended = until("the end at the provider", async || {
        stage.work().await;
        let ended = revocations(site, &stage.cast.user).await;
        (ended[0]["outcome"] == "revoked").then_some(ended)
    })
    .await;
    assert_eq!((ended.len(), &ended[0]["account"]), (1, &json!(account)), "{ended:?}");
    assert!(!stage.works(&token).await);
    let after = accounts(&mut browser, "?ended=hello").await;
    shows(
        &after,
        &["is disconnected.</strong> No token for it is kept here any more. It was ended at Simulator too."],
    );
    shows(&after, &["<h2>Ended lately</h2>", "with <bdi>Hello, OAuth2!</bdi>", "No App is connected"]);
    hides(&after, &["stays valid until you revoke it"]);

    // Nobody else is told, and not for ever.
    let other = site.sign_in("user-2").await;
    assert!(revocations(site, &other).await.is_empty());
    stage.later(31 * 86_400);
    assert!(revocations(site, &site.sign_in("user-1").await).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_for_and_not_granted_is_shown() {
    let stage = stage().await;
    let mut record = stage.record("");
    record["scopes"] = json!(["profile", "calendar"]);
    assert_eq!(stage.set_provider(&record).await.status, 200);
    stage.provider.change_behaviour(|behaviour| behaviour.set("fewer-scopes=calendar").unwrap());
    stage.connect().await;
    let mut browser = Browser::signed_in(stage.cast.site, "user-1").await;
    let page = accounts(&mut browser, "").await;
    shows(
        &page,
        &["Works, with less than the App asked for.", "<code>calendar</code>, though it was asked for"],
    );
    let link =
        format!("<a href=\"http://localhost:{}{}\">", stage.cast.site.address.port(), flow(APP, "connect"));
    shows(&page, &[&link, "Connect again<span class=\"hidden\"> with Hello, OAuth2!</span>"]);
    let told = stage.connections().await;
    assert_eq!(told[0]["managed"]["missing_scopes"], json!(["calendar"]));
    assert_eq!(told[0]["managed"]["status"], "missing_scopes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_a_connection_stands_is_said_in_words() {
    let stage = stage().await;
    stage.connect().await;
    let mut browser = Browser::signed_in(stage.cast.site, "user-1").await;

    // The client's secret is wrong: nobody's connection has ended, and an administrator must look.
    let mut wrong = stage.record("");
    wrong["client_secret"] = json!("wrong");
    assert_eq!(stage.set_provider(&wrong).await.json()["fault"], "invalid_client");
    shows(&accounts(&mut browser, "").await, &["does not accept this App just now (invalid_client)"]);
    assert_eq!(stage.connections().await[0]["managed"]["client_refused"], "invalid_client");
    assert_eq!(stage.set_provider(&stage.record("")).await.status, 200);

    // The provider is out of reach.
    stage.provider.change_behaviour(|behaviour| behaviour.set("html-502").unwrap());
    stage.later(3_601);
    let answer = stage.ask("").await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    let page = accounts(&mut browser, "").await;
    shows(
        &page,
        &["cannot be asked for a new token just now", "there is nothing for you to do", "class=\"bad\""],
    );
    hides(&page, &["Connect again"]);

    // It is there again, and knows nothing of the grant.
    stage.provider.change_behaviour(|behaviour| {
        behaviour.set("html-502=off").unwrap();
        behaviour.set("idle-death=1").unwrap();
    });
    stage.later(600);
    assert_eq!(stage.ask("").await.header("tessera-connection"), Some("needs_reconnect"));
    let page = accounts(&mut browser, "").await;
    shows(&page, &["Has ended: Simulator does not accept it any more (invalid_grant).", "Connect again"]);
    hides(&page, &["<dt>Renewed</dt>"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_an_administrator_ends_somebody_elses_connection_and_the_log_names_both() {
    let stage = stage().await;
    stage.connect().await;
    let (site, user, admin) = (stage.cast.site, &stage.cast.user, &stage.cast.admin);
    let token = stage.access_token().await;
    let (as_admin, _) = site.tokens(admin, &stage.cast.fake, APP).await;
    let end = |token: &str| {
        let target = format!("{OURS}/apps/{APP}/connections/{}", user.id);
        Ask::new("DELETE", target).bearer(token)
    };
    for stranger in [&user.token, &as_admin, &"nobody".to_owned()] {
        assert_eq!(site.send(&end(stranger)).await.status, 401);
    }
    assert_eq!(stage.access_token().await, token);
    let ended = site.send(&end(&admin.token)).await;
    assert_eq!((ended.status, ended.text()), (204, String::new()));
    let again = site.send(&end(&admin.token)).await;
    let text = format!("user {} has no connection with app {APP}: not found\n", user.id);
    assert_eq!((again.status, again.text()), (404, text));
    assert_eq!(stage.ask("").await.text(), "");

    let of = |entry: &Value| entry["act"] == "connection_removed" || entry["act"] == "row_removed";
    let entries: Vec<Value> = stage.cast.server.audit().into_iter().filter(of).collect();
    assert_eq!(entries.len(), 2, "{entries:?}");
    for entry in &entries {
        assert_eq!((&entry["actor"], &entry["row"]["user"]), (&json!(admin.id), &json!(user.id)), "{entry}");
    }
    assert_eq!(entries[0]["detail"], "administrator");

    // It is ended at the provider too, and its person sees that.
    until("the end at the provider", async || {
        stage.work().await;
        (revocations(site, user).await[0]["outcome"] == "revoked").then_some(())
    })
    .await;
    assert!(!stage.works(&token).await);
    assert!(revocations(site, admin).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_shows_the_account_and_ends_a_connection() {
    let stage = Apart::start().await;
    for server in [false, true] {
        let (fine, text) = stage.connections(&["--app", APP], server);
        assert!(fine, "{text}");
        let line = "  ada@simulator.example at Simulator (unverified): connected, next refresh ";
        assert!(text.lines().any(|told| told.starts_with(line)), "{text}");
    }
    let (_, text) = stage.connections(&["--json", "--user", &stage.user.id], false);
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told[0]["managed"]["account_name"], "ada@simulator.example", "{told}");

    let (fine, text) = stage.connections(&["end", "--app", APP], false);
    assert!(!fine && text.contains("--user"), "{text}");
    let end = ["end", "--app", APP, "--user", &stage.user.id];
    let sentence = format!("Ended the connection of {} with {APP}\n", stage.user.id);
    assert_eq!(stage.connections(&end, false), (true, sentence));
    let (fine, text) = stage.connections(&end, true);
    assert!(!fine && text.contains("has no connection with app"), "{text}");
    assert_eq!(stage.ask("").await.text(), "");
    until("the end at the provider", async || {
        (revocations(stage.child.site, &stage.user).await[0]["outcome"] == "revoked").then_some(())
    })
    .await;
    assert_eq!(messages(stage.child.site, &stage.user).await.len(), 1, "that it was connected");
}
