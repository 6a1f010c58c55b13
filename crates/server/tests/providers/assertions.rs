//! Clients that sign for themselves (`private_key_jwt`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Value, json};
use tessera_server::providers::{Client, Descriptor, Outgoing, PrivateKey, Provider, Verifier};
use tessera_types::{AccessToken, AuthorizationCode, ClientSecret, RefreshToken};
use url::Url;

use crate::signer::{ANOTHER_RSA, P256, P384, RSA, Signer, decoded};
use crate::still;

const NOW: i64 = 1_795_600_000_500;
const RSA_JWK: &str = include_str!("keys/rsa.jwk.json");
const P256_JWK: &str = include_str!("keys/p256.jwk.json");

fn provider(rules: &str) -> Provider {
    let text = format!(
        "name = 'x'\ndisplay_name = 'X'\nauthorize_url = 'https://id.example.com/a'\n\
         token_url = 'https://id.example.com/t'\ndevice_url = 'https://id.example.com/d'\n\
         refresh_url = 'https://id.example.com/refresh'\nrevoke = {{ url = 'https://id.example.com/r' }}\n\
         client_auth = 'private_key_jwt'\n{rules}"
    );
    Provider::new(Arc::new(Descriptor::read(&text).unwrap()), &BTreeMap::new(), None).unwrap()
}

/// The body's members, whatever it is written as.
fn members(outgoing: &Outgoing) -> BTreeMap<String, String> {
    let body = outgoing.body.as_ref().unwrap();
    match body.first() {
        Some(b'{') => serde_json::from_slice(body).unwrap(),
        _ => url::form_urlencoded::parse(body).into_owned().collect(),
    }
}

/// Header and claims of the assertion in a request, its signature checked.
fn opened(outgoing: &Outgoing, algorithm: Algorithm, public: &Value) -> (Value, Value) {
    let members = members(outgoing);
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(members["client_assertion_type"], kind);
    assert_eq!(members["client_id"], "the client");
    assert!(!members.contains_key("client_secret") && !outgoing.headers.contains_key("authorization"));
    let sent = format!("{}{:?}{:?}", outgoing.url, outgoing.headers, members);
    assert!(!sent.contains("PRIVATE KEY") && !sent.contains("\"d\""), "the key is sent");
    let member = |name: &str| public[name].as_str().unwrap();
    let key = match public["kty"].as_str() {
        Some("RSA") => DecodingKey::from_rsa_components(member("n"), member("e")).unwrap(),
        _ => DecodingKey::from_ec_components(member("x"), member("y")).unwrap(),
    };
    let (signed, signature) = members["client_assertion"].rsplit_once('.').unwrap();
    assert!(crypto::verify(signature, signed.as_bytes(), &key, algorithm).unwrap());
    let (header, claims) = signed.split_once('.').unwrap();
    (decoded(header), decoded(claims))
}

#[test]
fn os_20_every_request_carries_an_assertion_of_its_own_that_lives_a_minute_and_is_for_the_issuer() {
    let (rsa, ec) = (Signer::rsa(RSA, "RS256").public, Signer::p256(P256).public);
    let (issuer, endpoint) = ("https://id.example.com", "https://id.example.com/t");
    let with_issuer = "issuer = 'https://id.example.com'\n";
    let to_endpoint = format!("{with_issuer}assertion_audience = 'token_endpoint'\n");
    let as_json = format!("{with_issuer}body_format = 'json'\n");
    let table = [
        (with_issuer, RSA, None, Algorithm::RS256, &rsa, None, issuer),
        (with_issuer, RSA, Some("k1"), Algorithm::RS256, &rsa, Some("k1"), issuer),
        (with_issuer, P256, Some("k1"), Algorithm::ES256, &ec, Some("k1"), issuer),
        (with_issuer, RSA_JWK, None, Algorithm::PS256, &rsa, Some("of-the-jwk"), issuer),
        (with_issuer, P256_JWK, None, Algorithm::ES256, &ec, Some("of-the-jwk"), issuer),
        (with_issuer, P256_JWK, Some("k2"), Algorithm::ES256, &ec, Some("k2"), issuer),
        (&as_json, P256, None, Algorithm::ES256, &ec, None, issuer),
        (&to_endpoint, P256, None, Algorithm::ES256, &ec, None, endpoint),
        ("", P256, None, Algorithm::ES256, &ec, None, endpoint),
    ];
    for (rules, key, key_id, algorithm, public, kid, audience) in table {
        let (provider, env, secret) = (provider(rules), still::env(NOW), ClientSecret::new(key));
        let client = Client { id: "the client", secret: &secret, key_id };
        let redirect = Url::parse("https://chat.example.com/complete").unwrap();
        let (code, verifier) = (AuthorizationCode::new("c"), Verifier::of(AccessToken::new("v".repeat(43))));
        let (access, refresh) = (AccessToken::new("a"), RefreshToken::new("r"));
        let exchange = || provider.exchange(&env, client, &code, &redirect, &verifier).unwrap();
        let requests = [
            exchange(),
            // The same once more: a request that is sent again is built again.
            exchange(),
            provider.refresh(&env, client, &refresh, &[]).unwrap(),
            provider.revoke(&env, client, &access, Some(&refresh)).unwrap().unwrap(),
            provider.device(&env, client, &[]).unwrap().unwrap(),
            provider.device_token(&env, client, &code).unwrap(),
            provider.client_credentials(&env, client, &[]).unwrap(),
            provider.probe(&env, client, &redirect).unwrap(),
        ];
        let mut seen = BTreeSet::new();
        for outgoing in &requests {
            let (header, claims) = opened(outgoing, algorithm, public);
            let alg = format!("{algorithm:?}");
            let expected = match kid {
                Some(kid) => json!({ "alg": alg, "typ": "JWT", "kid": kid }),
                None => json!({ "alg": alg, "typ": "JWT" }),
            };
            assert_eq!(header, expected);
            let iat = NOW / 1000;
            let jti = claims["jti"].as_str().unwrap().to_owned();
            assert_eq!(URL_SAFE_NO_PAD.decode(&jti).unwrap().len(), 16);
            let expected = json!({
                "iss": "the client", "sub": "the client", "aud": audience, "jti": jti, "iat": iat, "exp": iat + 60,
            });
            assert_eq!(claims, expected);
            assert!(seen.insert(jti), "a jti came twice");
        }
    }
}

#[test]
fn a_key_that_cannot_sign_is_refused_with_words_for_who_pasted_it_and_nothing_of_the_key() {
    let small = include_str!("keys/small-rsa.pem");
    let cut = P256.replacen("MI", "", 1);
    let public = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }).to_string();
    let hmac = json!({ "kty": "oct", "k": "AQAB" }).to_string();
    let other_alg = RSA_JWK.replace("PS256", "RS1");
    let mut twisted: Value = serde_json::from_str(P256_JWK).unwrap();
    twisted["x"] = twisted["y"].clone();
    let bad_base64 = P256_JWK.replace("\"d\": \"", "\"d\": \"!");
    for (secret, what) in [
        ("", "openssl pkcs8"),
        ("s3cret", "openssl pkcs8"),
        (&P256.replace("PRIVATE", "EC PRIVATE"), "openssl pkcs8"),
        (small, "2048 bits"),
        (P384, "P-256"),
        (&cut, "private key"),
        ("{\"kty\": s3cret", "begins like a JWK"),
        (&public, "without its member `d`"),
        (&hmac, "neither of RSA nor of P-256"),
        (&other_alg, "neither RS256 nor PS256"),
        (&twisted.to_string(), "no key of P-256"),
        (&bad_base64, "no base64url"),
    ] {
        let secret = ClientSecret::new(secret);
        let error = PrivateKey::read(&secret).unwrap_err().to_string();
        assert!(error.starts_with("client_secret: the client's private key "), "{error}");
        assert!(error.contains(what), "{what}: {error}");
        assert!(!error.contains("s3cret") && !error.contains("AQAB"), "{error}");
        let client = Client::new("the client", &secret);
        let refused = provider("").client_credentials(&still::env(NOW), client, &[]).unwrap_err();
        assert_eq!(refused.to_string(), error);
    }
    let shown = format!("{:?}", PrivateKey::read(&ClientSecret::new(P256_JWK)).unwrap());
    assert_eq!(shown, "PrivateKey { algorithm: \"ES256\", key_id: Some(\"of-the-jwk\"), .. }");
    assert_eq!(PrivateKey::read(&ClientSecret::new(ANOTHER_RSA)).unwrap().algorithm(), "RS256");
}

#[test]
fn without_randomness_nothing_is_signed() {
    let secret = ClientSecret::new(P256);
    let client = Client::new("the client", &secret);
    let error = provider("").client_credentials(&still::dry(NOW), client, &[]).unwrap_err();
    assert_eq!(error.to_string(), "there is no randomness to write a request with");
}
