use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::{Query, Request};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use serde::Deserialize;
use tokio::net::TcpListener;

use super::*;

#[derive(Deserialize)]
struct To {
    status: u16,
    to: String,
}

/// Tells a request back: method, path and headers, one a line.
async fn echo(request: Request) -> String {
    let lines =
        request.headers().iter().map(|(name, value)| format!("\n{name}: {}", value.to_str().unwrap()));
    format!("{} {}{}", request.method(), request.uri(), lines.collect::<String>())
}

async fn lead(Query(To { status, to }): Query<To>) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::LOCATION, to), (header::SET_COOKIE, "led=1; Path=/".into())]).into_response()
}

#[derive(Deserialize)]
struct Asked {
    action: String,
    referrer: String,
    policy: String,
}

async fn form(Query(Asked { action, referrer, policy }): Query<Asked>) -> Response {
    let html =
        format!("<form method=post action='{action}'><input name=a value=b><button>Go</button></form>");
    ([(header::REFERRER_POLICY, referrer), (header::CONTENT_SECURITY_POLICY, policy)], Html(html))
        .into_response()
}

/// Serves on a port; returns the same place under two names, which browsers take for two sites.
async fn site() -> (Url, Url) {
    let routes = Router::new()
        .route("/echo", any(echo))
        .route("/lead", any(lead))
        .route("/form", get(form))
        .route("/loop", get(|| async { Redirect::to("/loop") }))
        .route("/nowhere", get(|| async { StatusCode::FOUND }));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let url = |host: &str| Url::parse(&format!("http://{host}:{port}")).unwrap();
    (url("localhost"), url("127.0.0.1"))
}

fn with(base: &Url, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = base.join(path).unwrap();
    url.query_pairs_mut().extend_pairs(query);
    url
}

/// Opens a page with a form and presses its button.
async fn press(site: &Url, action: &Url, referrer: &str, policy: &str) -> Result<Page, Error> {
    let mut browser = Browser::default();
    let query = [("action", action.as_str()), ("referrer", referrer), ("policy", policy)];
    let page = browser.open(with(site, "/form", &query)).await.unwrap();
    let form = page.form_with("Go").unwrap();
    browser.press(&page, &form, "Go").await
}

fn has(page: &Page, line: &str) -> bool {
    page.body.lines().any(|known| known == line)
}

#[tokio::test]
async fn a_typed_address_belongs_to_no_site_wherever_it_leads() {
    let (site, other) = site().await;
    let there = other.join("/echo").unwrap();
    let query = [("status", "302"), ("to", there.as_str())];
    let page = Browser::default().open(with(&site, "/lead", &query)).await.unwrap();
    for line in ["GET /echo", "sec-fetch-site: none", "sec-fetch-mode: navigate", "sec-fetch-dest: document"]
    {
        assert!(has(&page, line), "{line}: {}", page.body);
    }
    assert_eq!((page.hops.len(), page.hops[0].status, &page.hops[0].to), (1, StatusCode::FOUND, &there));
    // The cookie was the other host's.
    assert!(!page.body.contains("cookie:") && !page.body.contains("origin:"), "{}", page.body);
}

#[tokio::test]
async fn a_form_says_where_it_comes_from() {
    let (site, other) = site().await;
    let own = site.join("/echo").unwrap();
    let page = press(&site, &own, "same-origin", "default-src 'none'").await.unwrap();
    let origin = format!("origin: {}", site.origin().ascii_serialization());
    for line in ["POST /echo", &origin, "sec-fetch-site: same-origin", "content-length: 3"] {
        assert!(has(&page, line), "{line}: {}", page.body);
    }
    let page = press(&site, &own, "no-referrer", "default-src 'none'").await.unwrap();
    assert!(has(&page, "origin: null"), "{}", page.body);
    let page =
        press(&site, &other.join("/echo").unwrap(), "strict-origin", "default-src 'none'").await.unwrap();
    assert!(has(&page, &origin) && has(&page, "sec-fetch-site: cross-site"), "{}", page.body);
}

#[tokio::test]
async fn a_redirect_after_a_form_is_followed_as_its_status_says() {
    let (site, other) = site().await;
    let there = other.join("/echo").unwrap();
    let back = site.join("/echo").unwrap();
    let lead = |status: &str, to: &Url| with(&site, "/lead", &[("status", status), ("to", to.as_str())]);
    let page = press(&site, &lead("303", &there), "same-origin", "form-action *").await.unwrap();
    assert!(has(&page, "GET /echo") && has(&page, "sec-fetch-site: cross-site"), "{}", page.body);
    let page = press(&site, &lead("307", &there), "same-origin", "form-action *").await.unwrap();
    assert!(has(&page, "POST /echo") && has(&page, "origin: null"), "{}", page.body);
    let page = press(&site, &lead("303", &back), "same-origin", "form-action *").await.unwrap();
    assert!(has(&page, "cookie: led=1") && has(&page, "sec-fetch-site: same-origin"), "{}", page.body);
}

#[tokio::test]
async fn a_form_is_not_led_where_its_page_forbids() {
    let (site, other) = site().await;
    let there = other.join("/echo").unwrap();
    let action = with(&site, "/lead", &[("status", "303"), ("to", there.as_str())]);
    let blocked = press(&site, &action, "same-origin", "form-action 'self'").await.unwrap_err();
    assert!(matches!(blocked, Error::FormBlocked { .. }), "{blocked}");
}

#[tokio::test]
async fn what_leads_nowhere_is_told() {
    let (site, _) = site().await;
    let open = |url: Url| async move { Browser::default().open(url).await.unwrap_err() };
    let error = open(site.join("/loop").unwrap()).await;
    assert!(matches!(error, Error::TooManyRedirects(_)), "{error}");
    let error = open(site.join("/nowhere").unwrap()).await;
    assert!(matches!(error, Error::NoLocation(_)), "{error}");
    for away in ["http://192.0.2.1/?code=secret", "https://localhost/", "http://localhost.example/"] {
        let error = open(Url::parse(away).unwrap()).await.to_string();
        assert!(error.contains("stays on this machine") && !error.contains("secret"), "{error}");
    }
}
