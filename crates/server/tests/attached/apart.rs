//! A host name of the service's own, where the operator cannot touch Mattermost's proxy: signing in by Mattermost's own provider
//! into a session of ours.

use serde_json::json;
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::browser::{Browser, From, form_token, set_cookies};
use tessera_testkit::fake_app::Answer as Said;
use tessera_testkit::fake_mattermost::{FakeMattermost, Version};
use tessera_testkit::site::{API, OAUTH2_USER, Site, flow};
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::Within;

const OURS: &str = "/plugins/com.mattermost.apps/tessera/v1";
const SESSION: &str = "tessera-session";

/// A person's browser, on both hosts.
struct Person {
    here: Browser,
    there: Browser,
}

impl Person {
    /// Signed in at Mattermost, or not.
    async fn new(stage: &Attached, name: &str) -> Self {
        let mut there = stage.browser_there();
        if !name.is_empty() {
            stage.sign_in(&mut there, name).await;
        }
        Self { here: stage.browser(), there }
    }

    /// Follows redirects from host to host until there is a page, or a place that is neither's; gives where it came from, too.
    async fn follow(&mut self, stage: &Attached, first: Answer) -> (String, Answer) {
        let (mut place, mut answer) = (String::new(), first);
        for _ in 0..12 {
            let Some(location) = answer.header("location").map(str::to_owned) else { return (place, answer) };
            answer = if let Some(path) = location.strip_prefix(&stage.door.origin()) {
                self.there.open(path, From::Elsewhere).await
            } else if location.starts_with(&stage.own_url()) || location.starts_with('/') {
                place = location.strip_prefix(&stage.own_url()).unwrap_or(&location).to_owned();
                self.here.open(&place, From::Elsewhere).await
            } else {
                return (place, answer);
            };
        }
        panic!("redirects without an end, last to {place}");
    }

    /// Opens a place of ours, and follows.
    async fn open(&mut self, stage: &Attached, target: &str) -> (String, Answer) {
        let first = self.here.open(target, From::Nowhere).await;
        self.follow(stage, first).await
    }

    /// A session of ours.
    async fn enter(stage: &Attached, name: &str) -> Self {
        let mut person = Self::new(stage, name).await;
        let (place, page) = person.open(stage, &format!("{OURS}/accounts")).await;
        assert_eq!(
            (place.as_str(), page.status),
            (format!("{OURS}/accounts").as_str(), 200),
            "{}",
            page.text()
        );
        assert!(page.text().contains(&format!("<strong>{name}</strong>")), "{}", page.text());
        person
    }
}

async fn stage(below: &'static str) -> Attached {
    let stage = Attached::apart(Version::V11_7, below).await;
    stage.fake.leads_to("https://provider.example/a?state={state}");
    let site = stage.site();
    stage.fake.answer_with("/oauth2/complete", move |call| async move {
        let token = call.json()["context"]["acting_user_access_token"].as_str().unwrap().to_owned();
        let stored = site.send(&Ask::post(OAUTH2_USER, r#"{"access_token":"kept"}"#).bearer(&token)).await;
        assert_eq!(stored.status, 200, "{}", stored.text());
        Said::ok()
    });
    let mut manifest = stage.fake.manifest(APP, &["act_as_bot", "act_as_user", "remote_oauth2"]);
    manifest["get_oauth2_connect_url"] = json!({"path": "/oauth2/connect", "expand": {}});
    manifest["on_oauth2_complete"] =
        json!({"path": "/oauth2/complete", "expand": {"acting_user_access_token": "all"}});
    stage.site().install(&stage.admin, &manifest).await;
    stage
}

async fn whoever_is_signed_out_connects(below: &'static str) {
    let stage = stage(below).await;
    let connect = flow(APP, "connect");
    let mut person = Person::new(&stage, "").await;
    // From a link in a chat, in a browser in which nobody is signed in anywhere: to Mattermost's own page.
    let first = person.here.open(&connect, From::Nowhere).await;
    let (_, page) = person.follow(&stage, first).await;
    assert!(page.text().contains("name=\"login_id\""), "{}", page.text());
    let authorize = stage.mattermost.requests_to("GET", &format!("{below}/oauth/authorize")).pop().unwrap();
    assert!(authorize.query.contains("code_challenge_method=S256"), "{}", authorize.query);
    // There they sign in, and it leads on to what they came for: to us, and to the App's page.
    stage.sign_in(&mut person.there, "ada").await;
    let back = person.there.open(&format!("{below}/oauth/authorize?{}", authorize.query), From::Here).await;
    let (place, page) = person.follow(&stage, back).await;
    assert_eq!(place, connect);
    assert!(page.text().contains("You are signed in as <strong>ada</strong>"), "{}", page.text());
    // By way of Mattermost once more, where they agree that the App acts for them, and to the provider.
    let first = person.here.submit(&place, &[("token", &form_token(&page))]).await;
    let (place, page) = person.follow(&stage, first).await;
    // A redirect from another host is no click of this one: they are asked again.
    let page = match page.status {
        200 => person.here.submit(&place, &[("token", &form_token(&page))]).await,
        _ => page,
    };
    let location = page.header("location").unwrap();
    assert!(location.starts_with("https://provider.example/"), "{location}");
    let state = location.split_once("state=").unwrap().1.to_owned();
    let complete = format!("{}?code=c&state={state}", flow(APP, "complete"));
    let done = person.here.open(&complete, From::Elsewhere).await;
    assert_eq!(done.status, 200, "{}", done.text());

    // Apps find Mattermost's API where they find us.
    let context = stage.site().context(&stage.user, &stage.fake, APP).await;
    assert_eq!(context["mattermost_site_url"], stage.own_url());
    let (token, bot) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_eq!(stage.site().record(&token).await, r#"{"access_token":"kept"}"#);
    for (token, name) in [(&bot, APP), (&token, "ada")] {
        let me = stage.site().send(&Ask::get("/api/v4/users/me").bearer(token)).await;
        assert_eq!((me.status, me.json()["username"].as_str()), (200, Some(name)), "{}", me.text());
    }
}

#[tokio::test]
async fn whoever_is_signed_out_connects_on_a_host_of_its_own() {
    whoever_is_signed_out_connects("").await;
}

#[tokio::test]
async fn whoever_is_signed_out_connects_where_mattermost_has_a_path() {
    whoever_is_signed_out_connects("/chat").await;
}

#[tokio::test]
async fn an_app_s_window_is_led_to_a_browser_before_it_is_led_to_sign_in() {
    let stage = stage("").await;
    let agent = "Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TQ3A.230805.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36";
    let connect = flow(APP, "connect");
    let mut window = stage.browser();
    for target in [connect.clone(), format!("{OURS}/sign-in?return_to={connect}")] {
        let ask = window.navigation(&target, From::Nowhere).with("User-Agent", agent);
        let page = window.send(&ask).await;
        assert!(
            page.text().contains(&format!("{}{connect}?from=window", stage.own_url())),
            "{}",
            page.text()
        );
    }
    assert!(window.jar.is_empty() && stage.mattermost.count("GET", "/oauth/authorize") == 0);
}

#[tokio::test]
async fn what_tells_who_somebody_is_is_kept_nowhere() {
    let stage = stage("").await;
    let person = Person::enter(&stage, "ada").await;
    let told = stage.mattermost.requests_to("GET", "/api/v4/users/me").pop().unwrap();
    let token = told.headers["authorization"].strip_prefix("Bearer ").unwrap().to_owned();
    // It is ended as soon as it has told, and so is what would give the next.
    assert_eq!(stage.mattermost.holder(&token), None);
    assert!(stage.mattermost.refresh_tokens().is_empty());
    // Of the session a hash is kept.
    let session = &person.here.jar[SESSION];
    for file in ["tessera.db", "tessera.db-wal"] {
        let bytes = std::fs::read(stage.server.dir().join(file)).unwrap_or_default();
        assert!(!bytes.windows(session.len()).any(|part| part == session.as_bytes()), "{file}");
    }
}

#[tokio::test]
async fn a_sign_in_that_this_browser_did_not_begin_signs_nobody_in() {
    let stage = stage("").await;
    let target = format!("{OURS}/sign-in?return_to={OURS}/accounts");
    // Somebody's whole way up to the callback, for another browser to open (login CSRF).
    let mut attacker = Person::new(&stage, "root").await;
    let led = attacker.here.open(&target, From::Nowhere).await;
    let location = led.header("location").unwrap().strip_prefix(&stage.door.origin()).unwrap().to_owned();
    let back = attacker.there.open(&location, From::Elsewhere).await;
    let callback = back.header("location").unwrap().strip_prefix(&stage.own_url()).unwrap().to_owned();
    let mut victim = Person::new(&stage, "ada").await;
    for _ in 0..2 {
        let refused = victim.here.open(&callback, From::Elsewhere).await;
        assert_eq!(refused.status, 403, "{}", refused.text());
        assert!(victim.here.jar.is_empty(), "{:?}", victim.here.jar);
        // With a trip of its own, it is another state's.
        victim.here.open(&target, From::Nowhere).await;
        let own = victim.here.jar.clone();
        assert_eq!(own.len(), 1);
        victim.here.jar.clear();
    }
    // A state that is made up, or another one's cookie under its name.
    let (name, value) = attacker.here.jar.iter().next().map(|(n, v)| (n.clone(), v.clone())).unwrap();
    let made_up = callback.replace("state=", "state=x");
    assert_eq!(attacker.here.open(&made_up, From::Elsewhere).await.status, 403);
    let mut mixed = Person::new(&stage, "ada").await;
    mixed.here.open(&target, From::Nowhere).await;
    let other = mixed.here.jar.values().next().unwrap().clone();
    attacker.here.jar.insert(name.clone(), other);
    assert_eq!(attacker.here.open(&callback, From::Elsewhere).await.status, 403);
    // None of this spent it, and it works once.
    attacker.here.jar.insert(name, value);
    let entered = attacker.here.open(&callback, From::Elsewhere).await;
    assert_eq!(entered.status, 303, "{}", entered.text());
    assert!(attacker.here.jar.contains_key(SESSION));
    assert_eq!(attacker.here.open(&callback, From::Elsewhere).await.status, 403);
}

#[tokio::test]
async fn too_late_is_too_late() {
    let stage = stage("").await;
    let mut person = Person::new(&stage, "ada").await;
    let led = person.here.open(&format!("{OURS}/sign-in?return_to={OURS}/accounts"), From::Nowhere).await;
    let location = led.header("location").unwrap().strip_prefix(&stage.door.origin()).unwrap().to_owned();
    let back = person.there.open(&location, From::Elsewhere).await;
    let callback = back.header("location").unwrap().strip_prefix(&stage.own_url()).unwrap().to_owned();
    stage.server.clock.advance_ms(600_001);
    assert_eq!(person.here.open(&callback, From::Elsewhere).await.status, 403);
    assert_eq!(stage.mattermost.count("POST", "/oauth/access_token"), 0);
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_nobody_s() {
    let stage = stage("").await;
    let mut person = Person::new(&stage, "ada").await;
    let planted = "a".repeat(43);
    person.here.jar.insert(SESSION.to_owned(), planted.clone());
    let (_, page) = person.open(&stage, &format!("{OURS}/accounts")).await;
    assert!(page.text().contains("<strong>ada</strong>"), "{}", page.text());
    assert_ne!(person.here.jar[SESSION], planted);
    let mut attacker = stage.browser();
    attacker.jar.insert(SESSION.to_owned(), planted);
    assert_eq!(attacker.open(&format!("{OURS}/accounts"), From::Here).await.status, 303, "to sign in");
    // Nor does one of before live on beside the new one.
    let before = person.here.jar[SESSION].clone();
    let led = {
        let mut fresh = person.here.clone();
        fresh.jar.remove(SESSION);
        let led = fresh.open(&format!("{OURS}/sign-in?return_to={OURS}/accounts"), From::Nowhere).await;
        person.here.jar.extend(fresh.jar);
        led
    };
    let (_, page) = person.follow(&stage, led).await;
    assert_eq!(page.status, 200, "{}", page.text());
    attacker.jar.insert(SESSION.to_owned(), before);
    assert_eq!(attacker.open(&format!("{OURS}/accounts"), From::Here).await.status, 303, "to sign in");
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_and_by_signing_out() {
    let stage = stage("").await;
    let mut person = Person::enter(&stage, "ada").await;
    // "I am not ada": Mattermost has a session of its own, which is theirs to end.
    let page = person.here.open(&format!("{}?from=window", flow(APP, "connect")), From::Here).await;
    let token =
        page.text().split("name=\"token\" value=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
    let session = person.here.jar[SESSION].clone();
    let gone = person.here.submit(&format!("{OURS}/sign-out"), &[("token", &token), ("app", APP)]).await;
    let (_, page) = person.follow(&stage, gone).await;
    assert!(page.text().contains("You are signed out here"), "{}", page.text());
    assert!(page.text().contains(&stage.door.url()), "{}", page.text());
    let mut old = stage.browser();
    old.jar.insert(SESSION.to_owned(), session);
    assert_eq!(old.open(&format!("{OURS}/accounts"), From::Here).await.status, 303, "to sign in");

    let mut person = Person::enter(&stage, "root").await;
    stage.server.clock.advance_ms(12 * 3_600_000 - 1);
    assert_eq!(person.here.open(&format!("{OURS}/accounts"), From::Here).await.status, 200);
    stage.server.clock.advance_ms(1);
    assert_eq!(person.here.open(&format!("{OURS}/accounts"), From::Here).await.status, 303);
}

#[tokio::test]
async fn who_is_deactivated_is_nobody_within_ten_seconds_and_at_once_where_something_begins() {
    let stage = stage("").await;
    let mut person = Person::enter(&stage, "ada").await;
    let accounts = format!("{OURS}/accounts");
    assert_eq!(person.here.open(&accounts, From::Here).await.status, 200);
    stage.mattermost.deactivate(&stage.user.id);
    assert_eq!(person.here.open(&accounts, From::Here).await.status, 200, "as it was some seconds ago");
    let begins = person.here.open(&flow(APP, "connect"), From::Here).await;
    assert!(begins.header("location").unwrap().contains("/tessera/v1/sign-in?"), "{:?}", begins.headers);
    stage.mattermost.activate(&stage.user.id);
    // The session ended with that.
    assert_eq!(person.here.open(&accounts, From::Here).await.status, 303);

    let mut person = Person::enter(&stage, "ada").await;
    stage.mattermost.deactivate(&stage.user.id);
    stage.server.clock.advance_ms(10_001);
    assert_eq!(person.here.open(&accounts, From::Here).await.status, 303);
}

#[tokio::test]
async fn os_57_a_cookie_must_prove_where_its_request_comes_from() {
    let stage = stage("").await;
    let person = Person::enter(&stage, "ada").await;
    let body = json!({"path": "/hello", "context": {"app_id": APP}}).to_string();
    let ask = || Ask::post(format!("{API}/call"), body.clone()).with("Cookie", person.here.cookies());
    let proven = async |ask: Ask| stage.site().send(&ask).await.json()["type"] == "ok";
    assert!(!proven(ask()).await);
    assert!(!proven(ask().with("X-CSRF-Token", "anything")).await);
    let script = || ask().with("X-Requested-With", "XMLHttpRequest");
    assert!(proven(script()).await);
    assert!(!proven(script().with("Sec-Fetch-Site", "cross-site")).await);
    assert!(!proven(script().with("Content-Type", "text/plain")).await);
    // Mattermost's own cookie, were it sent to all hosts of a domain, says nothing here.
    let session = stage.mattermost.session(&stage.user.id);
    let theirs = Ask::post(format!("{API}/call"), body.clone())
        .with("Cookie", format!("MMAUTHTOKEN={}", session.token))
        .with("X-CSRF-Token", session.csrf);
    assert!(!proven(theirs).await);
}

#[tokio::test]
async fn the_cookie_of_a_session_is_for_this_host_alone() {
    // As behind https, and without a proxy: what is sent back is told by the configured address.
    let stage = Attached::set_up(
        Version::V11_7,
        |_| {},
        |config| config.site.url = "https://apps.example.com".to_owned(),
    )
    .await;
    let site = stage.server.site;
    let mut browser = Browser::at(site, "https://apps.example.com");
    let led = browser.open(&format!("{OURS}/sign-in?return_to={OURS}/accounts"), From::Nowhere).await;
    let location = led.header("location").unwrap().strip_prefix(&stage.door.origin()).unwrap().to_owned();
    let mut there = stage.browser_there();
    stage.sign_in(&mut there, "ada").await;
    let back = there.open(&location, From::Elsewhere).await;
    let entered = browser.open(&browser.place(&back), From::Elsewhere).await;
    assert_eq!(entered.status, 303, "{}", entered.text());
    let cookies = set_cookies(&entered);
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-tessera-session=")).unwrap();
    for flag in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(session.split("; ").any(|part| part == flag), "{flag}: {session}");
    }
    assert!(!session.contains("Domain="), "{session}");
    let value = session.split(['=', ';']).nth(1).unwrap();
    assert_eq!(value.len(), 43, "256 random bits");
    for cookie in set_cookies(&led) {
        assert!(
            cookie.starts_with("__Host-tessera-sign-in-")
                && cookie.contains("HttpOnly")
                && cookie.len() < 4_096
        );
    }
}

#[tokio::test]
async fn one_client_serves_all_who_sign_in_and_is_made_anew_where_somebody_removed_it() {
    let (mattermost, data) = (FakeMattermost::start(Version::V11_7).await, tempfile::tempdir().unwrap());
    mattermost.grant("system_admin", "manage_oauth");
    let token = mattermost.service_token();
    let ours = || {
        let ours = mattermost.oauth_apps().into_iter().filter(|app| app["name"] == "Tessera");
        ours.map(|app| app["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let serve = async |own: &str| {
        let mut server = Within::start_with(|config| {
            config.mattermost.url = mattermost.url();
            config.mattermost.token = token.clone();
            config.site.url = own.to_owned();
            config.store.dir = data.path().display().to_string();
        })
        .await;
        let target = format!("{OURS}/sign-in?return_to={OURS}/accounts");
        for _ in 0..3 {
            let led = Browser::at(server.site, own).open(&target, From::Nowhere).await;
            assert_eq!(led.status, 303, "{}", led.text());
            let location = led.header("location").unwrap();
            assert!(location.contains(&format!("client_id={}", ours()[0])), "{location}");
        }
        server.stop().await.unwrap();
    };
    serve("https://apps.example.com").await;
    let first = ours();
    assert_eq!(first.len(), 1);
    serve("https://apps.example.com").await;
    assert_eq!(ours(), first);
    // Its administrator removed it; then the service got another address.
    let gone = Ask::new("DELETE", format!("/api/v4/oauth/apps/{}", first[0])).bearer(&token);
    assert_eq!(Site::at(mattermost.address()).send(&gone).await.status, 200);
    serve("https://apps.example.com").await;
    let second = ours();
    serve("https://elsewhere.example.com").await;
    // The same client, with the new address alone.
    assert!(first != second && second.len() == 1);
    assert_eq!(second, ours());
    let all = mattermost.oauth_apps();
    let own = all.iter().find(|app| app["name"] == "Tessera").unwrap();
    let callbacks = own["callback_urls"].as_array().unwrap();
    assert_eq!(callbacks.len(), 1);
    assert!(callbacks[0].as_str().unwrap().starts_with("https://elsewhere.example.com/"), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_the_host_of_its_own_and_not_at_mattermost_s_proxy() {
    let stage = stage("").await;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tessera"));
    command
        .args(["doctor", "--json"])
        .env("TESSERA_SITE__URL", stage.own_url())
        .env("TESSERA_MATTERMOST__URL", stage.door.url())
        .env("TESSERA_MATTERMOST__TOKEN", stage.mattermost.service_token());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let path = said["findings"].as_array().unwrap().iter().find(|one| one["about"] == "proxy path").unwrap();
    assert_eq!(path["state"], "good", "{said}");
    assert!(path["found"].as_str().unwrap().starts_with(&stage.own_url()), "{path}");
}
