//! Switches 26, 30 and 35: what comes with the callback, and how often.

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::StatusCode;
use sha2::Sha256;

use crate::stage::{HELLO, REDIRECT, SECRET, Stage, VERIFIER};

impl Stage {
    async fn callback(&self) -> std::collections::BTreeMap<String, String> {
        let consent = self.consent_page("ada", &[]).await;
        self.browser.submit(&consent, &[("decision", "approve")]).await.answer()
    }

    async fn promises_iss(&self) -> bool {
        let (_, metadata, _) = self.read("/.well-known/oauth-authorization-server", "").await;
        metadata["authorization_response_iss_parameter_supported"] == true
    }
}

#[tokio::test]
async fn quirk_26_the_issuer_is_present_wrong_or_missing() {
    let stage = Stage::new().await;
    let ours = stage.simulator.url().to_owned();
    for (position, iss, promised) in [
        ("present", Some(ours.as_str()), true),
        ("wrong", Some("https://somebody-else.example"), true),
        ("missing", None, true),
        ("unsupported", None, false),
    ] {
        stage.set(&[&format!("iss={position}")]);
        assert_eq!(stage.callback().await.get("iss").map(String::as_str), iss, "{position}");
        assert_eq!(stage.promises_iss().await, promised, "{position}");
    }
    stage.set(&["iss=wrong"]);
    let refused = stage.browser.get(&Stage::authorize_path(&[("response_type", "token")])).await;
    assert_eq!(refused.answer()["iss"], "https://somebody-else.example", "errors too");
}

#[tokio::test]
async fn quirk_30_the_callback_carries_a_realm_or_a_signed_shop() {
    let stage = Stage::set_up(&["callback-extras=realm-id"]).await;
    let answer = stage.callback().await;
    assert_eq!(answer["realmId"], "9130355377388383");
    assert!(!answer.contains_key("hmac"));

    stage.set(&["callback-extras=shop"]);
    let mut answer = stage.callback().await;
    assert_eq!(
        (answer["shop"].as_str(), answer["timestamp"].as_str()),
        ("simulator.myshopify.com", "1800000000")
    );
    let signature = answer.remove("hmac").unwrap();
    // A map is sorted by name.
    let message: Vec<_> = answer.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.join("&").as_bytes());
    let bytes: Vec<u8> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(&signature[at..at + 2], 16).unwrap()).collect();
    mac.verify_slice(&bytes).unwrap();
}

#[tokio::test]
async fn quirk_35_a_page_loads_the_callback_twice() {
    let stage = Stage::set_up(&["callback-twice*1"]).await;
    let consent = stage.consent_page("ada", &[]).await;
    let page = stage.browser.submit(&consent, &[("decision", "approve")]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-security-policy").contains("img-src http://localhost:8065;"));
    let body = page.body.replace("&#38;", "&");
    let after = |start: &str| body.split_once(start).unwrap().1.split('"').next().unwrap().to_owned();
    let (image, refresh) = (after("<img src=\""), after("http-equiv=\"refresh\" content=\"1;url="));
    assert_eq!(image, refresh);
    let callback = url::Url::parse(&image).unwrap();
    assert!(image.starts_with(REDIRECT), "{image}");
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let (first, _) = stage.exchange(HELLO, &code, VERIFIER).await;
    let (second, _) = stage.exchange(HELLO, &code, VERIFIER).await;
    assert_eq!((first, second), (StatusCode::OK, StatusCode::BAD_REQUEST), "a client must swap it once");
    assert!(stage.code("ada", &[]).await.starts_with("code-"), "one time, and then off");
}
