//! id_tokens, and the keys that they are signed with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::stage::{CLIENT, HELLO, Stage, text};

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The claims, if a key of the set signed them.
fn opened(token: &str, set: &Value) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header = decoded(header);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("JWT")));
    let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"])?;
    let public = URL_SAFE_NO_PAD.decode(text(key, "x")).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ED25519, public).verify(signed.as_bytes(), &signature).unwrap();
    Some(decoded(claims))
}

#[tokio::test]
async fn an_id_token_comes_where_openid_was_granted_and_says_what_the_scope_opens() {
    let stage = Stage::new().await;
    let (_, document, _) = stage.read("/.well-known/openid-configuration", "").await;
    let set_at = text(&document, "jwks_uri").strip_prefix(stage.simulator.url()).unwrap().to_owned();
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["EdDSA"]));
    let (status, set, _) = stage.read(&set_at, "").await;
    assert_eq!(status, StatusCode::OK);
    let plain = stage.tokens("ada", &[("scope", "email"), ("nonce", "n")]).await;
    assert!(plain.get("id_token").is_none());

    let now = 1_800_000_000;
    let mut expected = json!({
        "iss": stage.simulator.url(), "sub": "ada", "aud": CLIENT, "iat": now, "exp": now + 3600, "nonce": "a/n+=",
        "email": "ada@simulator.example", "email_verified": true,
    });
    let consent = stage.consent_page("ada", &[("scope", "openid email")]).await;
    assert!(consent.body.contains("Know who you are <code>openid</code>"), "{}", consent.body);
    let tokens = stage.tokens("ada", &[("scope", "openid email"), ("nonce", "a/n+=")]).await;
    assert_eq!(opened(text(&tokens, "id_token"), &set), Some(expected.clone()));
    assert_eq!(stage.simulator.issued_secrets().last().unwrap(), text(&tokens, "id_token"));
    // After a refresh there is no flow that a nonce could be of.
    stage.later(10);
    let (_, renewed) = stage.refresh(HELLO, text(&tokens, "refresh_token")).await;
    expected.as_object_mut().unwrap().remove("nonce");
    (expected["iat"], expected["exp"]) = (json!(now + 10), json!(now + 3610));
    assert_eq!(opened(text(&renewed, "id_token"), &set), Some(expected));
    let bare = stage.tokens("grace", &[("scope", "openid")]).await;
    let claims = opened(text(&bare, "id_token"), &set).unwrap();
    assert_eq!((text(&claims, "sub"), claims.get("email")), ("grace", None));
    let (status, claims, _) = stage.read("/userinfo", text(&bare, "access_token")).await;
    assert_eq!((status, claims), (StatusCode::OK, json!({ "sub": "grace" })));
}

#[tokio::test]
async fn a_new_key_signs_at_once_and_the_one_before_it_is_still_published() {
    let stage = Stage::new().await;
    let mut signed = Vec::new();
    for _ in 0..3 {
        let tokens = stage.tokens("ada", &[("scope", "openid")]).await;
        signed.push(text(&tokens, "id_token").to_owned());
        stage.simulator.renew_signing_key();
    }
    let (_, set, _) = stage.read("/jwks", "").await;
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    let known: Vec<bool> = signed.iter().map(|token| opened(token, &set).is_some()).collect();
    assert_eq!(known, [false, false, true]);
}
