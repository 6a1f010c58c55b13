//! Callbacks that do not fit: the App is not called, nothing is consumed, and the owner still gets through.

use serde_json::json;
use tessera_testkit::site::{PERMISSIONS, flow};
use tessera_testkit::wire::Ask;

use crate::apps::{Scene, state_in};
use crate::form;

const MISMATCH: &str = "state mismatch: forbidden\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_14_a_callback_that_does_not_fit_is_refused_and_consumes_nothing() {
    let scene = Scene::set().await;
    let user = &scene.user;
    let state = scene.begin(user).await;
    let (random, owner) = state.split_once('.').unwrap();
    let long = "x".repeat(4_097);
    let many = "&a=b".repeat(2_100);
    let cases = [
        (String::new(), 401, "no state arg in the URL: unauthorized\n"),
        ("code=c".to_owned(), 401, "no state arg in the URL: unauthorized\n"),
        ("code=c&state=".to_owned(), 401, "no state arg in the URL: unauthorized\n"),
        (format!("code=c&state={random}"), 403, "forbidden\n"),
        (format!("code=c&state={random}."), 403, "forbidden\n"),
        (format!("code=c&state=.{owner}"), 403, MISMATCH),
        (format!("code=c&state={state}."), 403, "forbidden\n"),
        (format!("code=c&state={random}..{owner}"), 403, "forbidden\n"),
        (format!("code=c&state=a{state}"), 403, MISMATCH),
        (format!("code=c&state={}", state.to_uppercase()), 403, "forbidden\n"),
        (format!("code=c&state={state}%00"), 403, "forbidden\n"),
        (format!("code=c&state=%ff.{owner}"), 403, MISMATCH),
        (
            format!("state={state}&state={state}"),
            400,
            "the parameter state came more than once: invalid input\n",
        ),
        (
            format!("state={state}&code=a&code=b"),
            400,
            "the parameter code came more than once: invalid input\n",
        ),
        (format!("state={state}&iss=a&iss=b"), 400, "the parameter iss came more than once: invalid input\n"),
        (
            format!("state={state}&error=a&error=b"),
            400,
            "the parameter error came more than once: invalid input\n",
        ),
        (format!("state={state}&%73tate=b"), 400, "the parameter state came more than once: invalid input\n"),
        (
            format!("state={state}&code=c&access_token=planted-token"),
            400,
            "an access token in the address is not accepted: use the authorization code flow: invalid input\n",
        ),
        (format!("state={state}&code={long}"), 400, "the query is too long: invalid input\n"),
        (format!("state={state}&code=c{many}"), 400, "the query is too long: invalid input\n"),
    ];
    for (query, status, text) in cases {
        let answer = scene.complete(user, &query).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, text), "{query:.120}");
        assert!(!answer.whole().contains("planted-token"));
        form::check(&answer, &query);
    }
    assert!(scene.fake.calls_to("/oauth2/complete").is_empty(), "the App was called");
    // One short of either limit is fine.
    let code = "x".repeat(4_096);
    let answer = scene.complete(user, &format!("state={state}&code={code}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let call = scene.fake.calls_to("/oauth2/complete").pop().unwrap().json();
    assert_eq!(call["values"]["code"], code);
    scene.stands("callbacks").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_02_a_state_of_somebody_else_or_of_another_app_is_refused_and_stays_good() {
    let scene = Scene::set().await;
    let site = scene.site();
    site.install(&scene.admin, &scene.fake.manifest("other", &PERMISSIONS)).await;
    let stranger = site.sign_in("user-2").await;
    let state = scene.begin(&scene.user).await;
    let query = format!("code=c&state={state}");

    let answer = scene.complete(&stranger, &query).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "forbidden\n"));
    let renamed = format!("code=c&state={}.{}", state.split('.').next().unwrap(), stranger.id);
    let answer = scene.complete(&stranger, &renamed).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, MISMATCH));
    let other = Ask::get(format!("{}?{query}", flow("other", "complete")));
    let answer = site.send(&other.bearer(&scene.user.token)).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, MISMATCH));
    let (token, bot) = site.tokens(&scene.user, &scene.fake, "hello").await;
    for token in [token, bot] {
        let answer =
            site.send(&Ask::get(format!("{}?{query}", flow("hello", "complete"))).bearer(&token)).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        form::check(&answer, "an App's token");
    }
    assert!(scene.fake.calls_to("/oauth2/complete").is_empty(), "the App was called");

    assert_eq!(scene.complete(&scene.user, &query).await.status, 200);
    let answer = scene.complete(&scene.user, &query).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, MISMATCH), "spent twice");
    assert_eq!(scene.fake.calls_to("/oauth2/complete").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_04_a_state_lives_for_fifteen_minutes_and_not_longer() {
    let scene = Scene::set().await;
    let (early, late) = (scene.begin(&scene.user).await, scene.begin(&scene.user).await);
    scene.server.clock.advance_ms((14 * 60 + 59) * 1000);
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={early}")).await.status, 200);
    scene.server.clock.advance_ms(2 * 1000);
    let answer = scene.complete(&scene.user, &format!("code=c&state={late}")).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, MISMATCH));
    assert_eq!(scene.fake.calls_to("/oauth2/complete").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_13_an_error_reaches_the_app_without_the_code_and_spends_the_state() {
    let scene = Scene::set().await;
    let html = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for (query, code) in [
        (format!("error=access_denied&error_description={html}"), false),
        (format!("code=planted&error=access_denied&error_description={html}"), false),
        ("code=planted&error=".to_owned(), true),
    ] {
        let state = scene.begin(&scene.user).await;
        let query = format!("{query}&state={state}");
        let answer = scene.complete(&scene.user, &query).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.text().contains("alert(1)"), "{}", answer.text());
        let values = scene.fake.calls_to("/oauth2/complete").pop().unwrap().json()["values"].clone();
        assert_eq!(values.get("code").is_some(), code, "{values}");
        let error = if code { json!("") } else { json!("access_denied") };
        assert_eq!(values["error"], error, "{values}");
        let again = scene.complete(&scene.user, &query).await;
        assert_eq!((again.status, again.text().as_str()), (403, MISMATCH));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_05_another_browser_of_the_same_person_ends_nothing() {
    let scene = Scene::set().await;
    let site = scene.site();
    let session = format!("MMAUTHTOKEN={}", scene.user.token);
    let begin = Ask::get(flow("hello", "connect")).with("Sec-Fetch-Site", "same-origin");
    let begun = site.send(&begin.with("Cookie", session.as_str())).await;
    assert_eq!(begun.status, 307, "{}", begun.text());
    let cookie = begun.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let (name, value) = cookie.split_once('=').unwrap();
    let target = format!("{}?code=c&state={}", flow("hello", "complete"), state_in(&begun));
    let bent = format!("{name}={}", value.chars().rev().collect::<String>());
    for cookies in [session.clone(), format!("{session}; {name}="), format!("{session}; {bent}")] {
        let answer = site.send(&Ask::get(target.as_str()).with("Cookie", cookies.as_str())).await;
        assert_eq!((answer.status, answer.text().as_str()), (403, MISMATCH), "{cookies}");
    }
    // A token of the same person has no browser at all.
    let answer = site.send(&Ask::get(target.as_str()).bearer(&scene.user.token)).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, MISMATCH));
    assert!(scene.fake.calls_to("/oauth2/complete").is_empty());
    let answer = site.send(&Ask::get(target.as_str()).with("Cookie", format!("{session}; {cookie}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
