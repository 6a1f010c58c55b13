//! C-SA: an App's static files, through the site.

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::wire::{Answer, Ask};

use crate::stage::{APP, Stage};

/// A PNG's first bytes, and some that no text has.
const ICON: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff\xfe";

async fn with_icon() -> Stage {
    let stage = Stage::set().await;
    let icon = AppAnswer::Raw(StatusCode::OK, "image/png", Bytes::from_static(ICON));
    stage.fake.answer("/static/icon.png", icon);
    let mut manifest = stage.manifest();
    manifest["icon"] = json!("icon.png");
    stage.site.install(&stage.admin, &manifest).await;
    stage
}

async fn get(stage: &Stage, name: &str) -> Answer {
    let path = format!("/plugins/com.mattermost.apps/apps/{APP}/static/{name}");
    stage.site.send(&Ask::get(path).bearer(&stage.user.token)).await
}

#[tokio::test]
async fn c_sa_01_an_icon_has_the_exact_bytes() {
    let stage = with_icon().await;
    let answer = get(&stage, "icon.png").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, ICON));
    assert_eq!(answer.header("content-type"), Some("image/png"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn c_sa_02_a_disabled_app_has_its_icon() {
    let stage = with_icon().await;
    assert_eq!(stage.admin("/disable-app", &Stage::which()).await.status, 200);
    let answer = get(&stage, "icon.png").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, ICON));
}

#[tokio::test]
async fn status_and_body_are_the_apps_and_names_are_cleaned() {
    let stage = with_icon().await;
    let page = |status, text: &'static str| AppAnswer::Raw(status, "", Bytes::from_static(text.as_bytes()));
    stage.fake.answer("/static/gone", page(StatusCode::NOT_FOUND, "<b>no such thing</b>"));
    let answer = get(&stage, "gone").await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "<b>no such thing</b>"));
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"), "not for a browser to guess");
    stage.fake.answer("/static/a/b.txt", page(StatusCode::OK, "deep"));
    assert_eq!(get(&stage, "a/b.txt").await.text(), "deep");
    assert_eq!(get(&stage, "a/x/%2e%2e/b.txt").await.text(), "deep");
    for (name, shown) in [("%252e%252e", ".."), ("..%252f..%252fm", "../../m"), ("%2e", ".")] {
        let before = stage.fake.calls().len();
        let answer = get(&stage, name).await;
        assert_eq!(
            (answer.status, answer.text()),
            (400, format!("bad path: \"{shown}\": invalid input\n")),
            "{name}"
        );
        assert_eq!(stage.fake.calls().len(), before, "the App is not asked");
    }
}

#[tokio::test]
async fn files_are_for_people_of_the_site_and_apps_that_are_there() {
    let stage = with_icon().await;
    let path = format!("/plugins/com.mattermost.apps/apps/{APP}/static/icon.png");
    assert_eq!(stage.site.send(&Ask::get(path)).await.text(), "user ID is required: unauthorized\n");
    let ask = Ask::get("/plugins/com.mattermost.apps/apps/nobody/static/icon.png").bearer(&stage.user.token);
    let answer = stage.site.send(&ask).await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "app nobody is not installed: not found\n"));
    stage.fake.answer("/static/icon.png", AppAnswer::Close);
    let answer = get(&stage, "icon.png").await;
    let start = format!("failed to fetch: {}/static/icon.png, error: ", stage.fake.root_url());
    assert!(answer.status == 500 && answer.text().starts_with(&start), "{}", answer.text());
}
