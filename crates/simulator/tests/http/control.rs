//! The switches over HTTP: for this machine, and for no page from elsewhere.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::browser::{Page, http_client};
use crate::stage::{HELLO, Stage, text};

impl Stage {
    async fn quirks(&self, headers: &[(&str, &str)], body: Option<&str>) -> Page {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = http_client().request(method, format!("{}/quirks", self.simulator.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.unwrap_or_default().to_owned()).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, headers, body: response.text().await.unwrap() }
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn json_of(page: &Page) -> Value {
    serde_json::from_str(&page.body).unwrap()
}

#[tokio::test]
async fn switches_are_read_and_flipped_as_json_while_it_runs() {
    let stage = Stage::new().await;
    let before = json_of(&stage.quirks(&[], None).await);
    assert_eq!(before.as_object().unwrap().len(), 37, "two lives and 35 switches");
    assert_eq!((&before["token-life"], &before["html-502"]), (&json!(3600), &json!(false)));

    let change = json!({ "html-502": { "value": true, "times": 1 }, "rate-limited": 5, "token-life": 60 });
    let after = stage.quirks(&[JSON], Some(&change.to_string())).await;
    assert_eq!(after.status, StatusCode::OK, "{}", after.body);
    assert_eq!(json_of(&after)["html-502"], json!({ "value": true, "times": 1 }));
    assert_eq!(stage.refresh(HELLO, "x").await.0, StatusCode::BAD_GATEWAY);
    assert_eq!(json_of(&stage.quirks(&[], None).await)["html-502"], json!(false), "it has run down");
    assert_eq!(stage.refresh(HELLO, "x").await.0, StatusCode::TOO_MANY_REQUESTS);
    assert!(stage.quirks(&[JSON], Some(r#"{"rate-limited":null}"#)).await.status.is_success());
    assert_eq!(stage.tokens("ada", &[]).await["expires_in"], 60);

    for (body, told) in [
        (
            r#"{"html-503":true}"#,
            "there is no switch \"html-503\"; there are: token-life, code-life, form-reply,",
        ),
        (r#"{"no-ttl":true,"idle-death":"soon"}"#, "idle-death: "),
        ("no", "expected a JSON object"),
    ] {
        let refused = stage.quirks(&[JSON], Some(body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(text(&json_of(&refused), "error").starts_with(told), "{}", refused.body);
    }
    assert_eq!(json_of(&stage.quirks(&[], None).await)["no-ttl"], json!(false), "all of it or nothing");
}

#[tokio::test]
async fn the_page_shows_every_switch_and_flips_one() {
    let stage = Stage::set_up(&["reuse-grace=20", "form-reply*3"]).await;
    let page = stage.quirks(&[("accept", "text/html")], None).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    for shown in ["35 · callback-twice", "value=\"20\"", "value=\"true*3\"", "class=\"on\""] {
        assert!(page.body.contains(shown), "{shown} is not in {}", page.body);
    }
    let control = page.fields()["control"].clone();
    let post = async |name: &str, value: &str, set: &str| {
        let form = format!("control={control}&name={name}&value={value}&set={set}");
        stage.quirks(&[FORM], Some(&form)).await
    };
    let moved = post("string-ttl", "", "on").await;
    assert_eq!((moved.status, moved.location()), (StatusCode::SEE_OTHER, "/quirks#string-ttl"));
    assert_eq!(stage.tokens("ada", &[]).await.get("expires_in"), None, "a form, for now");
    assert_eq!(post("form-reply", "true*3", "off").await.status, StatusCode::SEE_OTHER);
    assert_eq!(stage.tokens("ada", &[]).await["expires_in"], "3600");
    let refused = post("reuse-grace", "<soon>", "on").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("role=\"alert\"") && !refused.body.contains("<soon>"), "{}", refused.body);
}

#[tokio::test]
async fn no_page_from_elsewhere_flips_a_switch() {
    let stage = Stage::new().await;
    let port = stage.simulator.url().rsplit(':').next().unwrap().to_owned();
    // A name that was rebound to this machine.
    let host = format!("evil.example:{port}");
    for (headers, body) in [
        (vec![("host", host.as_str())], None),
        (vec![("host", "127.0.0.1.evil.example"), JSON], Some(r#"{"no-ttl":true}"#)),
        (vec![("content-type", "text/plain")], Some(r#"{"no-ttl":true}"#)),
        (vec![FORM], Some("name=no-ttl&set=on")),
        (vec![FORM], Some("control=guessed&name=no-ttl&set=on")),
    ] {
        let refused = stage.quirks(&headers, body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?} {body:?}");
    }
    assert!(stage.simulator.behaviour().in_force().is_empty());
    for near in ["localhost", "LOCALHOST:1", "127.0.0.2:80", "[::1]:8080"] {
        assert_eq!(stage.quirks(&[("host", near)], None).await.status, StatusCode::OK, "{near}");
    }
}

/// In an axum of somebody else's nobody says who is there, so nobody may.
#[tokio::test]
async fn embedded_the_page_stays_shut() {
    let simulator = tessera_simulator::Simulator::builder().build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move { axum::serve(listener, simulator.router()).await });
    let reply = http_client().get(format!("http://{address}/quirks")).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::FORBIDDEN);
    served.abort();
}
