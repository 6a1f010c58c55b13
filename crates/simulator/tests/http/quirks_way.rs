//! Switches 13, 14 and 34: replies that are lost, late, or come in pieces.

use std::time::Duration;

use reqwest::StatusCode;

use crate::stage::{HELLO, Stage, text};

#[tokio::test]
async fn quirk_13_the_reply_is_lost_when_the_refresh_token_was_replaced_already() {
    let stage = Stage::set_up(&["rotate-refresh-tokens"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let held = text(&tokens, "refresh_token");
    stage.set(&["reply-lost*1"]);
    let (status, _) = stage.refresh(HELLO, "unknown").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "a refusal is not lost, and not counted");
    let error = stage.try_refresh(held).await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "not even a head: {error:?}");
    assert_eq!(stage.simulator.refreshes(), 1, "and yet it was done");
    let (status, error) = stage.refresh(HELLO, held).await;
    assert_eq!((status, text(&error, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    // Nobody but the simulator knows the one that would have worked.
    let lost =
        stage.simulator.issued_secrets().into_iter().rev().find(|secret| secret.starts_with("refresh-"));
    assert_eq!(stage.refresh(HELLO, &lost.unwrap()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn quirk_14_the_reply_comes_later_than_anybody_waits() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    stage.set(&["delayed-reply=3600000*1"]);
    let asked = stage.try_refresh(text(&tokens, "refresh_token"));
    let done = async {
        while stage.simulator.refreshes() == 0 {
            tokio::task::yield_now().await;
        }
        // From here on nobody moves but the timer.
        tokio::time::pause();
        tokio::time::Instant::now()
    };
    let (reply, begun) = tokio::join!(asked, done);
    assert_eq!(reply.unwrap().status(), StatusCode::OK);
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(3590) && waited < Duration::from_secs(3700), "{waited:?}");
}

#[tokio::test]
async fn quirk_34_the_body_comes_in_chunks_of_one_byte() {
    let stage = Stage::set_up(&["body-fault=split"]).await;
    let tokens = stage.tokens("ada", &[]).await;
    let mut reply = stage.try_refresh(text(&tokens, "refresh_token")).await.unwrap();
    assert_eq!(reply.headers().get("content-length"), None);
    let mut chunks = Vec::new();
    while let Some(chunk) = reply.chunk().await.unwrap() {
        chunks.push(chunk);
    }
    assert!(chunks.len() > 20, "{}", chunks.len());
    let whole: serde_json::Value = serde_json::from_slice(&chunks.concat()).unwrap();
    assert_eq!(whole["token_type"], "Bearer");
}

#[tokio::test]
async fn quirk_34_the_body_stops_half_way() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    stage.set(&["body-fault=stalled*1"]);
    let mut reply = stage.try_refresh(text(&tokens, "refresh_token")).await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    let half = reply.chunk().await.unwrap().unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&half).is_err());
    tokio::time::pause();
    let rest = tokio::time::timeout(Duration::from_secs(86_400), reply.chunk()).await;
    assert!(rest.is_err(), "nothing more for a day");
}

#[tokio::test]
async fn quirk_34_the_body_is_cut_half_way() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("ada", &[]).await;
    stage.set(&["body-fault=cut*1"]);
    let reply = stage.try_refresh(text(&tokens, "refresh_token")).await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK, "the head came");
    assert!(reply.text().await.is_err());
    assert_eq!(stage.refresh(HELLO, text(&tokens, "refresh_token")).await.0, StatusCode::OK);
}
