//! What a token opens, what the metadata says, and starting and stopping.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tessera_simulator::Simulator;

use crate::browser::{Browser, http_client};
use crate::stage::{CALENDAR, CLIENT, REDIRECT, Stage, text};

#[tokio::test]
async fn each_account_has_its_own_calendars() {
    let stage = Stage::with(|builder| builder.account("linus", "simulator", "linus@home.example")).await;
    let mut lists = Vec::new();
    for name in ["ada", "grace", "linus"] {
        let tokens = stage.tokens(name, &[]).await;
        let (status, list) = stage.calendars(text(&tokens, "access_token")).await;
        assert_eq!(status, StatusCode::OK);
        lists.push(list);
    }
    let ids: Vec<_> = lists.iter().map(|list| text(&list["items"][0], "id")).collect();
    assert_eq!(ids, ["ada@simulator.example", "grace@simulator.example", "linus@home.example"]);
    let interests: Vec<_> = lists.iter().map(|list| text(&list["items"][1], "summary")).collect();
    assert_eq!(interests, ["Analytical Engine", "Compilers", "Projects of linus"]);
    assert!(lists.iter().all(|list| list["items"][1]["primary"] == false));
}

#[tokio::test]
async fn without_the_calendar_scope_the_list_is_forbidden() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[("scope", "email some.unknown.scope")]).await;
    let path = "/calendar/v3/users/me/calendarList";
    let (status, error, page) = stage.read(path, text(&tokens, "access_token")).await;
    assert_eq!((status, &error["error"]["code"]), (StatusCode::FORBIDDEN, &json!(403)));
    let challenge = "Bearer realm=\"simulator\", error=\"insufficient_scope\", scope=\"calendar\"";
    assert_eq!(page.header("www-authenticate"), challenge);
    assert_eq!(stage.simulator.resource_reads(), 0);
}

#[tokio::test]
async fn no_token_and_a_bad_token_are_told_apart() {
    let stage = Stage::new().await;
    for path in ["/calendar/v3/users/me/calendarList", "/userinfo"] {
        let (status, _, page) = stage.read(path, "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(page.header("www-authenticate"), "Bearer realm=\"simulator\"");
        let (status, error, page) = stage.read(path, "unknown").await;
        assert_eq!(
            (status, &error["error"]["status"]),
            (StatusCode::UNAUTHORIZED, &json!("UNAUTHENTICATED"))
        );
        assert!(page.header("www-authenticate").contains("error=\"invalid_token\""));
    }
}

#[tokio::test]
async fn userinfo_tells_what_the_scope_opens() {
    let stage = Stage::new().await;
    let google = "https://www.googleapis.com/auth/userinfo";
    let cases = [
        ("profile".to_owned(), json!({ "sub": "ada", "name": "ada" })),
        (
            "email".to_owned(),
            json!({ "sub": "ada", "email": "ada@simulator.example", "email_verified": true }),
        ),
        (
            format!("{google}.profile {google}.email"),
            json!({ "sub": "ada", "name": "ada", "email": "ada@simulator.example", "email_verified": true }),
        ),
    ];
    for (scope, expected) in cases {
        let tokens = stage.tokens("ada", &[("scope", &scope)]).await;
        let (status, claims, _) = stage.read("/userinfo", text(&tokens, "access_token")).await;
        assert_eq!((status, claims), (StatusCode::OK, expected), "{scope}");
    }
    let tokens = stage.tokens("ada", &[("scope", CALENDAR)]).await;
    let (status, _, _) = stage.read("/userinfo", text(&tokens, "access_token")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn metadata_names_endpoints_that_answer() {
    let stage = Stage::new().await;
    let (status, document, _) = stage.read("/.well-known/oauth-authorization-server", "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(text(&document, "issuer"), stage.simulator.url());
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    for (member, without_anything) in [
        ("authorization_endpoint", StatusCode::BAD_REQUEST),
        ("userinfo_endpoint", StatusCode::UNAUTHORIZED),
        ("token_endpoint", StatusCode::METHOD_NOT_ALLOWED),
        ("revocation_endpoint", StatusCode::METHOD_NOT_ALLOWED),
        ("device_authorization_endpoint", StatusCode::METHOD_NOT_ALLOWED),
        ("jwks_uri", StatusCode::OK),
    ] {
        let answer = http_client().get(text(&document, member)).send().await.unwrap();
        assert_eq!(answer.status(), without_anything, "{member}");
    }
}

#[tokio::test]
async fn a_client_can_be_added_while_running() {
    let stage = Stage::new().await;
    let late = [("client_id", "late"), ("redirect_uri", "http://localhost:1/late")];
    let page = stage.browser.get(&Stage::authorize_path(&late)).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    stage.simulator.add_client("late", "x", ["http://localhost:1/late"]);
    let page = stage.browser.get(&Stage::authorize_path(&late)).await;
    assert_eq!((page.status, page.action().as_str()), (StatusCode::OK, "/sign-in"));
}

#[tokio::test]
async fn the_router_serves_elsewhere_with_its_issuer_taken_from_the_host() {
    let simulator = Simulator::builder().client(CLIENT, "x", [REDIRECT]).build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let router = simulator.router();
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    let document = Browser::new(&site).get("/.well-known/oauth-authorization-server").await;
    let document: Value = serde_json::from_str(&document.body).unwrap();
    assert_eq!(text(&document, "issuer"), site);
    served.abort();
}

#[tokio::test]
async fn shutting_down_closes_the_door() {
    let stage = Stage::new().await;
    let url = format!("{}/userinfo", stage.simulator.url());
    let http = http_client();
    assert_eq!(http.get(&url).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    stage.simulator.shutdown().await;
    assert!(http.get(&url).send().await.unwrap_err().is_connect());
}
