//! How many flows one person may have open and begin, and that it takes nothing from others (OS-55).

use serde_json::json;
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::{PERMISSIONS, flow};
use tessera_testkit::wire::{Answer, Ask};

use crate::scene::{APP, MISMATCH, Scene, said, state_in};

/// The seconds after which a refused client may come back. The same number is in the text.
pub(crate) fn retry_after(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let seconds: i64 = answer.header("retry-after").unwrap().parse().unwrap();
    let told = if seconds == 1 { "in 1 second".to_owned() } else { format!("in {seconds} seconds") };
    assert!(answer.text().contains(&format!("try again {told}")), "{}", answer.text());
    seconds
}

/// One second before its end the wait was not yet long enough, and at its end it was.
pub(crate) async fn is_honest(scene: &Scene, seconds: i64, ask: &Ask) -> Answer {
    scene.server.clock.advance_ms((seconds - 1) * 1000);
    let early = scene.site().send(ask).await;
    assert_eq!(retry_after(&early), 1, "{}", early.text());
    scene.server.clock.advance_ms(1000);
    let answer = scene.site().send(ask).await;
    assert!(answer.status < 400, "{}: {}", answer.status, answer.text());
    answer
}

fn refused(scene: &Scene) -> usize {
    scene.refusals().iter().filter(|(.., word)| word == "limit").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_55_open_flows_are_bounded_and_one_too_many_ends_no_other() {
    let scene = Scene::set_with(|config| config.limits.pending_flows = 3).await;
    let site = scene.site();
    site.install(&scene.admin, &scene.fake.manifest("other", &PERMISSIONS)).await;
    let stranger = site.sign_in("user-2").await;
    let mut own = Vec::new();
    for _ in 0..3 {
        own.push(scene.begin(&scene.user).await);
        scene.server.clock.advance_ms(60_000);
    }
    let foreign = scene.begin(&stranger).await;
    let connect = Ask::get(flow(APP, "connect")).bearer(&scene.user.token);
    for _ in 0..5 {
        let answer = site.send(&connect).await;
        assert_eq!(retry_after(&answer), 12 * 60, "the oldest has 12 minutes left");
        assert!(answer.text().starts_with("you have 3 connects with hello under way: "), "{}", answer.text());
        assert_eq!(answer.header("location"), None);
    }
    assert_eq!(scene.fake.calls_to("/oauth2/connect").len(), 4, "the App hears nothing of it");
    assert_eq!(refused(&scene), 5);
    assert_eq!(scene.open(&scene.user, &flow("other", "connect")).await.status, 307, "another App");
    assert_eq!(scene.connect(&stranger).await.status, 307, "another person");

    // Every flow that was open still is, and one that ends makes room.
    let query = |state: &str| format!("code=c&state={state}");
    assert_eq!(scene.complete(&stranger, &query(&foreign)).await.status, 200);
    assert_eq!(scene.complete(&scene.user, &query(&own[1])).await.status, 200);
    let next = scene.begin(&scene.user).await;
    is_honest(&scene, retry_after(&site.send(&connect).await), &connect).await;
    assert_eq!(
        said(&scene.complete(&scene.user, &query(&own[0])).await),
        (403, MISMATCH.to_owned()),
        "expired"
    );
    for state in [&own[2], &next] {
        assert_eq!(scene.complete(&scene.user, &query(state)).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_55_of_many_connects_at_once_no_more_than_the_limit_begin() {
    let scene = Scene::set_with(|config| config.limits.pending_flows = 7).await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let (site, ask) = (scene.site(), Ask::get(flow(APP, "connect")).bearer(&scene.user.token));
        racing.spawn(async move { site.send(&ask).await });
    }
    let answers = racing.join_all().await;
    let states: Vec<String> = answers.iter().filter(|answer| answer.status == 307).map(state_in).collect();
    assert_eq!(states.len(), 7);
    assert_eq!(answers.iter().filter(|answer| retry_after_or(answer, 307)).count(), 60);
    for state in states {
        assert_eq!(scene.complete(&scene.user, &format!("code=c&state={state}")).await.status, 200);
    }
}

/// Whether an answer is a 429 that says when, or has the other status.
fn retry_after_or(answer: &Answer, status: u16) -> bool {
    answer.status == status || retry_after(answer) > 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_55_a_browser_gets_a_page_that_says_what_to_do() {
    let scene = Scene::set_with(|config| config.limits.pending_flows = 2).await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    for _ in 0..2 {
        assert_eq!(browser.open(&flow(APP, "connect"), From::Here).await.status, 307);
    }
    let page = browser.open(&flow(APP, "connect"), From::Here).await;
    assert_eq!(retry_after(&page), 15 * 60);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    for told in
        ["you have 2 connects with hello under way", "what you began before goes on", "Too much at once"]
    {
        assert!(page.text().contains(told), "{told}: {}", page.text());
    }
    assert_eq!((browser.flows().len(), page.header("set-cookie")), (2, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_55_an_app_that_fails_leaves_no_open_flow_behind() {
    let scene = Scene::set_with(|config| config.limits.pending_flows = 2).await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    for answer in
        [json!({"type": "error", "text": "boom"}), json!({"type": "ok", "data": "javascript:alert(1)"})]
    {
        scene.fake.answer("/oauth2/connect", AppAnswer::Json(answer));
        for _ in 0..3 {
            let failed = browser.open(&flow(APP, "connect"), From::Here).await;
            assert!(matches!(failed.status, 500 | 502), "{}", failed.text());
        }
    }
    scene.fake.leads_to_a_provider();
    for _ in 0..2 {
        assert_eq!(browser.open(&flow(APP, "connect"), From::Here).await.status, 307);
    }
    assert_eq!(scene.server.connect.sweep().await.unwrap(), 0);
    scene.server.clock.advance_ms(15 * 60 * 1000);
    assert_eq!(scene.server.connect.sweep().await.unwrap(), 2, "only those that began");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_55_connects_are_bounded_per_minute_and_person() {
    let scene = Scene::set_with(|config| config.limits.connects_per_minute = 4).await;
    let site = scene.site();
    site.install(&scene.admin, &scene.fake.manifest("other", &PERMISSIONS)).await;
    let stranger = site.sign_in("user-2").await;
    let first = scene.begin(&scene.user).await;
    for _ in 0..3 {
        scene.begin(&scene.user).await;
    }
    let entries = scene.server.audit().len();
    let connect = Ask::get(flow(APP, "connect")).bearer(&scene.user.token);
    for app in [APP, "other", APP] {
        let answer = scene.open(&scene.user, &flow(app, "connect")).await;
        assert_eq!(retry_after(&answer), 15, "one each quarter of a minute");
        assert!(answer.text().starts_with("no more than 4 connects within a minute"), "{}", answer.text());
    }
    assert_eq!(scene.fake.calls_to("/oauth2/connect").len(), 4, "the App hears nothing of it");
    assert_eq!(scene.server.audit().len(), entries, "a flood does not fill the log");
    scene.begin(&stranger).await;
    is_honest(&scene, 15, &connect).await;
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={first}")).await.status, 200);
    // The confirm page begins nothing, so it is not counted; its form is.
    let mut browser = Browser::signed_in(site, "user-1").await;
    let page = browser.open(&flow(APP, "connect"), From::Elsewhere).await;
    assert_eq!(page.status, 200);
    let token = tessera_testkit::browser::form_token(&page);
    assert_eq!(retry_after(&browser.submit(&flow(APP, "connect"), &[("token", &token)]).await), 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_55_nobody_signed_in_makes_the_server_keep_only_callbacks_of_open_flows() {
    let scene = Scene::set_with(|config| config.limits.connects_per_minute = 4).await;
    let target = |app: &str, query: &str| format!("{}?{query}", flow(app, "complete"));
    let state = scene.begin(&scene.user).await;
    scene.site().install(&scene.admin, &scene.fake.manifest("other", &PERMISSIONS)).await;
    let open = async |target: String| Browser::new(scene.site()).open(&target, From::Elsewhere).await;
    for (app, query, status) in [
        (APP, format!("code=c&state=unknown.{}", scene.user.id), 403),
        (APP, "code=c&state=unknown".to_owned(), 403),
        (APP, "code=c".to_owned(), 401),
        (APP, String::new(), 401),
        ("other", format!("code=c&state={state}"), 403),
        (APP, format!("code=c&state={state}&state={state}"), 400),
    ] {
        let answer = open(target(app, &query)).await;
        assert_eq!(
            (answer.status, answer.header("set-cookie")),
            (status, None),
            "{query}: {}",
            answer.text()
        );
        assert!(answer.header("content-type").unwrap().starts_with("text/html"), "a page");
    }
    for _ in 0..4 {
        let parked = open(target(APP, &format!("code=c&state={state}"))).await;
        assert!(parked.status == 303 && parked.header("set-cookie").unwrap().starts_with("tessera-parked="));
    }
    let page = open(target(APP, &format!("code=c&state={state}"))).await;
    assert_eq!((retry_after(&page), page.header("set-cookie")), (15, None));
    scene.server.clock.advance_ms(14 * 60 * 1000);
    assert_eq!(open(target(APP, &format!("code=c&state={state}"))).await.status, 303);
    scene.server.clock.advance_ms(60 * 1000);
    assert_eq!(open(target(APP, &format!("code=c&state={state}"))).await.status, 403, "expired");
    assert_eq!(scene.server.connect.sweep().await.unwrap(), 1 + 4, "the flow, and what was parked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_55_a_second_look_at_the_bare_address_keeps_the_parked_callback() {
    let scene = Scene::set().await;
    let bare = flow(APP, "complete");
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let begun = browser.open(&flow(APP, "connect"), From::Here).await;
    browser.forget("MMAUTHTOKEN");
    let callback = format!("{bare}?code=c&state={}", state_in(&begun));
    assert_eq!(browser.open(&callback, From::Elsewhere).await.status, 303);
    let again = browser.open(&bare, From::Nowhere).await;
    assert_eq!((again.status, browser.place(&again)), (303, format!("/login?return_to={bare}")));
    browser.sign_in("user-1", &bare).await;
    assert_eq!(browser.open(&bare, From::Here).await.status, 200);
}
