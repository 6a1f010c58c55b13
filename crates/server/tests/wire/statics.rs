//! Static assets (sections 2.16 and 15.11).

use http::StatusCode;
use serde_json::json;
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::PLUGIN;
use tessera_testkit::wire::{Answer, Ask};

use crate::stage::Stage;

const APP: &str = "statictest";
const ICON: &[u8] = b"\x89PNG\r\n\x1a\n\0\x01\x02\xff\xfe";

async fn installed() -> Stage {
    let stage = Stage::set().await;
    stage.fake.answer("/static/icon.png", AppAnswer::Raw(StatusCode::OK, "image/png", ICON.into()));
    let mut manifest = stage.fake.manifest(APP, &["act_as_bot"]);
    manifest["icon"] = json!("icon.png");
    stage.site.install(&stage.admin, &manifest).await;
    stage
}

fn assert_icon(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_slice()), (200, ICON));
    assert_eq!(answer.header("content-type"), Some("image/png"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn c_sa_01_an_icon_arrives_byte_for_byte() {
    let stage = installed().await;
    assert_icon(&stage.asset(APP, "icon.png").await);
    assert!(stage.fake.calls_to("/static/icon.png").iter().all(|call| call.method == "GET"));
}

#[tokio::test]
async fn c_sa_02_of_a_disabled_app_too() {
    let stage = installed().await;
    stage.administer("/disable-app", APP).await;
    assert_icon(&stage.asset(APP, "icon.png").await);
}

#[tokio::test]
async fn assets_of_an_app_cannot_run_as_the_site() {
    let stage = installed().await;
    let page = AppAnswer::Raw(StatusCode::NOT_FOUND, "text/html", "<script>alert(1)</script>".into());
    stage.fake.answer("/static/a/b.html", page);
    stage.fake.answer("/static/c", AppAnswer::Raw(StatusCode::OK, "", "<html>".into()));
    stage.fake.answer("/static/d", AppAnswer::Raw(StatusCode::OK, "", ICON.into()));
    // Nested names are served, and the App's own 404 stays one (B-12).
    let answer = stage.asset(APP, "a/b.html").await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "<script>alert(1)</script>"));
    assert_eq!(answer.header("content-security-policy"), Some("sandbox; default-src 'none'"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    // Without a type: never a guess that makes a page of it (B-11).
    assert_eq!(stage.asset(APP, "c").await.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(stage.asset(APP, "d").await.header("content-type"), Some("image/png"));
}

#[tokio::test]
async fn names_that_leave_the_folder_are_refused() {
    let stage = installed().await;
    let before = stage.fake.calls().len();
    let names = ["%2E%2E", "%252e%252e", "a/%2e%2e/%2e%2e/x", "x%252f..%252f..%252fm", "%2F%2F%2E%2E/x"];
    for name in names {
        let answer = stage.asset(APP, name).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
        assert!(answer.text().starts_with("bad path: \""), "{}", answer.text());
        assert!(answer.text().ends_with(": invalid input\n"), "{}", answer.text());
    }
    assert_eq!(stage.asset(APP, "%252e%252e").await.text(), "bad path: \"..\": invalid input\n");
    // A name that is no URL once decoded: the text is the original's, which has no kind.
    let answer = stage.asset(APP, "100%2525").await;
    assert_eq!((answer.status, answer.text().as_str()), (400, "invalid URL escape \"%\"\n"));
    assert_eq!(stage.fake.calls().len(), before, "the App was asked");
}

#[tokio::test]
async fn who_may_and_what_there_is_not() {
    let stage = installed().await;
    let nobody = stage.site.send(&Ask::get(format!("{PLUGIN}/apps/{APP}/static/icon.png"))).await;
    assert_eq!((nobody.status, nobody.text().as_str()), (401, "user ID is required: unauthorized\n"));
    let answer = stage.asset("nobody", "icon.png").await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "app nobody is not installed: not found\n"));
    stage.fake.answer("/static/gone", AppAnswer::Close);
    let url = format!("{}/static/gone", stage.fake.root_url());
    let why = format!("Get \"{url}\": EOF");
    let answer = stage.asset(APP, "gone").await;
    assert_eq!(
        (answer.status, answer.text()),
        (500, format!("failed to fetch: {url}, error: {why}: {why}\n"))
    );
}

/// The route decodes once; what is left of a name keeps its spelling, as where the original fetches it.
#[tokio::test]
async fn a_name_is_fetched_as_it_is_spelt() {
    let stage = installed().await;
    for (name, target) in
        [("a%252fb", "/static/a%2fb"), ("a%2520b", "/static/a%20b"), ("a%20b", "/static/a%20b")]
    {
        assert_eq!(stage.asset(APP, name).await.status, 200);
        assert_eq!(stage.fake.calls().pop().unwrap().target, target, "{name}");
    }
}
