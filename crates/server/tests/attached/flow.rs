//! The whole way of a click: sign in at Mattermost, agree, connect, provider, complete, and what the App then reads.

use serde_json::json;
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::browser::From;
use tessera_testkit::fake_app::Answer;
use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::site::{OAUTH2_USER, flow};
use tessera_testkit::wire::Ask;

/// An App as the documentation has it: it stores what it got with the token that it is given on completion.
fn stores_on_completion(stage: &Attached) {
    stage.fake.leads_to("https://provider.example/a?state={state}");
    let site = stage.site();
    stage.fake.answer_with("/oauth2/complete", move |call| async move {
        let token = call.json()["context"]["acting_user_access_token"].as_str().unwrap().to_owned();
        let ask = Ask::post(OAUTH2_USER, r#"{"access_token":"of the provider"}"#).bearer(&token);
        let stored = site.send(&ask).await;
        assert_eq!(stored.status, 200, "{}", stored.text());
        Answer::ok()
    });
}

async fn installed(version: Version) -> Attached {
    let stage = Attached::to(version).await;
    let mut manifest = stage.fake.manifest(APP, &["act_as_bot", "act_as_user", "remote_oauth2"]);
    manifest["get_oauth2_connect_url"] = json!({"path": "/oauth2/connect", "expand": {"oauth2_app": "all"}});
    manifest["on_oauth2_complete"] = json!({"path": "/oauth2/complete", "expand": {"acting_user_access_token": "all", "oauth2_app": "all"}});
    stage.site().install(&stage.admin, &manifest).await;
    stores_on_completion(&stage);
    stage
}

async fn a_person_who_was_signed_out_connects(version: Version) {
    let stage = installed(version).await;
    let mut browser = stage.browser();
    // From a link in a chat, in a browser in which nobody is signed in.
    let first = browser.open(&flow(APP, "connect"), From::Nowhere).await;
    let (place, page) = stage.follow(&mut browser, first).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(place.contains("/tessera/v1/sign-in?return_to="), "{place}");
    assert!(page.text().contains("Sign in to Mattermost, then continue"), "{}", page.text());
    assert!(page.text().contains(&format!("{}/login", stage.door.url())), "{}", page.text());
    assert_eq!(page.header("refresh"), Some("4"), "it looks again by itself");

    // Mattermost's own page leads somewhere else; ours notices the session when it looks again.
    stage.sign_in(&mut browser, "ada").await;
    let again = browser.open(&place, From::Here).await;
    let (place, page) = stage.follow(&mut browser, again).await;
    // Whoever was sent to sign in is asked first.
    assert!(page.text().contains("You are signed in as <strong>ada</strong>"), "{}", page.text());
    let (place, page) = stage.confirm(&mut browser, &place, &page).await;
    // On the way there was the trip to Mattermost's own provider, without a question: the client is trusted.
    assert!(place.ends_with(&flow(APP, "connect")), "{place}");
    assert_eq!(page.status, 307, "{}", page.text());
    let state = page.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
    assert_eq!(stage.mattermost.count("POST", "/oauth/access_token"), 1);

    let target = format!("{}?code=c&state={state}", flow(APP, "complete"));
    let done = browser.open(&target, From::Elsewhere).await;
    assert_eq!(done.status, 200, "{}", done.text());

    // What the App reads by the next token that it is given, which is a token of Mattermost.
    let (token, bot) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_eq!(stage.site().record(&token).await, r#"{"access_token":"of the provider"}"#);
    let me = stage.site().send(&Ask::get("/api/v4/users/me").bearer(&token)).await;
    assert_eq!(me.json()["username"], "ada");
    let me = stage.site().send(&Ask::get("/api/v4/users/me").bearer(&bot)).await;
    assert_eq!(me.json()["username"], "hello");
}

#[tokio::test]
async fn a_person_who_was_signed_out_connects_beside_an_old_mattermost() {
    a_person_who_was_signed_out_connects(Version::V6_7).await;
}

#[tokio::test]
async fn a_person_who_was_signed_out_connects_beside_a_new_one() {
    a_person_who_was_signed_out_connects(Version::V11_7).await;
}

#[tokio::test]
async fn a_person_who_was_signed_out_connects_where_the_original_cannot_run() {
    a_person_who_was_signed_out_connects(Version::V12_0).await;
}

#[tokio::test]
async fn the_sign_in_page_leads_nowhere_but_to_our_own_addresses() {
    let stage = installed(Version::V11_7).await;
    let mut browser = stage.browser();
    stage.sign_in(&mut browser, "ada").await;
    for to in [
        "https://evil.example/",
        "//evil.example",
        "/",
        "/plugins/other/x",
        "/plugins/com.mattermost.apps/../x",
    ] {
        let query: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let target = format!("/plugins/com.mattermost.apps/tessera/v1/sign-in?return_to={query}");
        let answer = browser.open(&target, From::Here).await;
        assert_eq!((answer.status, answer.header("location")), (400, None), "{to}");
    }
}

#[tokio::test]
async fn os_03_an_agreement_is_bound_to_browser_and_person_and_works_once() {
    let stage = installed(Version::V11_7).await;
    let agree = flow(APP, "connect").replace("/remote/", "/mattermost/");
    let mut browser = stage.browser();
    stage.sign_in(&mut browser, "ada").await;
    // There is nothing to agree to before the App first needs it.
    let none = browser.open(&agree, From::Here).await;
    assert_eq!(none.status, 404, "{}", none.text());
    let needed = browser.open(&flow(APP, "connect"), From::Here).await;
    let authorize = browser.open(&browser.place(&needed), From::Here).await;
    let back = browser.open(&browser.place(&authorize), From::Here).await;
    let callback = browser.place(&back);
    assert!(callback.contains("/oauth2/mattermost/complete?"), "{callback}");

    // Another browser of the same person, then another person.
    let mut other = stage.browser();
    stage.sign_in(&mut other, "ada").await;
    assert_eq!(other.open(&callback, From::Elsewhere).await.status, 403);
    let mut root = stage.browser();
    stage.sign_in(&mut root, "root").await;
    assert_eq!(root.open(&callback, From::Elsewhere).await.status, 403);
    // Neither spent anything.
    let agreed = browser.open(&callback, From::Elsewhere).await;
    assert_eq!(agreed.status, 303, "{}", agreed.text());
    assert_eq!(browser.open(&callback, From::Elsewhere).await.status, 403);
}

#[tokio::test]
async fn a_service_that_ended_holds_nothing() {
    let stage = Attached::to(Version::V11_7).await;
    let dir = tempfile::tempdir().unwrap();
    let url = stage.mattermost.url();
    let config = tessera_server::boot::bench_attached::settings(dir.path(), &url, &url);
    for _ in 0..2 {
        let site = url::Url::parse(&url).unwrap();
        let house = tessera_server::boot::build(&config, site, tessera_server::env::Env::system()).await;
        drop(house.unwrap_or_else(|error| panic!("the folder is still held: {error}")));
    }
}
