use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tessera_types::AppId;
use tower::ServiceExt as _;

use super::*;
use crate::platform::standalone::fixture::{Fixture, PASSWORD};
use crate::platform::{Audience, Event, Platform as _, REFRESH_BINDINGS};

mod shapes;
mod socket;

/// A client of the routes: who asks is in its headers.
struct Client {
    router: Router,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    fn anonymous(fixture: &Fixture) -> Self {
        Self { router: router(Arc::clone(&fixture.site)), headers: Vec::new() }
    }

    async fn of(fixture: &Fixture, name: &str) -> Self {
        let token = fixture.sign_in(name).await;
        Self::anonymous(fixture).with("authorization", format!("Bearer {}", token.expose()))
    }

    fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name, value.into()));
        Self { router: self.router.clone(), headers }
    }

    async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Response {
        let mut request = Request::builder().method(method).uri(format!("/api/v4/{path}"));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap()
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        read(self.send(method, path, body).await).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.json("GET", path, Value::Null).await
    }

    async fn ok(&self, path: &str) -> Value {
        let (status, value) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {value}");
        value
    }
}

async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn cookies(response: &Response) -> Vec<String> {
    let all = response.headers().get_all(header::SET_COOKIE);
    all.iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
}

fn login(name: &str, password: &str) -> String {
    json!({"login_id": name, "password": password}).to_string()
}

#[tokio::test]
async fn signing_in_gives_user_token_and_cookies_and_signing_out_ends_it() {
    let fixture = Fixture::new().await;
    let anonymous = Client::anonymous(&fixture);
    let response = anonymous.send("POST", "users/login", login("user-1", PASSWORD)).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(
        response.headers().contains_key("x-request-id") && response.headers().contains_key("x-version-id")
    );
    let token = response.headers()["token"].to_str().unwrap().to_owned();
    let [session, user, csrf] = cookies(&response).try_into().unwrap();
    assert_eq!(session, format!("MMAUTHTOKEN={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"));
    assert!(user.starts_with("MMUSERID=") && csrf.starts_with("MMCSRF="));
    let (status, body) = read(response).await;
    assert_eq!((status, body["username"].as_str()), (StatusCode::OK, Some("user-1")));
    assert!(body.get("password").is_none());

    for scheme in ["Bearer", "BEARER", "bearer", "token", "Token"] {
        let me = anonymous.with("authorization", format!("{scheme} {token}")).ok("users/me").await;
        assert_eq!(me["id"], body["id"]);
    }
    let bearer = anonymous.with("authorization", format!("token {token}"));
    assert_eq!(bearer.json("POST", "users/logout", Value::Null).await.1, json!({"status": "OK"}));
    assert_eq!(bearer.get("users/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn errors_have_mattermosts_shape() {
    let fixture = Fixture::new().await;
    let response = Client::anonymous(&fixture).send("GET", "users/me", "").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let (status, body) = read(response).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        body,
        json!({
            "id": "api.context.session_expired.app_error",
            "message": "Invalid or expired session, please login again.",
            "detailed_error": "", "request_id": id, "status_code": 401,
        })
    );
    let user = Client::of(&fixture, "user-1").await;
    for (path, status, id) in [
        ("nothing", 404, "api.context.404.app_error"),
        ("users/x", 400, "api.context.invalid_url_param.app_error"),
        ("users/aaaaaaaaaaaaaaaaaaaaaaaaaa", 404, "app.user.missing_account.const"),
        ("users/username/nobody", 404, "app.user.missing_account.const"),
        ("teams/aaaaaaaaaaaaaaaaaaaaaaaaaa", 404, "app.team.get.find.app_error"),
        ("channels/aaaaaaaaaaaaaaaaaaaaaaaaaa", 404, "app.channel.get.existing.app_error"),
        ("posts/aaaaaaaaaaaaaaaaaaaaaaaaaa", 404, "app.post.get.app_error"),
    ] {
        let (got, body) = user.get(path).await;
        assert_eq!(
            (got.as_u16(), body["id"].as_str(), body["status_code"].as_u64()),
            (status, Some(id), Some(status.into())),
            "{path}"
        );
    }
    assert_eq!(user.send("PATCH", "users/me", "").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    for (method, path) in
        [("POST", "users/login"), ("POST", "users/ids"), ("POST", "posts"), ("POST", "channels/direct")]
    {
        for body in ["", "{", "1", "\u{0}", "[1,", "\"x\"", "[{}]"] {
            let status = user.send(method, path, body).await.status();
            assert!(
                status == StatusCode::BAD_REQUEST || status == StatusCode::UNAUTHORIZED,
                "{path} {body}: {status}"
            );
        }
        let status = user.send(method, path, vec![b' '; LARGEST + 1]).await.status();
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
}

#[tokio::test]
async fn wrong_passwords_are_401_and_too_many_429() {
    let fixture = Fixture::new().await;
    let anonymous = Client::anonymous(&fixture);
    for _ in 0..5 {
        let (status, body) =
            read(anonymous.send("POST", "users/login", login("user-1", "wrong")).await).await;
        assert_eq!((status, &body["status_code"]), (StatusCode::UNAUTHORIZED, &json!(401)));
    }
    let response = anonymous.send("POST", "users/login", login("user-1", PASSWORD)).await;
    assert!(cookies(&response).is_empty());
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn another_sites_page_may_not_sign_a_browser_in() {
    let fixture = Fixture::new().await;
    let anonymous = Client::anonymous(&fixture).with("host", "localhost:8065");
    for (origin, status) in [
        ("http://localhost:8065", StatusCode::OK),
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
    ] {
        let response =
            anonymous.with("origin", origin).send("POST", "users/login", login("user-1", PASSWORD)).await;
        assert_eq!(response.status(), status, "{origin}");
    }
}

#[tokio::test]
async fn os_52_only_headers_and_cookies_carry_a_token() {
    let fixture = Fixture::new().await;
    let token = fixture.sign_in("user-1").await;
    let anonymous = Client::anonymous(&fixture);
    let token = token.expose();
    assert_eq!(anonymous.get(&format!("users/me?access_token={token}")).await.0, StatusCode::UNAUTHORIZED);
    for value in [format!("Basic {token}"), token.to_owned(), "Bearer ".to_owned(), format!("Bearer{token}")]
    {
        let client = anonymous.with("authorization", value.clone());
        assert_eq!(client.get("users/me").await.0, StatusCode::UNAUTHORIZED, "{value}");
    }
    // A header of another scheme counts as absent, so the cookie speaks.
    let cookie = anonymous.with("cookie", format!("a=b; MMAUTHTOKEN={token}"));
    assert_eq!(cookie.get("users/me").await.0, StatusCode::OK);
    assert_eq!(cookie.with("authorization", "Basic x").get("users/me").await.0, StatusCode::OK);
    assert_eq!(cookie.with("authorization", "Bearer x").get("users/me").await.0, StatusCode::UNAUTHORIZED);
    // Who someone is, is never taken from headers that only a host may set.
    let id = fixture.user("user-1").await.id;
    assert_eq!(anonymous.with("mattermost-user-id", id).get("users/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn cookies_that_change_something_need_a_proof() {
    let fixture = Fixture::new().await;
    let anonymous = Client::anonymous(&fixture);
    let response = anonymous.send("POST", "users/login", login("user-1", PASSWORD)).await;
    let pairs: Vec<String> =
        cookies(&response).iter().map(|cookie| cookie.split(';').next().unwrap().to_owned()).collect();
    let csrf = pairs[2].strip_prefix("MMCSRF=").unwrap().to_owned();
    let cookie = anonymous.with("cookie", pairs.join("; "));
    let ids = json!([fixture.user("user-1").await.id, fixture.user("user-2").await.id]);
    for (client, status) in [
        (cookie.with("x-csrf-token", csrf.clone()), StatusCode::CREATED),
        (cookie.with("x-requested-with", "XMLHttpRequest"), StatusCode::CREATED),
        (cookie.with("x-csrf-token", "wrong"), StatusCode::UNAUTHORIZED),
        (
            cookie.with("x-csrf-token", "wrong").with("x-requested-with", "XMLHttpRequest"),
            StatusCode::UNAUTHORIZED,
        ),
        (cookie.with("x-requested-with", "other"), StatusCode::UNAUTHORIZED),
        (cookie.with("referer", "http://localhost:8065/"), StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(
            client.json("POST", "channels/direct", ids.clone()).await.0,
            status,
            "{:?}",
            client.headers
        );
    }
    // Signing out without the proof ends nothing.
    cookie.json("POST", "users/logout", Value::Null).await;
    assert_eq!(cookie.get("users/me").await.0, StatusCode::OK);
    let response = cookie.with("x-csrf-token", csrf).send("POST", "users/logout", "").await;
    assert!(cookies(&response).iter().all(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(cookie.get("users/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn people_teams_and_channels_are_read_as_clients_do() {
    let fixture = Fixture::new().await;
    let user = Client::of(&fixture, "user-1").await;
    let me = user.ok("users/me").await;
    let (id, other) = (me["id"].as_str().unwrap(), user.ok("users/username/USER-2").await);
    assert_eq!(user.ok(&format!("users/{id}")).await, me);
    assert_eq!(me["email_verified"], json!(true));
    assert!(other.get("email_verified").is_none());
    let ids = json!([other["id"], "aaaaaaaaaaaaaaaaaaaaaaaaaa", id]);
    let (status, users) = user.json("POST", "users/ids", ids).await;
    let names: Vec<&str> =
        users.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!((status, names.as_slice()), (StatusCode::OK, ["user-2", "user-1"].as_slice()));
    let (_, roles) =
        user.json("POST", "roles/names", json!(["system_admin", "nothing", "system_user"])).await;
    assert!(roles[0]["permissions"].as_array().unwrap().contains(&json!("manage_system")));
    assert!(!roles[1]["permissions"].as_array().unwrap().contains(&json!("manage_system")));
    assert_eq!(roles.as_array().unwrap().len(), 2);

    let team = &user.ok("users/me/teams").await[0];
    let team_id = team["id"].as_str().unwrap();
    assert_eq!(user.ok(&format!("teams/{team_id}")).await, *team);
    assert_eq!(user.ok("teams/name/tessera").await, *team);
    assert_eq!(user.ok("users/me/teams/members").await[0]["team_id"], team["id"]);
    assert_eq!(user.ok(&format!("teams/{team_id}/members/me")).await["user_id"], me["id"]);
    let channels = user.ok(&format!("users/me/teams/{team_id}/channels")).await;
    assert_eq!(channels.as_array().unwrap().len(), 2);
    let channel = user.ok(&format!("teams/{team_id}/channels/name/town-square")).await;
    let channel_id = channel["id"].as_str().unwrap();
    assert_eq!(user.ok(&format!("channels/{channel_id}")).await, channel);
    assert_eq!(user.ok(&format!("channels/{channel_id}/members")).await.as_array().unwrap().len(), 3);
    assert_eq!(user.ok(&format!("channels/{channel_id}/members/me")).await["user_id"], me["id"]);
    assert_eq!(
        user.ok(&format!("users/me/teams/{team_id}/channels/members")).await.as_array().unwrap().len(),
        2
    );
    assert_eq!(user.ok("users/me/preferences").await, json!([]));
    // What is somebody else's own stays so.
    let of_other = format!("users/{}/teams", other["id"].as_str().unwrap());
    assert_eq!(user.get(&of_other).await.0, StatusCode::FORBIDDEN);
    assert_eq!(Client::of(&fixture, "sysadmin").await.get(&of_other).await.0, StatusCode::OK);

    let anonymous = Client::anonymous(&fixture);
    assert_eq!(anonymous.ok("system/ping").await["status"], "OK");
    let config = anonymous.ok("config/client?format=old").await;
    assert_eq!(config["SiteURL"], "http://localhost:8065");
    assert!(config.as_object().unwrap().values().all(Value::is_string));
}

#[tokio::test]
async fn a_bot_writes_to_a_person_with_the_token_of_its_app() {
    let fixture = Fixture::new().await;
    let bot = fixture.site.ensure_bot(&AppId::new("hello").unwrap(), "Hello").await.unwrap().user_id;
    let token = fixture.app_token("hello", &bot).await;
    let client = Client::anonymous(&fixture).with("authorization", format!("token {}", token.expose()));
    let user = fixture.user("user-1").await.id;
    let (status, direct) = client.json("POST", "channels/direct", json!([bot, user])).await;
    assert_eq!((status, &direct["type"]), (StatusCode::CREATED, &json!("D")));
    let (status, again) = client.json("POST", "channels/direct", json!([user, bot])).await;
    assert_eq!((status, &again["id"]), (StatusCode::CREATED, &direct["id"]));

    // Whatever a draft says, a post is from who sent it.
    let draft = json!({"channel_id": direct["id"], "message": "hi <b>", "user_id": user, "props": {"a": [1], "from_bot": "no"}});
    let (status, post) = client.json("POST", "posts", draft).await;
    assert_eq!((status, &post["user_id"]), (StatusCode::CREATED, &json!(bot)));
    assert_eq!(post["props"], json!({"a": [1], "from_bot": "true"}));
    let reply = json!({"channel_id": direct["id"], "message": "re", "root_id": post["id"]});
    let person = Client::of(&fixture, "user-1").await;
    let (status, reply) = person.json("POST", "posts", reply).await;
    assert_eq!((status, &reply["user_id"]), (StatusCode::CREATED, &json!(user)));

    let list = person.ok(&format!("channels/{}/posts", direct["id"].as_str().unwrap())).await;
    assert_eq!(list["order"].as_array().unwrap().len(), 2);
    let root = &list["posts"][post["id"].as_str().unwrap()];
    assert_eq!((&root["message"], &root["reply_count"]), (&json!("hi <b>"), &json!(1)));
    assert_eq!(person.ok(&format!("posts/{}", post["id"].as_str().unwrap())).await["id"], post["id"]);
    let outsider = Client::of(&fixture, "user-2").await;
    for path in ["channels/{}", "channels/{}/posts", "channels/{}/members"] {
        let path = path.replace("{}", direct["id"].as_str().unwrap());
        assert_eq!(outsider.get(&path).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    let foreign = outsider.json("POST", "channels/direct", json!([bot, user])).await;
    assert_eq!(foreign.0, StatusCode::FORBIDDEN);
    let one = client.json("POST", "channels/direct", json!([bot])).await;
    assert_eq!(one.0, StatusCode::BAD_REQUEST);
    // The App is switched off: its token is worth nothing at the next request.
    fixture.site.revoke_app_tokens(&AppId::new("hello").unwrap()).await.unwrap();
    assert_eq!(client.get("users/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_bot_that_was_let_in_reads_and_writes_in_channels() {
    let fixture = Fixture::new().await;
    let bot = fixture.site.ensure_bot(&AppId::new("hello").unwrap(), "Hello").await.unwrap().user_id;
    let token = fixture.app_token("hello", &bot).await;
    let client = Client::anonymous(&fixture).with("authorization", format!("token {}", token.expose()));
    let user = Client::of(&fixture, "user-1").await;
    let team = user.ok("teams/name/tessera").await["id"].as_str().unwrap().to_owned();
    let channel =
        user.ok(&format!("teams/{team}/channels/name/off-topic")).await["id"].as_str().unwrap().to_owned();
    let draft = json!({"channel_id": channel, "message": "hi"});
    assert_eq!(client.json("POST", "posts", draft.clone()).await.0, StatusCode::FORBIDDEN);
    let joining = json!({"team_id": team, "user_id": bot});
    let too_early = user.json("POST", &format!("channels/{channel}/members"), joining.clone()).await;
    assert_eq!(too_early.0, StatusCode::BAD_REQUEST);
    assert_eq!(
        user.json("POST", &format!("teams/{team}/members"), joining.clone()).await.0,
        StatusCode::CREATED
    );
    assert_eq!(client.json("POST", "posts", draft.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        user.json("POST", &format!("channels/{channel}/members"), joining).await.0,
        StatusCode::CREATED
    );
    assert_eq!(client.json("POST", "posts", draft).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn os_37_administrators_deactivate_and_demote_at_the_next_request() {
    let fixture = Fixture::new().await;
    let (admin, user) = (Client::of(&fixture, "sysadmin").await, Client::of(&fixture, "user-1").await);
    let id = fixture.user("user-1").await.id;
    let token = fixture.app_token("hello", &id).await;
    let app = Client::anonymous(&fixture).with("authorization", format!("Bearer {}", token.expose()));
    assert_eq!(app.get("users/me").await.0, StatusCode::OK);
    let active = format!("users/{id}/active");
    assert_eq!(user.json("PUT", &active, json!({"active": false})).await.0, StatusCode::FORBIDDEN);
    assert_eq!(admin.json("PUT", &active, json!({})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(admin.json("PUT", &active, json!({"active": false})).await.0, StatusCode::OK);
    for client in [&user, &app] {
        assert_eq!(client.get("users/me").await.0, StatusCode::UNAUTHORIZED);
    }
    assert!(admin.ok(&format!("users/{id}")).await["delete_at"].as_i64().unwrap() > 0);
    assert_eq!(admin.json("PUT", &active, json!({"active": true})).await.0, StatusCode::OK);
    assert_eq!(user.get("users/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(Client::of(&fixture, "user-1").await.get("users/me").await.0, StatusCode::OK);

    let roles = |roles: &str| json!({"roles": roles});
    assert_eq!(admin.json("PUT", "users/me/roles", roles("king")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(admin.json("PUT", "users/me/roles", roles("system_user")).await.0, StatusCode::OK);
    assert_eq!(admin.json("PUT", &active, json!({"active": false})).await.0, StatusCode::FORBIDDEN);
}
