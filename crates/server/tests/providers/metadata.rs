//! Metadata: whose it must be, what it may say, and what becomes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::Uri;
use serde_json::{Value, json};
use tessera_server::egress::{Egress, Rules};
use tessera_server::providers::{
    Asking, Catalogue, Client, Descriptor, Issuer, Metadata, Provider, Verifier,
};
use tessera_types::{AccessToken, ClientSecret, RefreshToken};
use url::Url;

use crate::still;

const ISSUER: &str = "https://id.example.com/realms/main";

fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example.com/a",
        "token_endpoint": "https://id.example.com/t",
        "revocation_endpoint": "https://id.example.com/r",
        "userinfo_endpoint": "https://id.example.com/u",
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
        "device_authorization_endpoint": "https://id.example.com/d",
        "jwks_uri": "https://id.example.com/j",
    })
}

fn reading(change: impl FnOnce(&mut Value)) -> Result<Metadata, String> {
    let mut document = document();
    change(&mut document);
    Metadata::read(&ISSUER.into(), document.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn os_27_a_provider_that_requires_pushed_requests_is_refused_with_a_word_on_why() {
    let refused = reading(|document| document["require_pushed_authorization_requests"] = json!(true));
    let why = refused.unwrap_err();
    assert!(why.contains("require_pushed_authorization_requests") && why.contains("not offered"), "{why}");
    assert!(reading(|document| document["require_pushed_authorization_requests"] = json!(false)).is_ok());
}

#[test]
fn os_23_metadata_of_another_issuer_or_with_bad_endpoints_is_not_used() {
    let good = reading(|_| {}).unwrap();
    assert_eq!((good.pkce_s256, good.promises_iss), (Some(true), true));
    let silent = reading(|document| {
        for name in ["code_challenge_methods_supported", "authorization_response_iss_parameter_supported"] {
            document.as_object_mut().unwrap().remove(name);
        }
    });
    let silent = silent.unwrap();
    assert_eq!((silent.pkce_s256, silent.promises_iss), (None, false));

    for other in [
        "https://id.example.com/realms/main/",
        "https://id.example.com",
        "https://ID.example.com/realms/main",
        "",
    ] {
        let error = reading(|document| document["issuer"] = json!(other)).unwrap_err();
        assert!(error.starts_with("metadata.issuer: ") && error.contains("must be the same"), "{error}");
    }
    for (endpoint, what) in [
        ("http://id.example.com/t", "plain http"),
        ("ftp://id.example.com/t", "no https URL"),
        ("https://user@id.example.com/t", "user name"),
        ("https://id.example.com/t#x", "fragment"),
        ("/t", "no URL"),
    ] {
        for member in ["token_endpoint", "jwks_uri", "device_authorization_endpoint", "revocation_endpoint"] {
            let error = reading(|document| document[member] = json!(endpoint)).unwrap_err();
            assert!(error.starts_with(&format!("metadata.{member}: ")) && error.contains(what), "{error}");
        }
    }
    let error = Metadata::read(&ISSUER.into(), b"<html>").unwrap_err().to_string();
    assert!(error.starts_with("metadata.document: is no metadata"), "{error}");
}

fn oidc(metadata: Option<&Metadata>) -> Result<Provider, String> {
    let descriptor = Catalogue::bundled().unwrap().get("oidc").unwrap();
    let given = BTreeMap::from([("issuer".to_owned(), "id.example.com/realms/main".to_owned())]);
    assert_eq!(Provider::issuer_of(&descriptor, &given).unwrap(), Some(ISSUER.into()));
    Provider::new(descriptor, &given, metadata).map_err(|error| error.to_string())
}

fn oidc_provider(metadata: &Metadata) -> Provider {
    oidc(Some(metadata)).unwrap()
}

#[test]
fn a_discovered_provider_is_spoken_to_where_its_metadata_says() {
    let provider = oidc(Some(&reading(|_| {}).unwrap())).unwrap();
    let redirect = Url::parse("https://chat.example.com/complete").unwrap();
    let verifier = Verifier::of(AccessToken::new("v".repeat(43)));
    let to = provider.authorize_url(Asking {
        client_id: "id",
        redirect_uri: &redirect,
        state: "s",
        scopes: &[],
        verifier: &verifier,
    });
    assert!(to.as_str().starts_with("https://id.example.com/a?"), "{to}");
    assert!(to.as_str().contains("scope=openid+email+profile+offline_access"), "{to}");
    let secret = ClientSecret::new("s");
    let (client, env) = (Client::new("id", &secret), still::env(0));
    let (access, refresh) = (AccessToken::new("a"), RefreshToken::new("r"));
    assert_eq!(provider.refresh(&env, client, &refresh, &[]).unwrap().url.path(), "/t");
    assert_eq!(provider.revoke(&env, client, &access, Some(&refresh)).unwrap().unwrap().url.path(), "/r");
    assert_eq!(provider.userinfo(&access).unwrap().unwrap().url.path(), "/u");
    assert_eq!(provider.device(&env, client, &[]).unwrap().unwrap().url.path(), "/d");
    assert_eq!(provider.jwks_url().unwrap().path(), "/j");
    assert_eq!(provider.id_token_issuer(), Some(ISSUER));
    assert!(to.as_str().contains(&format!("&nonce={}", verifier.nonce())), "{to}");
    let error = oidc(None).unwrap_err();
    assert!(error.starts_with("authorize_url: ") && error.contains("metadata"), "{error}");
}

#[test]
fn os_23_a_change_is_told_in_words_and_what_was_pinned_is_read_back_as_it_was() {
    let pinned = reading(|document| {
        document["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt", "client_secret_post"]);
    });
    let pinned = pinned.unwrap();
    let text = serde_json::to_string(&pinned).unwrap();
    assert_eq!(
        text,
        r#"{"issuer":"https://id.example.com/realms/main","authorization_endpoint":"https://id.example.com/a","token_endpoint":"https://id.example.com/t","revocation_endpoint":"https://id.example.com/r","userinfo_endpoint":"https://id.example.com/u","device_authorization_endpoint":"https://id.example.com/d","jwks_uri":"https://id.example.com/j","authorization_response_iss_parameter_supported":true,"code_challenge_methods_supported":["S256"],"token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_post"]}"#
    );
    assert_eq!(serde_json::from_str::<Metadata>(&text).unwrap(), pinned);
    let sparse = reading(|document| {
        for name in ["revocation_endpoint", "jwks_uri", "code_challenge_methods_supported"] {
            document.as_object_mut().unwrap().remove(name);
        }
    });
    let sparse = sparse.unwrap();
    let again: Metadata = serde_json::from_str(&serde_json::to_string(&sparse).unwrap()).unwrap();
    assert_eq!(again, sparse);
    // Whoever changes what was pinned is refused as the provider would be.
    let changed = text.replace("https://id.example.com/t", "http://id.example.com/t");
    let error = serde_json::from_str::<Metadata>(&changed).unwrap_err().to_string();
    assert!(error.contains("metadata.token_endpoint") && error.contains("plain http"), "{error}");

    let order = reading(|document| {
        document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post", "private_key_jwt"]);
        document["code_challenge_methods_supported"] = json!(["S256"]);
        document["scopes_supported"] = json!(["openid"]);
    });
    assert_eq!(pinned.differs(&order.unwrap()), [], "another order is no other behaviour");
    let moved = reading(|document| {
        document["token_endpoint"] = json!("https://evil.example/t");
        document["revocation_endpoint"] = Value::Null;
        document["authorization_response_iss_parameter_supported"] = json!(false);
        document["code_challenge_methods_supported"] = json!(["plain"]);
    });
    let told = |name, before: &str, after: &str| (name, before.to_owned(), after.to_owned());
    assert_eq!(
        pinned.differs(&moved.unwrap()),
        [
            told("token_endpoint", "https://id.example.com/t", "https://evil.example/t"),
            told("revocation_endpoint", "https://id.example.com/r", "none"),
            told("authorization_response_iss_parameter_supported", "yes", "no"),
            told("S256 in code_challenge_methods_supported", "yes", "no"),
            told("token_endpoint_auth_methods_supported", "client_secret_post, private_key_jwt", "not said"),
        ]
    );
}

#[test]
fn os_23_endpoints_are_used_with_their_own_issuer_alone() {
    let other = Metadata { issuer: "https://other.example".into(), ..reading(|_| {}).unwrap() };
    let error = oidc(Some(&other)).unwrap_err();
    assert!(error.starts_with("metadata.issuer: is not the issuer of this provider"), "{error}");

    // An issuer of all tenants is taken where a descriptor states it, and nowhere else.
    let template = "https://id.example.com/{tenantid}/v2.0";
    let base =
        "name = 'x'\ndisplay_name = 'X'\nissuer = 'https://id.example.com/common/v2.0'\ndiscovery = true\n";
    let mut document = document();
    document["issuer"] = json!(template);
    let document = document.to_string();
    let states = format!("{base}id_token_issuer = '{template}'\n");
    for (text, taken) in [(base, false), (states.as_str(), true)] {
        let descriptor = Descriptor::read(text).unwrap();
        let issuer = Provider::issuer_of(&descriptor, &BTreeMap::new()).unwrap().unwrap();
        let read = Metadata::read(&issuer, document.as_bytes());
        assert_eq!(read.is_ok(), taken, "{read:?}");
        let Ok(metadata) = read else { continue };
        let provider = Provider::new(descriptor.into(), &BTreeMap::new(), Some(&metadata)).unwrap();
        assert_eq!(provider.id_token_issuer(), Some(template));
    }
}

#[test]
fn os_19_client_authentication_follows_the_descriptor_or_else_the_metadata_and_the_secret_is_in_one_place() {
    let base = format!("name = 'x'\ndisplay_name = 'X'\nissuer = '{ISSUER}'\ndiscovery = true\n");
    let secret = ClientSecret::new("s3cr:et%+/ü");
    let (client, env) = (Client::new("the:client+%", &secret), still::env(0));
    let refresh = RefreshToken::new("r");
    // Form-encoded before base64 (RFC 6749 section 2.3.1); or as it is; or in the body.
    let encoded = "Basic dGhlJTNBY2xpZW50JTJCJTI1OnMzY3IlM0FldCUyNSUyQiUyRiVDMyVCQw==";
    let raw = "Basic dGhlOmNsaWVudCslOnMzY3I6ZXQlKy/DvA==";
    let body = "client_secret=s3cr%3Aet%25%2B%2F%C3%BC";
    for (rules, listed, header, form) in [
        ("", Value::Null, Some(encoded), None),
        ("", json!(["client_secret_post", "client_secret_basic"]), Some(encoded), None),
        ("", json!(["client_secret_post"]), None, Some(body)),
        ("", json!(["private_key_jwt", "client_secret_post"]), None, Some(body)),
        ("", json!(["tls_client_auth"]), Some(encoded), None),
        ("", json!(["none"]), None, None),
        ("basic_encoding = 'raw'\n", Value::Null, Some(raw), None),
        ("client_auth = 'basic'\n", json!(["client_secret_post"]), Some(encoded), None),
        ("client_auth = 'post'\n", json!(["client_secret_basic"]), None, Some(body)),
        ("client_auth = 'none'\n", json!(["client_secret_basic"]), None, None),
    ] {
        let metadata = reading(|document| document["token_endpoint_auth_methods_supported"] = listed.clone());
        let descriptor = Arc::new(Descriptor::read(&format!("{base}{rules}")).unwrap());
        let provider = Provider::new(descriptor, &BTreeMap::new(), Some(&metadata.unwrap())).unwrap();
        let outgoing = provider.refresh(&env, client, &refresh, &[]).unwrap();
        let seen = outgoing.headers.get("authorization").map(|value| value.to_str().unwrap());
        assert_eq!(seen, header, "{rules} {listed}");
        let written = String::from_utf8(outgoing.body.unwrap().to_vec()).unwrap();
        assert_eq!(written.contains("client_secret"), form.is_some(), "{written}");
        assert!(form.is_none_or(|form| written.contains(form)), "{written}");
        assert_eq!(outgoing.url.as_str(), "https://id.example.com/t");
    }
    // Where keys alone are taken, a secret is no key, and nothing else is tried.
    let keys_alone =
        reading(|document| document["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]));
    let error =
        oidc_provider(&keys_alone.unwrap()).refresh(&env, client, &refresh, &[]).unwrap_err().to_string();
    assert!(error.starts_with("client_secret: the client's private key is neither"), "{error}");
}

#[test]
fn a_descriptor_cannot_turn_off_what_the_metadata_offers() {
    let text = "name = 'x'\ndisplay_name = 'X'\nissuer = 'https://id.example.com/realms/main'\ndiscovery = true\npkce = 'unsupported'\n";
    let descriptor = Arc::new(Descriptor::read(text).unwrap());
    let offered = reading(|_| {}).unwrap();
    let error =
        Provider::new(Arc::clone(&descriptor), &BTreeMap::new(), Some(&offered)).unwrap_err().to_string();
    assert!(error.starts_with("pkce: "), "{error}");
    let not_offered =
        reading(|document| document["code_challenge_methods_supported"] = json!(["plain"])).unwrap();
    assert!(Provider::new(Arc::clone(&descriptor), &BTreeMap::new(), Some(&not_offered)).is_ok());
    let public = Metadata { auth_methods: Some(vec!["none".into()]), ..not_offered };
    let error = Provider::new(descriptor, &BTreeMap::new(), Some(&public)).unwrap_err().to_string();
    assert!(error.starts_with("pkce: a client without a secret needs it"), "{error}");
}

#[test]
fn a_callback_must_name_the_issuer_to_the_letter() {
    let promises = oidc(Some(&reading(|_| {}).unwrap())).unwrap();
    assert!(promises.check_issuer(Some(ISSUER)).is_ok());
    assert!(promises.check_issuer(None).is_err());
    for other in [
        "https://id.example.com/realms/main/",
        "https://id.example.com/realms/other",
        "",
        "HTTPS://id.example.com/realms/main",
    ] {
        assert!(promises.check_issuer(Some(other)).is_err(), "{other}");
    }
    let silent =
        reading(|document| document["authorization_response_iss_parameter_supported"] = json!(false));
    let silent = oidc(Some(&silent.unwrap())).unwrap();
    assert!(silent.check_issuer(None).is_ok());
    assert!(silent.check_issuer(Some("https://evil.example")).is_err());
}

/// An issuer that has its metadata at one of the two places only, with so many bytes more.
async fn issuer(place: &'static str, more: usize) -> Issuer {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mine = format!("{base}/realms/main");
    let (document, path) = (document(), place.to_owned());
    let answer = async move |uri: Uri| {
        let mut document = document.clone();
        document["issuer"] = json!(mine);
        document["op_policy_uri"] = json!("x".repeat(more));
        match uri.path() == path {
            true => (StatusCode::OK, document.to_string()),
            false => (StatusCode::NOT_FOUND, String::new()),
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    format!("{base}/realms/main").as_str().into()
}

#[tokio::test]
async fn os_23_metadata_is_looked_for_where_both_standards_have_it() {
    let egress = Egress::new(Rules { allow_loopback: true, ..Rules::default() }).unwrap();
    for place in [
        "/realms/main/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/realms/main",
    ] {
        let found = Metadata::fetch(&egress, &issuer(place, 0).await).await.unwrap();
        assert_eq!(found.token.path(), "/t", "{place}");
    }
    let error = Metadata::fetch(&egress, &issuer("/elsewhere", 0).await).await.unwrap_err().to_string();
    assert!(error.starts_with("issuer: ") && error.contains("answered 404"), "{error}");
}

#[tokio::test]
async fn os_23_metadata_that_is_too_large_is_not_read_to_its_end() {
    let egress = Egress::new(Rules { allow_loopback: true, ..Rules::default() }).unwrap();
    let place = "/realms/main/.well-known/openid-configuration";
    assert!(Metadata::fetch(&egress, &issuer(place, 200 << 10).await).await.is_ok());
    let error = Metadata::fetch(&egress, &issuer(place, 256 << 10).await).await.unwrap_err().to_string();
    assert!(error.starts_with("issuer: ") && error.contains("262144"), "{error}");
}
