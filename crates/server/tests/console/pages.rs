//! The development console as it is served; what it does, a browser shows.

use serde_json::json;
use tessera_testkit::wire::{Answer, Ask};

use crate::stage::Stage;

const MARKDOWN: &str = "/plugins/com.mattermost.apps/tessera/v1/console/markdown";

async fn get(stage: &Stage, path: &str) -> Answer {
    stage.site.send(&Ask::get(path).bearer(&stage.user.token)).await
}

/// What lies between these two, each time.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

#[tokio::test]
async fn the_front_page_is_the_console_once_signed_in() {
    let stage = Stage::set().await;
    let page = stage.site.send(&Ask::get("/")).await;
    assert!(page.status == 200 && page.text().contains("href=\"/login?"), "{}", page.text());
    assert!(!page.text().contains("console/"));
    let page = get(&stage, "/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("href=\"plugins/com.mattermost.apps/tessera/v1/accounts\""));
    let policy = page.header("content-security-policy").unwrap();
    // An App's static file is no script of the console.
    let own = format!("script-src http://localhost:{}/console/;", stage.site.address.port());
    for rule in ["default-src 'none'", &own, "connect-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn every_file_that_is_named_is_served_as_what_it_is() {
    let stage = Stage::set().await;
    let page = get(&stage, "/").await.text();
    let mut names: Vec<String> = between(&page, "\"console/", "\"").into_iter().map(str::to_owned).collect();
    let mut seen = Vec::new();
    while let Some(name) = names.pop() {
        let file = get(&stage, &format!("/console/{name}")).await;
        assert_eq!(file.status, 200, "{name}");
        let kind = if name.ends_with(".css") { "text/css" } else { "text/javascript" };
        assert!(file.header("content-type").unwrap().starts_with(kind), "{name}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        for import in between(&file.text(), "from \"./", "\"") {
            if !seen.iter().any(|known| known == import) {
                seen.push(import.to_owned());
                names.push(import.to_owned());
            }
        }
    }
    assert!(seen.len() >= 9, "{seen:?}");
    assert_eq!(get(&stage, "/console/nothing.js").await.status, 404);
    assert_eq!(get(&stage, "/console/..%2fmod.rs").await.status, 404);
}

#[tokio::test]
async fn markdown_is_made_safe_for_people_who_proved_who_they_are() {
    let stage = Stage::set().await;
    let given = json!({"text": "**a** <script>b</script> [c](javascript:d)"}).to_string();
    let answer = stage.site.send(&Ask::post(MARKDOWN, given.as_str()).bearer(&stage.user.token)).await;
    let html = answer.json()["html"].as_str().unwrap().to_owned();
    assert!(
        html.contains("<strong>a</strong>") && !html.contains("<script") && !html.contains("javascript:"),
        "{html}"
    );
    let answer = stage.site.send(&Ask::post(MARKDOWN, given.as_str())).await;
    assert_eq!(answer.status, 401);
    let cookie = format!("MMAUTHTOKEN={}", stage.user.token);
    let answer = stage.site.send(&Ask::post(MARKDOWN, given.as_str()).with("cookie", cookie)).await;
    assert_eq!(answer.status, 401, "a cookie alone proves nothing");
    let long = json!({"text": "x".repeat(70_000)}).to_string();
    let answer = stage.site.send(&Ask::post(MARKDOWN, long).bearer(&stage.user.token)).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
}
