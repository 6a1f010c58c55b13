//! id_tokens: what is believed, and the table of those that are not.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tessera_server::providers::{Catalogue, Claims, Expected, Forged, KeySet, Provider, verify};
use tessera_types::AccessToken;

use crate::signer::{ANOTHER_RSA, P256, P384, RSA, Signer, base64url, jwks};

pub(crate) const NOW: i64 = 1_795_600_000;
pub(crate) const ISSUER: &str = "https://id.example.com";

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "u-1", "aud": "the client", "exp": NOW + 3600, "iat": NOW, "nonce": "n-1",
        "email": "ada@example.com", "email_verified": true, "name": "Ada", "preferred_username": "ada",
    })
}

pub(crate) fn expected() -> Expected<'static> {
    Expected { issuer: ISSUER, client_id: "the client", nonce: Some("n-1"), now_ms: NOW * 1000 }
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = claims();
    change(&mut claims);
    claims
}

fn keys<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> KeySet {
    KeySet::read(jwks(signers).to_string().as_bytes()).unwrap()
}

fn all() -> Vec<Signer> {
    let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    let mut all: Vec<Signer> = rsa.into_iter().map(|alg| Signer::rsa(RSA, alg)).collect();
    all.extend([Signer::p256(P256), Signer::p384(P384), Signer::ed25519()]);
    all
}

#[test]
fn os_24_a_token_of_each_algorithm_on_the_list_is_believed_and_says_whose_account_it_is() {
    let signers = all();
    let set = keys(&signers);
    let ada = Claims {
        issuer: ISSUER.to_owned(),
        subject: "u-1".to_owned(),
        email: Some("ada@example.com".to_owned()),
        email_verified: true,
        name: Some("Ada".to_owned()),
        preferred_username: Some("ada".to_owned()),
    };
    for signer in &signers {
        assert_eq!(verify(&signer.sign(&claims()), &set, expected()), Ok(ada.clone()), "{}", signer.alg);
    }
    // What else is as it should be.
    let signer = Signer::p256(P256);
    let set = keys([&signer]);
    for claims in [
        with(|c| c["aud"] = json!(["the client"])),
        with(|c| {
            c["aud"] = json!(["another", "the client"]);
            c["azp"] = json!("the client");
        }),
        with(|c| c["iat"] = json!(NOW + 60)),
        with(|c| c["exp"] = json!(NOW - 59)),
        with(|c| c["exp"] = json!(NOW as f64 + 0.5)),
        with(|c| c["nbf"] = json!(NOW + 60)),
    ] {
        assert!(verify(&signer.sign(&claims), &set, expected()).is_ok(), "{claims}");
    }
    let silent = with(|c| {
        for name in ["email", "email_verified", "name", "preferred_username", "nonce"] {
            c.as_object_mut().unwrap().remove(name);
        }
    });
    let without_nonce = Expected { nonce: None, ..expected() };
    let seen = verify(&signer.sign(&silent), &set, without_nonce).unwrap();
    assert_eq!((seen.subject.as_str(), seen.email, seen.email_verified), ("u-1", None, false));
    for (word, verified) in [(json!("true"), true), (json!("false"), false), (json!(1), false)] {
        let token = signer.sign(&with(|c| c["email_verified"] = word));
        assert_eq!(verify(&token, &set, expected()).unwrap().email_verified, verified);
    }
}

#[test]
fn os_24_what_a_token_says_must_be_of_this_issuer_client_time_and_flow() {
    let signer = Signer::rsa(RSA, "RS256");
    let set = keys([&signer]);
    let drop = |name: &'static str| with(|c| drop(c.as_object_mut().unwrap().remove(name)));
    let put = |name: &'static str, value: Value| with(|c| c[name] = value);
    for (claims, why) in [
        (put("iss", json!("https://evil.example")), Forged::Issuer),
        (put("iss", json!("https://id.example.com/")), Forged::Issuer),
        (put("iss", json!("HTTPS://id.example.com")), Forged::Issuer),
        (put("iss", json!("")), Forged::Issuer),
        (drop("iss"), Forged::Malformed),
        (put("sub", json!("")), Forged::Malformed),
        (put("sub", json!(7)), Forged::Malformed),
        (drop("sub"), Forged::Malformed),
        (put("aud", json!("another")), Forged::Audience),
        (put("aud", json!("the client2")), Forged::Audience),
        (put("aud", json!([])), Forged::Audience),
        (put("aud", json!(["another"])), Forged::Audience),
        (put("aud", json!(["the client", "another"])), Forged::Audience),
        (put("azp", json!("another")), Forged::Audience),
        (drop("aud"), Forged::Malformed),
        (put("exp", json!(NOW - 60)), Forged::Expired),
        (put("exp", json!(0)), Forged::Expired),
        (put("exp", json!(-1e300)), Forged::Expired),
        (put("exp", json!("4102444800")), Forged::Malformed),
        (drop("exp"), Forged::Malformed),
        (put("iat", json!(NOW + 61)), Forged::Future),
        (put("nbf", json!(NOW + 61)), Forged::Future),
        (drop("iat"), Forged::Malformed),
        (put("nonce", json!("n-2")), Forged::Nonce),
        (put("nonce", json!("")), Forged::Nonce),
        (drop("nonce"), Forged::Nonce),
    ] {
        assert_eq!(verify(&signer.sign(&claims), &set, expected()), Err(why), "{claims}");
    }
    // The same member twice: two readers could read two tokens.
    let twice = claims().to_string().replacen("{", "{\"sub\":\"admin\",", 1);
    assert_eq!(verify(&signer.sign_text(&twice), &set, expected()), Err(Forged::Malformed));
}

#[test]
fn os_24_a_forged_token_is_not_believed_whatever_it_says() {
    let (signer, forger) = (Signer::rsa(RSA, "RS256"), Signer::rsa(ANOTHER_RSA, "RS256"));
    let ec = Signer::p256(P256);
    let set = keys([&signer, &ec]);
    let genuine = signer.sign(&claims());
    let parts: Vec<&str> = genuine.expose().split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let unsigned = |alg: &str| base64url(json!({ "alg": alg, "kid": "key-RS256" }).to_string().as_bytes());
    let admin = base64url(with(|c| c["sub"] = json!("admin")).to_string().as_bytes());
    let n = signer.public["n"].as_str().unwrap();
    let under = |header: Value| signer.sign_under(&header, &claims());
    let hmac_named = |key: &[u8]| {
        let header = json!({ "alg": "HS256", "kid": "key-RS256" });
        Signer::hmac(key).sign_under(&header, &claims())
    };
    let token = |text: String| AccessToken::new(text);
    for (about, forged, why) in [
        ("no signature", token(format!("{}.{body}.", unsigned("none"))), Forged::Algorithm),
        (
            "none, and a signature",
            token(format!("{}.{body}.{signature}", unsigned("none"))),
            Forged::Algorithm,
        ),
        ("None", token(format!("{}.{body}.", unsigned("None"))), Forged::Algorithm),
        ("the public key as a secret", hmac_named(n.as_bytes()), Forged::Algorithm),
        ("the public key's PEM as a secret", hmac_named(RSA.as_bytes()), Forged::Algorithm),
        ("an empty secret", hmac_named(b""), Forged::Algorithm),
        (
            "an algorithm that nobody knows",
            under(json!({ "alg": "XS256", "kid": "key-RS256" })),
            Forged::Algorithm,
        ),
        ("another's key, under the right name", forger.sign(&claims()), Forged::Signature),
        ("another's key, under its own name", forger.named(Some("mine")).sign(&claims()), Forged::UnknownKey),
        ("another body", token(format!("{header}.{admin}.{signature}")), Forged::Signature),
        (
            "another algorithm of the same key",
            under(json!({ "alg": "PS256", "kid": "key-RS256" })),
            Forged::Signature,
        ),
        (
            "an algorithm of another kind of key",
            under(json!({ "alg": "ES256", "kid": "key-RS256" })),
            Forged::UnknownKey,
        ),
        ("a key of another kind", under(json!({ "alg": "RS256", "kid": "key-ES256" })), Forged::UnknownKey),
        (
            "a key that it brings along",
            Signer::p384(P384).sign_under(
                &json!({ "alg": "ES384", "jwk": Signer::p384(P384).public, "jku": "https://evil.example/j" }),
                &claims(),
            ),
            Forged::UnknownKey,
        ),
        (
            "a header that must be understood",
            under(json!({ "alg": "RS256", "crit": ["b64"], "b64": false })),
            Forged::Header,
        ),
        ("an access token", under(json!({ "alg": "RS256", "typ": "at+jwt" })), Forged::Header),
        ("a logout token", under(json!({ "alg": "RS256", "typ": "logout+jwt" })), Forged::Header),
        ("no algorithm", under(json!({ "kid": "key-RS256" })), Forged::Malformed),
        (
            "a cut signature",
            token(genuine.expose()[..genuine.expose().len() - 8].to_owned()),
            Forged::Signature,
        ),
        ("no signature left", token(format!("{header}.{body}.")), Forged::Signature),
        ("what is no base64url", token(format!("{header}.{body}.!!!")), Forged::Signature),
        ("two parts", token(format!("{header}.{body}")), Forged::Malformed),
        ("four parts", token(format!("{header}.{body}.{signature}.x")), Forged::Signature),
        ("five parts, as if encrypted", token(format!("{header}.a.b.c.d")), Forged::Signature),
        ("nothing", token(String::new()), Forged::Malformed),
        ("no JSON", token(format!("{}.{body}.{signature}", base64url(b"[]"))), Forged::Malformed),
        ("padding", token(format!("{header}=.{body}.{signature}")), Forged::Malformed),
        ("a megabyte", token(format!("{header}.{}.{signature}", "A".repeat(1 << 20))), Forged::Malformed),
    ] {
        assert_eq!(verify(&forged, &set, expected()), Err(why), "{about}");
        let said = why.to_string();
        assert!(said.starts_with("the id_token") && !said.contains("u-1"), "{said}");
    }
    assert!(verify(&genuine, &set, expected()).is_ok());
}

#[test]
fn os_24_a_key_is_used_for_what_it_is_for_and_nothing_else() {
    let signer = Signer::rsa(RSA, "RS256");
    let (nameless, other) =
        (Signer::rsa(RSA, "RS256").named(None), Signer::rsa(ANOTHER_RSA, "RS256").named(Some("o")));
    let read = |jwk: Value| KeySet::read(json!({ "keys": [jwk] }).to_string().as_bytes());
    let with = |name: &str, value: &str| {
        let mut jwk = signer.jwk();
        jwk[name] = json!(value);
        read(jwk)
    };
    let token = signer.sign(&claims());
    let judged = |set: KeySet| verify(&token, &set, expected()).map(|_| ());
    assert_eq!(judged(with("use", "sig").unwrap()), Ok(()));
    assert_eq!(judged(with("alg", "RS256").unwrap()), Ok(()));
    assert_eq!(judged(with("alg", "PS256").unwrap()), Err(Forged::UnknownKey));
    let none = "jwks_url: has no key that id_tokens could be verified with";
    for unusable in
        [with("use", "enc"), with("kty", "oct"), with("kty", "RSA2"), with("n", "!"), read(json!(7))]
    {
        assert_eq!(unusable.unwrap_err().to_string(), none);
    }
    // A token without a name is measured by each key that it could be of.
    let nameless = nameless.sign(&claims());
    assert!(verify(&nameless, &keys([&other, &signer]), expected()).is_ok());
    assert_eq!(verify(&nameless, &keys([&other]), expected()), Err(Forged::Signature));
    // What one key is that cannot be read takes nothing from the others.
    let set = json!({ "keys": [{ "kty": "AKP", "alg": "ML-DSA-44" }, null, { "kty": "RSA" }, signer.jwk()] });
    assert_eq!(judged(KeySet::read(set.to_string().as_bytes()).unwrap()), Ok(()));
    for (text, what) in [("<html>", "has no JSON"), ("{}", "has no `keys`"), ("{\"keys\":[]}", "has no key ")]
    {
        let error = KeySet::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("jwks_url: ") && error.contains(what), "{error}");
    }
}

#[test]
fn os_24_an_issuer_of_all_tenants_is_filled_with_the_tokens_own_and_only_where_a_descriptor_says_so() {
    let signer = Signer::rsa(RSA, "RS256");
    let set = keys([&signer]);
    let provider =
        Provider::new(Catalogue::bundled().unwrap().get("microsoft").unwrap(), &BTreeMap::new(), None);
    let provider = provider.unwrap();
    assert_eq!(provider.jwks_url().unwrap().path(), "/common/discovery/v2.0/keys");
    let issuer = provider.id_token_issuer().unwrap();
    assert_eq!(issuer, "https://login.microsoftonline.com/{tenantid}/v2.0");
    let said = |iss: &str, tid: Value| {
        let token = signer.sign(&with(|c| {
            c["iss"] = json!(iss);
            c["tid"] = tid;
        }));
        verify(&token, &set, Expected { issuer, ..expected() }).map(|claims| claims.issuer)
    };
    let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    assert_eq!(said(&of(tenant), json!(tenant)), Ok(of(tenant)));
    for (iss, tid) in [
        (of(tenant), json!("9188040d-6c67-4c5b-b112-36a304b66dad")),
        (of(tenant), Value::Null),
        (of("{tenantid}"), json!("{tenantid}")),
        (of("{tenantid}"), Value::Null),
        (of("a/../b"), json!("a/../b")),
        (of(""), json!("")),
        (format!("https://evil.example/{tenant}/v2.0"), json!(tenant)),
    ] {
        assert_eq!(said(&iss, tid.clone()), Err(Forged::Issuer), "{iss} {tid}");
    }
    // Anywhere else `tid` changes nothing.
    let token = signer.sign(&with(|c| c["tid"] = json!(tenant)));
    assert_eq!(verify(&token, &set, expected()).unwrap().issuer, ISSUER);
}
