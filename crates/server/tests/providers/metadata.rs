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
        "jwks_uri": "https://id.example.com/j",
    })
}

fn reading(change: impl FnOnce(&mut Value)) -> Result<Metadata, String> {
    let mut document = document();
    change(&mut document);
    Metadata::read(&ISSUER.into(), document.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn metadata_of_another_issuer_or_with_bad_endpoints_is_not_used() {
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
        let error = reading(|document| document["token_endpoint"] = json!(endpoint)).unwrap_err();
        assert!(error.starts_with("metadata.token_endpoint: ") && error.contains(what), "{error}");
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
    let error = oidc(None).unwrap_err();
    assert!(error.starts_with("authorize_url: ") && error.contains("metadata"), "{error}");
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
    assert!(Provider::new(descriptor, &BTreeMap::new(), Some(&not_offered)).is_ok());
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

/// An issuer that has its metadata at one of the two places only; gives its address.
async fn issuer(place: &'static str) -> Issuer {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mine = format!("{base}/realms/main");
    let (document, path) = (document(), place.to_owned());
    let answer = async move |uri: Uri| {
        let mut document = document.clone();
        document["issuer"] = json!(mine);
        match uri.path() == path {
            true => (StatusCode::OK, document.to_string()),
            false => (StatusCode::NOT_FOUND, String::new()),
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    format!("{base}/realms/main").as_str().into()
}

#[tokio::test]
async fn metadata_is_looked_for_where_both_standards_have_it() {
    let egress = Egress::new(Rules { allow_loopback: true, ..Rules::default() }).unwrap();
    for place in [
        "/realms/main/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/realms/main",
    ] {
        let found = Metadata::fetch(&egress, &issuer(place).await).await.unwrap();
        assert_eq!(found.token.path(), "/t", "{place}");
    }
    let error = Metadata::fetch(&egress, &issuer("/elsewhere").await).await.unwrap_err().to_string();
    assert!(error.starts_with("issuer: ") && error.contains("answered 404"), "{error}");
}
