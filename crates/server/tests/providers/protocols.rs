//! The protocols beside the code flow, the whole way against a provider that checks them.

use tessera_server::providers::{
    Class, DeviceNext, DevicePoll, Expected, Forged, Keys, Probe, Unverified, Verifier, verdict,
};
use tessera_types::{AccessToken, ClientSecret};
use url::Url;

use crate::signer::{ANOTHER_RSA, P256, RSA, Signer};
use crate::stage::{ID, NOW, REDIRECT, Stage, VERIFIER};

#[tokio::test]
async fn os_20_a_provider_that_takes_each_assertion_once_takes_all_of_ours() {
    let auth = "client_auth = 'private_key_jwt'\n";
    let to_endpoint = format!("{auth}assertion_audience = 'token_endpoint'\n");
    for (rules, pem, signer) in [
        (auth, RSA, Signer::rsa(RSA, "RS256")),
        (auth, P256, Signer::p256(P256)),
        (&to_endpoint, P256, Signer::p256(P256)),
    ] {
        let stage = Stage::signing(pem, &signer.jwk(), rules).await;
        let tokens = stage.connect().await.unwrap();
        let held = tokens.refresh_token.clone().unwrap();
        // Twice the same: were the assertion the same, too, the second would be refused.
        for _ in 0..2 {
            assert!(stage.works(&stage.refresh(&held).await.unwrap().access_token).await);
        }
        assert_eq!(stage.revoke(&tokens, Some(&held)).await.status, 200);
        assert_eq!(stage.refresh(&held).await.unwrap_err().class, Class::Terminal);
    }
    let stage = Stage::signing(ANOTHER_RSA, &Signer::rsa(RSA, "RS256").jwk(), auth).await;
    let failure = stage.connect().await.unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Operator, "invalid_client"));
}

#[tokio::test]
async fn os_24_the_id_token_of_a_flow_is_believed_in_that_flow_and_after_the_keys_changed() {
    let stage = Stage::new("").await;
    let scopes = ["openid".to_owned(), "profile".to_owned(), "email".to_owned()];
    let keys = Keys::new(stage.provider.jwks_url().unwrap().clone());
    let nonce = Verifier::of(AccessToken::new(VERIFIER)).nonce();
    let expected = Expected {
        issuer: stage.provider.id_token_issuer().unwrap(),
        client_id: ID,
        nonce: Some(&nonce),
        now_ms: NOW * 1000,
    };
    let first = stage.connect_for(&scopes).await.unwrap().id_token.unwrap();
    let claims = keys.verify(&stage.egress, &first, expected).await.unwrap();
    assert_eq!((claims.issuer.as_str(), claims.subject.as_str()), (stage.simulator.url(), "ada"));
    assert_eq!((claims.email.as_deref(), claims.email_verified), (Some("ada@simulator.example"), true));
    let another = Verifier::of(AccessToken::new("v".repeat(43))).nonce();
    let elsewhere = Expected { nonce: Some(&another), ..expected };
    let refused = keys.verify(&stage.egress, &first, elsewhere).await;
    assert_eq!(refused, Err(Unverified::Forged(Forged::Nonce)));

    stage.simulator.renew_signing_key();
    let second = stage.connect_for(&scopes).await.unwrap();
    let later = Expected { now_ms: (NOW + 60) * 1000, ..expected };
    assert!(keys.verify(&stage.egress, &second.id_token.unwrap(), later).await.is_ok());
    assert!(keys.verify(&stage.egress, &first, later).await.is_ok(), "what the key before it signed");
    // A refreshed one is of no flow, so it has no nonce.
    let renewed = stage.refresh(&second.refresh_token.unwrap()).await.unwrap().id_token.unwrap();
    assert!(keys.verify(&stage.egress, &renewed, later).await.is_err());
    assert!(keys.verify(&stage.egress, &renewed, Expected { nonce: None, ..later }).await.is_ok());
    assert!(stage.connect().await.unwrap().id_token.is_none(), "nobody asked for one");
}

#[tokio::test]
async fn a_device_gets_its_tokens_once_its_person_agreed() {
    let stage = Stage::new("").await;
    let (client, now) = (stage.client(), NOW * 1000);
    let begin = stage.provider.device(&stage.env, client, &[]).unwrap().unwrap();
    let device = stage.provider.device_code(&stage.egress, begin, now).await.unwrap();
    assert_eq!(device.verification_uri.as_str(), format!("{}/device", stage.simulator.url()));
    let mut poll = DevicePoll::new(&device, now);
    let ask = async || {
        let asking = stage.provider.device_token(&stage.env, client, &device.device_code).unwrap();
        stage.provider.tokens(&stage.egress, asking, now).await
    };
    let told = ask().await.unwrap_err();
    assert_eq!(poll.failed(&told, now), DeviceNext::At(now + 5_000));
    // The provider's clock stands still, so each question comes too soon.
    for pause in [10_000, 15_000, 20_000] {
        let told = ask().await.unwrap_err();
        assert_eq!(told.code, "slow_down");
        assert_eq!(poll.failed(&told, now), DeviceNext::At(now + pause));
    }
    for (approve, next) in [(true, None), (false, Some(DeviceNext::Denied))] {
        let begin = stage.provider.device(&stage.env, client, &[]).unwrap().unwrap();
        let device = stage.provider.device_code(&stage.egress, begin, now).await.unwrap();
        assert!(stage.simulator.answer_device(&device.user_code, "ada", approve));
        let asking = stage.provider.device_token(&stage.env, client, &device.device_code).unwrap();
        match (stage.provider.tokens(&stage.egress, asking, now).await, next) {
            (Ok(tokens), None) => {
                assert!(stage.works(&tokens.access_token).await);
                assert!(stage.refresh(&tokens.refresh_token.unwrap()).await.is_ok());
            }
            (Err(failure), Some(next)) => {
                assert_eq!(DevicePoll::new(&device, now).failed(&failure, now), next);
            }
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_client_gets_a_token_of_its_own() {
    let stage = Stage::new("").await;
    let asked = ["reports".to_owned()];
    let asking = stage.provider.client_credentials(&stage.env, stage.client(), &asked).unwrap();
    let tokens = stage.provider.tokens(&stage.egress, asking, NOW * 1000).await.unwrap();
    assert_eq!(tokens.scopes.unwrap(), asked);
    assert!(tokens.refresh_token.is_none());
}

#[tokio::test]
async fn a_probe_tells_a_good_client_from_a_bad_one_and_spends_nothing() {
    let stage = Stage::new("").await;
    let redirect = Url::parse(REDIRECT).unwrap();
    let probe = async |secret: &ClientSecret| {
        let client = tessera_server::providers::Client { secret, ..stage.client() };
        let outgoing = stage.provider.probe(&stage.env, client, &redirect).unwrap();
        verdict(&stage.provider.tokens(&stage.egress, outgoing, NOW * 1000).await)
    };
    assert_eq!(probe(&ClientSecret::new("s3cret")).await, Probe::Accepted);
    let code = "invalid_client".to_owned();
    assert_eq!(probe(&ClientSecret::new("wrong")).await, Probe::Refused { code });
    assert!(stage.simulator.issued_secrets().is_empty());
    stage.set(&["html-502*1"]);
    let code = "http_502".to_owned();
    assert_eq!(probe(&ClientSecret::new("s3cret")).await, Probe::Unclear { code });
}
