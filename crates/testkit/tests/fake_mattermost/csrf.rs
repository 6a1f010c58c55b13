//! What proves that a cookie's request is meant, and where a token may stand.

use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::wire::{Answer, Ask};

use crate::{Scene, is, refused};

async fn probe(scene: &Scene, dress: impl FnOnce(Ask) -> Ask) -> Answer {
    let ask = Ask::post("/api/v4/users/status/ids", format!("[\"{}\"]", scene.ada));
    scene.send(&dress(ask)).await
}

#[tokio::test]
async fn a_cookie_s_request_repeats_the_session_s_value_unless_it_only_reads() {
    let scene = Scene::of(Version::V10_11).await;
    let session = scene.mattermost.session(&scene.ada);
    let cookie = format!("MMAUTHTOKEN={}; MMCSRF={}", session.token, session.csrf);
    let me = scene.send(&Ask::get("/api/v4/users/me").with("Cookie", &cookie)).await;
    assert_eq!(me.status, 200, "{}", me.text());
    let right = probe(&scene, |ask| ask.with("Cookie", &cookie).with("X-CSRF-Token", &session.csrf)).await;
    assert_eq!(right.status, 200, "{}", right.text());
    for wrong in ["", "x", &session.token] {
        let answer = probe(&scene, |ask| ask.with("Cookie", &cookie).with("X-CSRF-Token", wrong)).await;
        assert_eq!(refused(&answer), is(401, "api.context.session_expired.app_error"));
    }
    // The lenient way, as long as it is not strict.
    let lenient = |ask: Ask| ask.with("Cookie", &cookie).with("X-Requested-With", "XMLHttpRequest");
    assert_eq!(probe(&scene, lenient).await.status, 200);
    scene.mattermost.set("ServiceSettings.ExperimentalStrictCSRFEnforcement", true);
    assert_eq!(probe(&scene, lenient).await.status, 401);
}

#[tokio::test]
async fn a_token_in_a_header_proves_itself_and_the_cookie_comes_first() {
    let scene = Scene::of(Version::V11_6).await;
    for scheme in ["Bearer", "BEARER", "bearer", "token", "Token"] {
        let answer =
            probe(&scene, |ask| ask.with("Authorization", format!("{scheme} {}", scene.token))).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
    // Below /api the cookie is looked at first: a good header does not help a cookie that proves nothing.
    let other = scene.mattermost.session(&scene.ada);
    let both =
        probe(&scene, |ask| ask.bearer(&scene.token).with("Cookie", format!("MMAUTHTOKEN={}", other.token)));
    assert_eq!(both.await.status, 401);
    // In the address there may only be a token of a client.
    let answer = scene.send(&Ask::get(format!("/api/v4/users/me?access_token={}", scene.token))).await;
    assert_eq!(refused(&answer), is(401, "api.context.token_provided.app_error"));
}

#[tokio::test]
async fn a_token_that_is_nobody_s_takes_the_cookie_away() {
    let scene = Scene::of(Version::V6_7).await;
    let answer = scene.send(&Ask::get("/api/v4/users/me").with("Cookie", "MMAUTHTOKEN=gone")).await;
    assert_eq!(refused(&answer), is(401, "api.context.session_expired.app_error"));
    assert!(answer.header("set-cookie").unwrap().starts_with("MMAUTHTOKEN=;"), "{}", answer.whole());
    let nothing = scene.send(&Ask::get("/api/v4/users/me")).await;
    assert_eq!((nothing.status, nothing.header("set-cookie")), (401, None));
}

#[tokio::test]
async fn signing_in_gives_cookies_to_pages_and_the_token_in_a_header_to_all() {
    let scene = Scene::of(Version::V11_6).await;
    let login = || Ask::post("/api/v4/users/login", r#"{"login_id":"ada","password":"ada"}"#);
    let plain = scene.send(&login()).await;
    assert_eq!((plain.status, plain.header("set-cookie")), (200, None));
    assert_eq!(scene.mattermost.holder(plain.header("token").unwrap()), Some(scene.ada.clone()));
    let page = scene.send(&login().with("X-Requested-With", "XMLHttpRequest")).await;
    for name in ["MMAUTHTOKEN=", "MMUSERID=", "MMCSRF="] {
        assert!(page.whole().contains(name), "{}", page.whole());
    }
    let wrong = scene.send(&Ask::post("/api/v4/users/login", r#"{"login_id":"ada","password":"x"}"#)).await;
    assert_eq!(refused(&wrong), is(401, "api.user.login.invalid_credentials_email_username"));
    scene.mattermost.deactivate(&scene.ada);
    assert_eq!(refused(&scene.send(&login()).await), is(401, "api.user.login.inactive.app_error"));
}
