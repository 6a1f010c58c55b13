//! Clients that sign for themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::stage::{As, REDIRECT, Stage, text};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const NOW: i64 = 1_800_000_000;

fn key() -> (EcdsaKeyPair, Value) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    (pair, jwk)
}

fn signed(pair: &EcdsaKeyPair, claims: &Value) -> String {
    let parts = [&json!({ "alg": "ES256" }), claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = parts.join(".");
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_client_with_a_key_is_known_by_what_it_signed_once_and_by_nothing_else() {
    let ((pair, jwk), (stranger, _)) = (key(), key());
    let stage = Stage::with(|builder| builder.client_with_key("signer", &jwk, [REDIRECT])).await;
    let issuer = stage.simulator.url().to_owned();
    let good = |jti: &str| json!({ "iss": "signer", "sub": "signer", "aud": issuer, "jti": jti, "iat": NOW, "exp": NOW + 60 });
    let with = |name: &str, value: Value| {
        let mut claims = good(&format!("{name}-{value}"));
        claims[name] = value;
        signed(&pair, &claims)
    };
    let (_, document, _) = stage.read("/.well-known/oauth-authorization-server", "").await;
    let methods = &document["token_endpoint_auth_methods_supported"];
    assert_eq!(methods, &json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]));
    let endpoint = with("aud", format!("{issuer}/token").into());
    for (assertion, taken) in [
        (signed(&pair, &good("1")), true),
        (signed(&pair, &good("1")), false),
        (signed(&pair, &good("2")), true),
        (endpoint, true),
        (signed(&stranger, &good("3")), false),
        (with("aud", "https://somebody-else.example".into()), false),
        (with("iss", "hello".into()), false),
        (with("sub", "hello".into()), false),
        (with("exp", NOW.into()), false),
        (with("exp", (NOW + 301).into()), false),
        (with("iat", (NOW + 1).into()), false),
        ("nonsense".to_owned(), false),
    ] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", KIND),
            ("client_assertion", &assertion),
        ];
        let (status, reply, _) = stage.post("/token", As::Nobody, &fields).await;
        match taken {
            true => assert_eq!(status, StatusCode::OK, "{reply}"),
            false => {
                assert_eq!((status, text(&reply, "error")), (StatusCode::UNAUTHORIZED, "invalid_client"))
            }
        }
    }
    let fields = [("grant_type", "client_credentials")];
    for who in [As::Body("signer", ""), As::Basic("signer", "")] {
        assert_eq!(stage.post("/token", who, &fields).await.0, StatusCode::UNAUTHORIZED, "no empty secret");
    }
    let assertion = signed(&pair, &good("4"));
    for (more, who) in [(KIND, As::Basic("signer", "x")), (KIND, As::Body("signer", "x")), ("x", As::Nobody)]
    {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", more),
            ("client_assertion", &assertion),
        ];
        let (status, reply, _) = stage.post("/token", who, &fields).await;
        assert_eq!((status, text(&reply, "error")), (StatusCode::BAD_REQUEST, "invalid_request"));
    }
}
