//! What every answer has, whoever gives it.

use tessera_testkit::site::{API, PLUGIN};
use tessera_testkit::wire::Ask;

use crate::stage::Stage;

#[tokio::test]
async fn every_401_says_how_to_authenticate() {
    let stage = Stage::set().await;
    stage.site.install(&stage.admin, &stage.fake.manifest("plain", &["act_as_user"])).await;
    let cookie = format!("MMAUTHTOKEN={}", stage.user.token);
    let connect = format!("{PLUGIN}/apps/plain/oauth2/remote/connect");
    for ask in [
        Ask::get(format!("{API}/apps/plain")),
        Ask::get("/api/v4/users/me"),
        Ask::post("/api/v4/users/login", r#"{"login_id":"user-1","password":"wrong"}"#),
        // A page, as the App may not use OAuth2.
        Ask::get(connect).with("Cookie", cookie).with("Accept", "text/html"),
        Ask::post("/login", "login_id=user-1&password=wrong")
            .with("Content-Type", "application/x-www-form-urlencoded"),
    ] {
        let answer = stage.site.send(&ask).await;
        assert_eq!(answer.status, 401, "{}: {answer:?}", ask.target);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}: {answer:?}", ask.target);
    }
}

#[tokio::test]
async fn errors_of_the_rest_api_are_json_also_where_no_handler_was_reached() {
    let stage = Stage::set().await;
    for (target, status) in [
        ("/api/v4/users/%FF", 404),
        ("/api/v4/users/%FF/teams", 404),
        ("/api/v4/users/username/%FF", 404),
        ("/api/v4/users/me/teams/%FF/channels", 404),
        ("/api/v4/teams/%FF/channels/name/a", 404),
        ("/api/v4/channels/%FF/posts", 404),
        ("/api/v4/posts/%FF", 404),
        ("/api/v4/websocket", 400),
    ] {
        let answer = stage.site.send(&Ask::get(target).bearer(&stage.user.token)).await;
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{target}: {answer:?}");
        assert_eq!(answer.json()["status_code"], status, "{target}");
    }
}

#[tokio::test]
async fn of_a_repeated_parameter_of_the_framework_the_first_counts() {
    let stage = Stage::set().await;
    let mut listing = stage.fake.manifest("one", &["act_as_bot"]);
    listing["Replace"] = true.into();
    let listed = stage.site.post(&stage.admin.token, "/update-app-listing", &listing).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    for (query, lines) in
        [("filter=one&filter=two", 1), ("filter=two&filter=one", 0), ("filter=&filter=two", 1)]
    {
        let answer = stage.open(&format!("/marketplace?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        assert_eq!(answer.json().as_array().unwrap().len(), lines, "{query}");
    }
}

#[tokio::test]
async fn preferences_are_ones_own() {
    let stage = Stage::set().await;
    let of = |user: &str| Ask::get(format!("/api/v4/users/{user}/preferences")).bearer(&stage.user.token);
    for (user, status) in
        [("me", 200), (stage.user.id.as_str(), 200), (stage.admin.id.as_str(), 403), ("x", 400)]
    {
        let answer = stage.site.send(&of(user)).await;
        assert_eq!(answer.status, status, "{user}: {}", answer.text());
    }
}
