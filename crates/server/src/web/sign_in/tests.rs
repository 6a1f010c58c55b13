use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::platform::standalone::fixture::{Fixture, PASSWORD};

async fn get(fixture: &Fixture, query: &str) -> (Response, String) {
    let request = Request::get(format!("/login{query}")).body(Body::empty()).unwrap();
    split(router(Arc::clone(&fixture.site)).oneshot(request).await.unwrap()).await
}

async fn post(fixture: &Fixture, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> (Response, String) {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = Request::post("/login")
        .header("host", "localhost:8065")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(form)).unwrap();
    split(router(Arc::clone(&fixture.site)).oneshot(request).await.unwrap()).await
}

async fn split(response: Response) -> (Response, String) {
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    (Response::from_parts(parts, Body::empty()), text)
}

fn filled<'a>(name: &'a str, password: &'a str, return_to: &'a str) -> [(&'a str, &'a str); 3] {
    [("login_id", name), ("password", password), ("return_to", return_to)]
}

#[tokio::test]
async fn the_page_is_a_plain_form_that_nothing_may_frame_or_script() {
    let fixture = Fixture::new().await;
    let (response, html) = get(&fixture, "?return_to=%2Fa%3Fb%3D%26c").await;
    assert_eq!(response.status(), StatusCode::OK);
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
    // With `no-referrer` browsers would send `Origin: null` along with the form.
    assert_eq!(response.headers()["referrer-policy"], "same-origin");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(html.contains("<form method=\"post\" action=\"/login\">"));
    assert!(html.contains("name=\"return_to\" value=\"/a?b=&#38;c\""), "{html}");
    assert!(!html.contains("<script") && !html.contains(" src=") && !html.contains("http:"));
}

#[tokio::test]
async fn signing_in_sets_cookies_and_goes_back() {
    let fixture = Fixture::new().await;
    let own = [("origin", "http://localhost:8065"), ("sec-fetch-site", "same-origin")];
    for headers in [&own[..], &[]] {
        let (response, _) = post(&fixture, &filled("user-1", PASSWORD, "/plugins/a?b=c"), headers).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()["location"], "/plugins/a?b=c");
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies.len(), 4);
        // OS-17: whoever goes on to connect an account from here is asked first.
        assert!(cookies.iter().any(|cookie| cookie.as_bytes().starts_with(b"tessera-signed-in=1; ")));
    }
}

#[tokio::test]
async fn os_18_after_signing_in_a_browser_stays_on_this_site() {
    let fixture = Fixture::new().await;
    for evil in
        ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nb", ""]
    {
        let (response, _) = post(&fixture, &filled("user-1", PASSWORD, evil), &[]).await;
        assert_eq!(response.headers()["location"], "/", "{evil:?}");
    }
    let below = Fixture::at("http://localhost:8065/chat").await;
    for (return_to, place) in
        [("/chat/a", "/chat/a"), ("/other", "/chat/"), ("/chatter", "/chat/"), ("/chat?x", "/chat?x")]
    {
        let (response, _) = post(&below, &filled("user-1", PASSWORD, return_to), &[]).await;
        assert_eq!(response.headers()["location"], place);
    }
    assert!(get(&below, "").await.1.contains("action=\"/chat/login\""));
}

#[tokio::test]
async fn another_sites_form_signs_nobody_in() {
    let fixture = Fixture::new().await;
    for headers in [
        [("origin", "https://evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
    ] {
        let (response, html) = post(&fixture, &filled("user-1", PASSWORD, "/"), &headers).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{headers:?}");
        assert!(!response.headers().contains_key("set-cookie") && html.contains("another site"));
    }
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_again_without_it() {
    let fixture = Fixture::new().await;
    let (response, html) = post(&fixture, &filled("<user>", "hunter-2-hunter", "/back"), &[]).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(html.contains("Enter a valid email or username"));
    assert!(html.contains("value=\"&#60;user&#62;\"") && html.contains("value=\"/back\""), "{html}");
    assert!(!html.contains("hunter-2-hunter"));
    for _ in 0..5 {
        post(&fixture, &filled("user-1", "wrong", "/"), &[]).await;
    }
    let (response, _) = post(&fixture, &filled("user-1", PASSWORD, "/"), &[]).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let (response, _) = split({
        let request = Request::post("/login").body(Body::from("x")).unwrap();
        router(Arc::clone(&fixture.site)).oneshot(request).await.unwrap()
    })
    .await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}
