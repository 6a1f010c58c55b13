//! The reader and the way out against a provider that misbehaves: what is understood, what is kept, and what is known.
//! The numbers are those of the simulator's switches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tessera_server::providers::{Class, Expiry, Failure, Metadata, Provider, Tokens};
use tessera_types::RefreshToken;

use crate::stage::{NOW, Stage};

use Class::{Operator, Terminal, Transient};

const ROTATION: &str = "refresh = { rotation = 'always' }";

fn held(tokens: &Tokens) -> RefreshToken {
    tokens.refresh_token.clone().unwrap()
}

/// Class, code, and whether the outcome is unknown.
fn told(failure: &Failure) -> (Class, &str, bool) {
    (failure.class, &failure.code, failure.outcome_unknown)
}

fn in_seconds(expiry: Expiry) -> Option<i64> {
    match expiry {
        Expiry::At(at) => Some(at / 1000 - NOW),
        Expiry::Never | Expiry::Unknown => None,
    }
}

#[tokio::test]
async fn quirk_01_a_form_is_read_like_json() {
    let stage = Stage::new("").await;
    let plain = stage.connect().await.unwrap();
    stage.set(&["form-reply", "rotate-refresh-tokens"]);
    let form = stage.refresh(&held(&plain)).await.unwrap();
    assert!(stage.works(&form.access_token).await);
    assert_eq!((form.expiry, form.scopes, form.token_type), (plain.expiry, plain.scopes, plain.token_type));
    assert!(stage.refresh(form.refresh_token.as_ref().unwrap()).await.is_ok());
    let failure = stage.refresh(&RefreshToken::new("unknown")).await.unwrap_err();
    assert_eq!(told(&failure), (Terminal, "invalid_grant", false));
}

#[tokio::test]
async fn quirk_02_an_error_with_200_is_an_error() {
    let stage = Stage::new("").await;
    stage.set(&["error-with-200"]);
    let failure = stage.refresh(&RefreshToken::new("unknown")).await.unwrap_err();
    assert_eq!((told(&failure), failure.status), ((Terminal, "invalid_grant", false), 200));
}

#[tokio::test]
async fn quirk_03_a_token_within_is_found_where_the_descriptor_says_and_else_nothing_is_known() {
    for (rules, found) in [("reply = { within = 'data' }", true), ("", false)] {
        let stage = Stage::new(rules).await;
        stage.set(&["nested-token"]);
        match stage.connect().await {
            Ok(tokens) => assert!(found && stage.works(&tokens.access_token).await),
            Err(failure) => {
                assert!(!found);
                assert_eq!(told(&failure), (Transient, "no_access_token", true));
            }
        }
    }
}

#[tokio::test]
async fn quirk_04_a_list_of_scopes_is_read() {
    let stage = Stage::new("").await;
    stage.set(&["scope-array"]);
    assert_eq!(stage.connect().await.unwrap().scopes.unwrap(), ["profile", "email"]);
}

#[tokio::test]
async fn quirk_05_06_07_a_life_in_text_none_or_zero_costs_no_token() {
    for (rules, switch, seconds, forever) in [
        ("", "string-ttl", Some(3600), false),
        ("", "no-ttl", None, false),
        ("reply = { default_ttl = 7200 }", "no-ttl", Some(7200), false),
        ("reply = { silent_is_forever = true }", "no-ttl", None, true),
        ("", "zero-ttl", None, false),
        ("reply = { zero_is_forever = true }", "zero-ttl", None, true),
    ] {
        let stage = Stage::new(rules).await;
        stage.set(&[switch, "rotate-refresh-tokens"]);
        let first = stage.connect().await.unwrap();
        let second = stage.refresh(&held(&first)).await.unwrap();
        for tokens in [&first, &second] {
            assert!(stage.works(&tokens.access_token).await);
            let seen = (in_seconds(tokens.expiry), tokens.expiry == Expiry::Never);
            assert_eq!(seen, (seconds, forever), "{rules} {switch}");
        }
        assert_ne!(held(&first).expose(), held(&second).expose());
    }
}

#[tokio::test]
async fn quirk_08_a_refresh_without_a_new_refresh_token_leaves_the_one_that_is_held() {
    let stage = Stage::new("").await;
    let tokens = stage.connect().await.unwrap();
    for (position, comes) in [("omitted", false), ("empty", false), ("repeated", true)] {
        stage.set(&[&format!("keep-refresh-token={position}")]);
        let renewed = stage.refresh(&held(&tokens)).await.unwrap().refresh_token;
        assert_eq!(
            renewed.as_ref().map(|token| token.expose() == held(&tokens).expose()),
            comes.then_some(true)
        );
    }
}

#[tokio::test]
async fn quirk_13_a_lost_reply_leaves_the_outcome_unknown() {
    let stage = Stage::new(ROTATION).await;
    let tokens = stage.connect().await.unwrap();
    stage.set(&["rotate-refresh-tokens", "reply-lost*1"]);
    let failure = stage.refresh(&held(&tokens)).await.unwrap_err();
    assert_eq!((told(&failure), failure.status), ((Transient, "no_reply", true), 0));
    let requests = stage.simulator.token_requests();
    assert_eq!(requests, 2, "sent once, and not again by itself");
    let failure = stage.refresh(&held(&tokens)).await.unwrap_err();
    assert_eq!(told(&failure), (Terminal, "invalid_grant", false), "it was spent indeed");
}

#[tokio::test]
async fn quirk_14_34_a_reply_that_is_late_or_stalls_leaves_the_outcome_unknown() {
    for switch in ["delayed-reply=3600000*1", "body-fault=stalled*1"] {
        let stage = Stage::new(ROTATION).await;
        let tokens = stage.connect().await.unwrap();
        stage.set(&["rotate-refresh-tokens", switch]);
        let failure = stage.refresh_in_vain(&held(&tokens)).await;
        assert_eq!((told(&failure), failure.status), ((Transient, "no_reply", true), 0), "{switch}");
        assert_eq!((stage.simulator.token_requests(), stage.simulator.refreshes()), (2, 1), "{switch}");
    }
}

#[tokio::test]
async fn quirk_15_invalid_grant_with_403_is_the_end_of_the_grant() {
    let stage = Stage::new("").await;
    stage.set(&["invalid-grant-403"]);
    let failure = stage.refresh(&RefreshToken::new("unknown")).await.unwrap_err();
    assert_eq!((told(&failure), failure.status), ((Terminal, "invalid_grant", false), 403));
}

#[tokio::test]
async fn quirk_16_a_gateways_page_passes_and_leaves_the_outcome_unknown() {
    let stage = Stage::new("").await;
    let tokens = stage.connect().await.unwrap();
    stage.set(&["html-502*1"]);
    let failure = stage.refresh(&held(&tokens)).await.unwrap_err();
    assert_eq!((told(&failure), failure.status), ((Transient, "http_502", true), 502));
    assert!(stage.refresh(&held(&tokens)).await.is_ok());
}

#[tokio::test]
async fn quirk_17_too_many_requests_says_for_how_long() {
    let stage = Stage::new("").await;
    let tokens = stage.connect().await.unwrap();
    for (switch, wait) in [("rate-limited=7*1", 7), ("rate-limited=date+90*1", 90)] {
        stage.set(&[switch]);
        let failure = stage.refresh(&held(&tokens)).await.unwrap_err();
        assert_eq!((told(&failure), failure.status), ((Transient, "rate_limited", false), 429));
        assert_eq!(failure.retry_after, Some(Duration::from_secs(wait)));
    }
    assert!(stage.refresh(&held(&tokens)).await.is_ok());
}

#[tokio::test]
async fn quirk_18_os_19_a_secret_in_the_wrong_place_is_the_operators_work_and_no_other_is_tried() {
    for (auth, wrong) in [("basic", "body"), ("post", "basic")] {
        let stage = Stage::new(&format!("client_auth = '{auth}'\n")).await;
        stage.set(&[&format!("secret-place={}", if auth == "post" { "body" } else { "basic" })]);
        let tokens = stage.connect().await.unwrap();
        stage.set(&[&format!("secret-place={wrong}")]);
        let failure = stage.refresh(&held(&tokens)).await.unwrap_err();
        assert_eq!(told(&failure), (Operator, "invalid_client", false));
        assert_eq!(stage.simulator.token_requests(), 2, "the other place is not tried");
    }
}

#[tokio::test]
async fn quirk_19_a_json_body_is_sent_where_the_descriptor_says() {
    for (rules, taken) in [("body_format = 'json'\n", true), ("", false)] {
        let stage = Stage::new(rules).await;
        stage.set(&["json-body-only"]);
        match stage.connect().await {
            Ok(tokens) => assert!(taken && stage.refresh(&held(&tokens)).await.is_ok()),
            Err(failure) => {
                assert!(!taken);
                assert_eq!(told(&failure), (Operator, "invalid_request", false));
            }
        }
    }
}

#[tokio::test]
async fn quirk_20_refreshes_go_to_their_own_address() {
    let stage = Stage::new("refresh_url = 'URL/token/refresh'\n").await;
    stage.set(&["separate-refresh-url"]);
    let tokens = stage.connect().await.unwrap();
    assert!(stage.refresh(&held(&tokens)).await.is_ok());
    let stage = Stage::new("").await;
    stage.set(&["separate-refresh-url"]);
    let tokens = stage.connect().await.unwrap();
    let failure = stage.refresh(&held(&tokens)).await.unwrap_err();
    assert_eq!(told(&failure), (Operator, "unsupported_grant_type", false));
}

#[tokio::test]
async fn quirk_21_fewer_scopes_are_told() {
    let stage = Stage::new("").await;
    stage.set(&["fewer-scopes=email"]);
    assert_eq!(stage.connect().await.unwrap().scopes.unwrap(), ["profile"]);
}

#[tokio::test]
async fn quirk_25_a_refresh_ends_the_old_access_token_and_the_new_one_works() {
    let stage = Stage::new("").await;
    stage.set(&["kill-old-access-token"]);
    let old = stage.connect().await.unwrap();
    assert!(stage.works(&old.access_token).await);
    let new = stage.refresh(&held(&old)).await.unwrap();
    assert!(!stage.works(&old.access_token).await && stage.works(&new.access_token).await);
}

#[tokio::test]
async fn quirk_26_a_wrong_issuer_is_refused_and_so_is_none_where_one_was_promised() {
    let stage = Stage::new("discovery = true\n").await;
    for (position, fine) in [("present", true), ("wrong", false), ("missing", false), ("unsupported", true)] {
        stage.set(&[&format!("iss={position}")]);
        let metadata = Metadata::fetch(&stage.egress, &stage.simulator.url().into()).await.unwrap();
        let descriptor = Arc::new(stage.provider.descriptor().clone());
        let provider = Provider::new(descriptor, &BTreeMap::new(), Some(&metadata)).unwrap();
        let iss = stage.iss().await;
        assert_eq!(provider.check_issuer(iss.as_deref()).is_ok(), fine, "{position}: {iss:?}");
    }
}

#[tokio::test]
async fn quirk_28_a_token_of_16_kb_arrives_whole() {
    let stage = Stage::new("").await;
    stage.set(&["long-token"]);
    let tokens = stage.connect().await.unwrap();
    assert_eq!(tokens.access_token.expose().len(), 16_384);
    assert!(stage.works(&tokens.access_token).await);
    stage.set(&["long-token=70000*1"]);
    let failure = stage.refresh(&held(&tokens)).await.unwrap_err();
    assert_eq!(told(&failure), (Transient, "no_reply", true), "more than a reply may weigh");
}

#[tokio::test]
async fn quirk_29_no_secret_follows_a_redirect() {
    let stage = Stage::new("").await;
    let tokens = stage.connect().await.unwrap();
    for status in [302_u16, 303, 307, 308] {
        stage.set(&[&format!("redirect-reply={status}*1")]);
        let failure = stage.refresh(&held(&tokens)).await.unwrap_err();
        assert_eq!(told(&failure), (Operator, format!("http_{status}").as_str(), false));
    }
    assert_eq!((stage.simulator.token_requests(), stage.simulator.refreshes()), (5, 0));
    assert!(stage.refresh(&held(&tokens)).await.is_ok());
}

#[tokio::test]
async fn quirk_31_a_clock_that_is_off_changes_no_life_that_is_stated() {
    let stage = Stage::new("").await;
    stage.set(&["clock-off=600"]);
    let tokens = stage.connect().await.unwrap();
    assert_eq!(in_seconds(tokens.expiry), Some(3600));
    stage.set(&["no-ttl"]);
    let tokens = stage.refresh(&held(&tokens)).await.unwrap();
    assert_eq!(in_seconds(tokens.expiry), Some(4200), "a moment is believed as it is");
}

#[tokio::test]
async fn quirk_32_of_two_tokens_the_persons_is_taken_and_no_copy_of_the_bots_is_kept() {
    let stage = Stage::new("reply = { within = 'authed_user' }").await;
    stage.set(&["two-tokens", "rotate-refresh-tokens"]);
    let tokens = stage.connect().await.unwrap();
    assert_eq!(tokens.token_type, "user");
    assert!(stage.works(&tokens.access_token).await);
    let extra = serde_json::to_string(&tokens.extra).unwrap();
    assert!(
        extra.contains("\"id\":\"ada\"") && !extra.contains("access-") && !extra.contains("refresh-"),
        "{extra}"
    );
    let renewed = stage.refresh(&held(&tokens)).await.unwrap();
    assert_eq!(renewed.token_type, "user");
    assert_ne!(held(&renewed).expose(), held(&tokens).expose());
}

#[tokio::test]
async fn quirk_33_a_revocation_is_answered_with_200_400_or_503() {
    let stage = Stage::new("").await;
    let tokens = stage.connect().await.unwrap();
    let refresh = held(&tokens);
    for (switch, status) in
        [("revoke-answer=503*1", 503), ("revoke-answer=200*1", 200), ("revoke-answer=400", 400)]
    {
        stage.set(&[switch]);
        assert_eq!(stage.revoke(&tokens, Some(&refresh)).await.status, status);
        assert!(stage.works(&tokens.access_token).await, "{switch} ended it");
    }
    assert_eq!(stage.revoke(&tokens, None).await.status, 200, "the access token instead");
    assert!(!stage.works(&tokens.access_token).await);
    stage.set(&["revoke-answer=off"]);
    assert_eq!(stage.revoke(&tokens, Some(&refresh)).await.status, 200);
    assert_eq!(told(&stage.refresh(&refresh).await.unwrap_err()).0, Terminal);
}

#[tokio::test]
async fn quirk_34_a_body_in_pieces_is_put_together_and_half_a_body_is_no_reply() {
    let stage = Stage::new(ROTATION).await;
    stage.set(&["rotate-refresh-tokens", "body-fault=split"]);
    let tokens = stage.connect().await.unwrap();
    let renewed = stage.refresh(&held(&tokens)).await.unwrap();
    assert!(stage.works(&renewed.access_token).await);
    stage.set(&["body-fault=cut*1"]);
    let failure = stage.refresh(&held(&renewed)).await.unwrap_err();
    assert_eq!((told(&failure), failure.status), ((Transient, "no_reply", true), 0));
}
