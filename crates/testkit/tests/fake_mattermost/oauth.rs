//! The provider: where people agree, codes for tokens, refreshing, and what ends them.

use std::collections::HashMap;

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::wire::{Answer, Ask};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::{Scene, is, refused};

const CALLBACK: &str = "https://app.example.com/done?kept=1";
const FORM: &str = "application/x-www-form-urlencoded";

struct Client {
    id: String,
    secret: String,
}

fn query(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl Scene {
    async fn client(&self, more: Value) -> Client {
        self.mattermost.grant("system_admin", "manage_oauth");
        let mut body = json!({
            "name": "Hello", "description": "", "homepage": "https://app.example.com", "callback_urls": [CALLBACK],
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.post(&self.root, "/oauth/apps", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let text = |key: &str| made.json()[key].as_str().unwrap().to_owned();
        Client { id: text("id"), secret: text("client_secret") }
    }

    async fn authorize(&self, client: &Client, more: &[(&str, &str)], cookie: &str) -> Answer {
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", client.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("state", "s-1"),
        ];
        pairs.extend(more);
        let ask = Ask::get(format!("/oauth/authorize?{}", query(&pairs)));
        self.send(&if cookie.is_empty() { ask } else { ask.with("Cookie", cookie) }).await
    }

    /// A code for Ada, who is not asked.
    async fn code(&self, client: &Client, more: &[(&str, &str)]) -> String {
        code(&self.authorize(client, more, &cookie(self)).await)
    }

    async fn token(&self, client: &Client, more: &[(&str, &str)]) -> Answer {
        let mut pairs = vec![("client_id", client.id.as_str())];
        if !client.secret.is_empty() {
            pairs.push(("client_secret", &client.secret));
        }
        pairs.extend(more);
        self.send(&Ask::post("/oauth/access_token", query(&pairs)).with("Content-Type", FORM)).await
    }

    async fn exchange(&self, client: &Client, code: &str) -> Answer {
        let pairs = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
        self.token(client, &pairs).await
    }

    async fn refresh(&self, client: &Client, refresh: &str) -> Answer {
        self.token(client, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await
    }
}

fn cookie(scene: &Scene) -> String {
    format!("MMAUTHTOKEN={}", scene.token)
}

/// The code that a redirect brings, and that all else is as it should be.
fn code(answer: &Answer) -> String {
    assert_eq!(answer.status, 302, "{}", answer.text());
    let to = Url::parse(answer.header("location").unwrap()).unwrap();
    let pairs: HashMap<_, _> = to.query_pairs().into_owned().collect();
    assert_eq!((pairs["kept"].as_str(), pairs["state"].as_str()), ("1", "s-1"));
    pairs["code"].clone()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_trusted_client_gets_its_code_without_a_question() {
    let scene = Scene::of(Version::V11_6).await;
    let client = scene.client(json!({"is_trusted": true})).await;
    // Signed out: to the sign-in page, and what was wanted comes along.
    let out = scene.authorize(&client, &[], "").await;
    let location = out.header("location").unwrap();
    assert!(
        location.contains("/login?redirect_to=%2Foauth%2Fauthorize%3Fresponse_type%3Dcode"),
        "{location}"
    );
    let code = scene.code(&client, &[]).await;
    let answer = scene.exchange(&client, &code).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{}", answer.text());
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(2_592_000)));
    let token = text(&tokens, "access_token");
    assert_eq!(scene.get(&token, "/users/me").await.json()["id"], scene.ada.as_str());
    // Once, and never again.
    let again = scene.exchange(&client, &code).await;
    assert_eq!(refused(&again), is(400, "api.oauth.get_access_token.expired_code.app_error"));
    // A client's token makes no tokens.
    let own = format!("/users/{}/tokens", scene.ada);
    scene.mattermost.set_roles(&scene.ada, "system_user system_user_access_token");
    assert_eq!(scene.post(&token, &own, json!({"description": "x"})).await.status, 403);
}

#[tokio::test]
async fn any_other_client_asks_once() {
    let scene = Scene::of(Version::V10_11).await;
    let client = scene.client(json!({})).await;
    let session = scene.mattermost.session(&scene.ada);
    let cookie = format!("MMAUTHTOKEN={}", session.token);
    let page = scene.authorize(&client, &[], &cookie).await;
    assert!(page.status == 200 && page.text().contains("Authorize Hello"), "{}", page.text());
    let fields = |decision: &str, csrf: &str| {
        query(&[
            ("response_type", "code"),
            ("client_id", &client.id),
            ("redirect_uri", CALLBACK),
            ("state", "s-1"),
            ("csrf", csrf),
            ("decision", decision),
        ])
    };
    let form = async |body: String| {
        let ask = Ask::post("/oauth/authorize", body).with("Cookie", &cookie);
        scene.send(&ask.with("Content-Type", FORM)).await
    };
    let denied = form(fields("deny", &session.csrf)).await;
    assert!(denied.header("location").unwrap().ends_with("error=access_denied"));
    assert_eq!(form(fields("allow", "forged")).await.status, 401);
    code(&form(fields("allow", &session.csrf)).await);
    // From now on there is no question.
    code(&scene.authorize(&client, &[], &cookie).await);
    // As Mattermost's client says it.
    let body = json!({
        "response_type": "code", "client_id": client.id, "redirect_uri": CALLBACK, "state": "s-1", "scope": "",
    });
    let ask = Ask::post("/oauth/authorize", body.to_string()).with("Cookie", &cookie);
    assert_eq!(scene.send(&ask).await.status, 401, "it must prove that it is meant");
    let said = scene.send(&ask.with("X-CSRF-Token", &session.csrf)).await;
    assert!(text(&said.json(), "redirect").contains("code="), "{}", said.text());
}

#[tokio::test]
async fn whoever_has_a_token_already_gets_that_one_again() {
    let scene = Scene::of(Version::V11_6).await;
    let client = scene.client(json!({"is_trusted": true})).await;
    let first = scene.code(&client, &[]).await;
    let first = scene.exchange(&client, &first).await.json();
    scene.mattermost.advance_ms(60_000);
    let second = scene.code(&client, &[]).await;
    let second = scene.exchange(&client, &second).await.json();
    assert_eq!(first["access_token"], second["access_token"]);
    assert_eq!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(second["expires_in"], 2_592_000 - 60);
}

#[tokio::test]
async fn a_refresh_brings_a_new_pair_and_the_old_token_is_known_for_a_while() {
    let scene = Scene::of(Version::V11_6).await;
    let client = scene.client(json!({"is_trusted": true})).await;
    let code = scene.code(&client, &[]).await;
    let first = scene.exchange(&client, &code).await.json();
    let (old, refresh) = (text(&first, "access_token"), text(&first, "refresh_token"));
    let second = scene.refresh(&client, &refresh).await;
    assert_eq!((second.status, second.json()["expires_in"].clone()), (200, json!(2_592_000)));
    let new = text(&second.json(), "access_token");
    let known = async |token: &str| scene.get(token, "/users/me").await.status;
    assert_eq!((known(&old).await, known(&new).await), (200, 200));
    let again = scene.refresh(&client, &refresh).await;
    assert_eq!(refused(&again), is(404, "api.oauth.get_access_token.refresh_token.app_error"));
    scene.mattermost.advance_ms(31 * 60_000);
    assert_eq!((known(&old).await, known(&new).await), (401, 200));
    // Thirty days later it has ended, and its refresh token has not.
    scene.mattermost.advance_ms(30 * 86_400_000);
    assert_eq!(known(&new).await, 401);
    assert_eq!(scene.refresh(&client, &text(&second.json(), "refresh_token")).await.status, 200);
    // Who is deactivated has no tokens left, nor anything to get new ones with.
    let refresh = scene.mattermost.refresh_tokens().pop().unwrap();
    scene.mattermost.deactivate(&scene.ada);
    assert_eq!(scene.refresh(&client, &refresh).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_is_named_as_mattermost_names_it() {
    let scene = Scene::of(Version::V6_7).await;
    let client = scene.client(json!({"is_trusted": true})).await;
    let wrong = |what: &str| format!("api.oauth.get_access_token.{what}.app_error");
    let stranger = Client { id: "a".repeat(26), secret: "x".to_owned() };
    let liar = Client { id: client.id.clone(), secret: "wrong".to_owned() };
    let nobody = Client { id: "short".to_owned(), secret: "x".to_owned() };
    let secretless = Client { id: client.id.clone(), secret: String::new() };
    let code = scene.code(&client, &[]).await;
    let with_code = [("grant_type", "authorization_code"), ("code", code.as_str())];
    for (client, pairs, expected) in [
        (&client, vec![("grant_type", "password")], is(400, &wrong("bad_grant"))),
        (&client, vec![("grant_type", "authorization_code")], is(400, &wrong("missing_code"))),
        (&client, vec![("grant_type", "refresh_token")], is(400, &wrong("missing_refresh_token"))),
        (&nobody, with_code.to_vec(), is(400, &wrong("bad_client_id"))),
        (&secretless, with_code.to_vec(), is(400, &wrong("bad_client_secret"))),
        (&stranger, with_code.to_vec(), is(404, &wrong("credentials"))),
        (&liar, with_code.to_vec(), is(403, &wrong("credentials"))),
        (&client, with_code.to_vec(), is(400, &wrong("redirect_uri"))),
    ] {
        assert_eq!(refused(&scene.token(client, &pairs).await), expected);
    }
    scene.mattermost.advance_ms(10 * 60_000);
    assert_eq!(refused(&scene.exchange(&client, &code).await), is(403, &wrong("expired_code")));
    scene.mattermost.set("ServiceSettings.EnableOAuthServiceProvider", false);
    assert_eq!(refused(&scene.exchange(&client, &code).await), is(501, &wrong("disabled")));
    assert_eq!(scene.authorize(&client, &[], &cookie(&scene)).await.status, 501);
    let off = scene.get(&scene.root, &format!("/oauth/apps/{}", client.id)).await;
    assert_eq!(refused(&off), is(501, "api.oauth.allow_oauth.turn_off.app_error"));
}

#[tokio::test]
async fn an_address_that_was_not_registered_is_led_to_by_nobody() {
    let scene = Scene::of(Version::V11_6).await;
    let other = json!({"is_trusted": true, "callback_urls": ["https://app.example.com/other"]});
    let client = scene.client(other).await;
    let answer = scene.authorize(&client, &[], &cookie(&scene)).await;
    assert_eq!((answer.status, answer.header("location")), (400, None));
    assert!(answer.text().contains("did not match registered callback_url"), "{}", answer.text());
}

#[tokio::test]
async fn pkce_is_enforced_where_it_is_used_from_11_2_on() {
    let verifier = "v".repeat(43);
    let digest = Sha256::digest(verifier.as_bytes());
    let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    let with = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    let get = async |scene: &Scene, client: &Client, verifier: &str| {
        let code = scene.code(client, &with).await;
        let mut pairs =
            vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        if !verifier.is_empty() {
            pairs.push(("code_verifier", verifier));
        }
        scene.token(client, &pairs).await
    };
    for (version, enforced) in [(Version::V10_11, false), (Version::V11_6, true)] {
        let scene = Scene::of(version).await;
        let client = scene.client(json!({"is_trusted": true})).await;
        let missing = get(&scene, &client, "").await;
        assert_eq!(missing.status, if enforced { 400 } else { 200 }, "{}", missing.text());
        if enforced {
            let id = "model.authorize.validate_pkce.verification_failed.app_error";
            assert_eq!(refused(&get(&scene, &client, &"w".repeat(43)).await), is(400, id));
            assert_eq!(get(&scene, &client, &verifier).await.status, 200);
            let plain = [("code_challenge", challenge.as_str()), ("code_challenge_method", "plain")];
            assert_eq!(scene.authorize(&client, &plain, &cookie(&scene)).await.status, 400);
        }
    }
    // A public client has no secret, must use it, and refreshes nothing.
    let scene = Scene::of(Version::V11_6).await;
    let client = scene.client(json!({"is_trusted": true, "is_public": true})).await;
    assert_eq!(client.secret, "");
    assert_eq!(scene.authorize(&client, &[], &cookie(&scene)).await.status, 400);
    let tokens = get(&scene, &client, &verifier).await;
    assert!(tokens.status == 200 && tokens.json().get("refresh_token").is_none(), "{}", tokens.text());
}

#[tokio::test]
async fn the_app_s_id_is_taken_where_the_version_takes_it_and_copied_to_sessions() {
    for (version, at_first) in [(Version::V6_7, "hello"), (Version::V11_1, "hello"), (Version::V11_6, "")] {
        let scene = Scene::of(version).await;
        let client = scene.client(json!({"is_trusted": true, "mattermost_app_id": "hello"})).await;
        let path = format!("/oauth/apps/{}", client.id);
        let mut app = scene.get(&scene.root, &path).await.json();
        assert_eq!(app["mattermost_app_id"], at_first, "{version}");
        app["mattermost_app_id"] = json!("hello");
        let changed = scene.put(&scene.root, &path, app.clone()).await;
        assert_eq!(changed.json()["mattermost_app_id"], "hello", "{}", changed.text());
        assert_eq!(changed.json()["client_secret"], client.secret.as_str());
        app["id"] = json!("");
        assert_eq!(scene.put(&scene.root, &path, app).await.status, 400, "the whole object, id included");
        let code = scene.code(&client, &[]).await;
        let token = text(&scene.exchange(&client, &code).await.json(), "access_token");
        let sessions = scene.get(&token, "/users/me/sessions").await.json();
        let of_client = sessions.as_array().unwrap().iter().find(|one| one["is_oauth"] == true).unwrap();
        let props = &of_client["props"];
        assert_eq!((&props["mattermost_app_id"], &props["platform"]), (&json!("hello"), &json!("Hello")));
        assert_eq!((&props["oauth_app_id"], &of_client["token"]), (&json!(client.id), &json!("")));
        // An administrator ends it by its id.
        let body = json!({"session_id": of_client["id"]});
        let ended = scene.post(&scene.root, &format!("/users/{}/sessions/revoke", scene.ada), body).await;
        assert_eq!((ended.status, scene.get(&token, "/users/me").await.status), (200, 401));
    }
}

#[tokio::test]
async fn trust_is_dropped_without_a_word_where_somebody_may_not_give_it() {
    let scene = Scene::of(Version::V11_6).await;
    let body = json!({
        "name": "X", "homepage": "https://app.example.com", "callback_urls": [CALLBACK], "is_trusted": true,
    });
    assert_eq!(scene.post(&scene.token, "/oauth/apps", body.clone()).await.status, 403);
    // Version 11 does not let its administrators by itself.
    assert_eq!(scene.post(&scene.root, "/oauth/apps", body.clone()).await.status, 403);
    scene.mattermost.add_role("registrar", &["manage_oauth"]);
    scene.mattermost.set_roles(&scene.ada, "system_user registrar");
    let made = scene.post(&scene.token, "/oauth/apps", body).await;
    assert_eq!((made.status, made.json()["is_trusted"].clone()), (201, json!(false)), "{}", made.text());
    let path = format!("/oauth/apps/{}", text(&made.json(), "id"));
    let renewed = scene.post(&scene.token, &format!("{path}/regen_secret"), json!({})).await.json();
    assert_ne!(renewed["client_secret"], made.json()["client_secret"]);
    assert_eq!(scene.delete(&scene.token, &path).await.status, 200);
    let gone = scene.get(&scene.token, &path).await;
    assert_eq!(refused(&gone), is(404, "app.oauth.get_app.find.app_error"));
}

#[tokio::test]
async fn a_client_that_is_removed_or_sent_away_has_nothing_left() {
    let scene = Scene::of(Version::V11_6).await;
    let client = scene.client(json!({"is_trusted": true})).await;
    let get = async || {
        let code = scene.code(&client, &[]).await;
        text(&scene.exchange(&client, &code).await.json(), "access_token")
    };
    let token = get().await;
    let ask = Ask::post("/oauth/deauthorize", json!({"client_id": client.id}).to_string());
    let away = scene.send(&ask.bearer(&scene.token)).await;
    assert_eq!((away.status, scene.get(&token, "/users/me").await.status), (200, 401), "{}", away.text());
    let token = get().await;
    let path = format!("/oauth/apps/{}", client.id);
    assert_eq!(scene.delete(&scene.root, &path).await.status, 200);
    assert_eq!(scene.get(&token, "/users/me").await.status, 401);
    assert!(scene.mattermost.oauth_apps().is_empty());
}

#[tokio::test]
async fn the_metadata_document_is_there_from_11_2_on() {
    for (version, status) in [(Version::V11_1, 404), (Version::V11_6, 200)] {
        let scene = Scene::of(version).await;
        let answer = scene.send(&Ask::get("/.well-known/oauth-authorization-server")).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let register = scene.send(&Ask::post("/api/v4/oauth/apps/register", "{}")).await;
        assert_eq!(register.status, if status == 200 { 501 } else { 404 });
    }
}
