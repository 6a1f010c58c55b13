//! Callbacks that do not fit, or come many at once (OS-03, OS-04, OS-13 to OS-15).

use serde_json::json;
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::flow;
use tessera_testkit::wire::{Ask, send};

use crate::scene::{APP, MISMATCH, Scene, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_03_of_200_callbacks_at_once_one_wins() {
    let scene = Scene::set().await;
    let query = format!("code=c&state={}", scene.begin(&scene.user).await);
    assert_eq!(said(&scene.complete(&scene.admin, &query).await), (403, "forbidden\n".to_owned()));
    let ask = Ask::get(format!("{}?{query}", flow(APP, "complete"))).bearer(&scene.user.token);
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (address, ask) = (scene.site().address, ask.clone());
        racing.spawn(async move { send(address, &ask).await });
    }
    let answers = racing.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let refused = answers.iter().filter(|answer| said(answer) == (403, MISMATCH.to_owned()));
    assert_eq!(refused.count(), 199);
    assert_eq!(scene.completions().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_04_what_nobody_came_back_for_is_swept_away() {
    let scene = Scene::set().await;
    let connect = &scene.server.connect;
    for _ in 0..4 {
        scene.begin(&scene.user).await;
    }
    let state = scene.begin(&scene.user).await;
    for number in 0..3 {
        let mut stranger = Browser::new(scene.site());
        let target = format!("{}?code=c{number}&state={state}", flow(APP, "complete"));
        assert_eq!(stranger.open(&target, From::Elsewhere).await.status, 303, "parked");
    }
    scene.server.clock.advance_ms((14 * 60 + 59) * 1000);
    assert_eq!(connect.sweep().await.unwrap(), 0);
    scene.server.clock.advance_ms(2 * 1000);
    assert_eq!(connect.sweep().await.unwrap(), 8);
    assert_eq!(connect.sweep().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_04_the_life_of_a_state_can_be_shortened() {
    let scene = Scene::set_with(|config| config.connect.state_life_seconds = 60).await;
    let (early, late) = (scene.begin(&scene.user).await, scene.begin(&scene.user).await);
    scene.server.clock.advance_ms(59_000);
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={early}")).await.status, 200);
    scene.server.clock.advance_ms(1_000);
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={late}")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_13_with_an_error_the_app_gets_no_code() {
    let scene = Scene::set().await;
    for (query, values, code) in [
        ("error=access_denied", json!({"error": "access_denied"}), "access_denied"),
        ("code=planted&error=server_error", json!({"error": "server_error"}), "server_error"),
        (
            "error=%3Cb%3Ex&error_description=%3Cb%3Ey&code=planted",
            json!({"error": "<b>x", "error_description": "<b>y"}),
            "other_error",
        ),
    ] {
        let state = scene.begin(&scene.user).await;
        let query = format!("{query}&state={state}");
        let answer = scene.complete(&scene.user, &query).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        assert!(
            text.contains(&format!("<code>{code}</code>")) && text.contains("Nothing was connected"),
            "{text}"
        );
        for absent in ["<b>", "&#60;b", "&lt;b", "is connected", "planted", "<script"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
        let mut expected = values;
        expected["state"] = json!(state);
        assert_eq!(scene.completions().pop().unwrap()["values"], expected);
        assert_eq!(scene.complete(&scene.user, &query).await.status, 403, "spent");
    }
}

/// Saying no at the provider is nobody's failure, even if the App calls it an error: people read the same page as ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_13_c_oc_13_people_read_that_nothing_was_connected_also_when_the_app_calls_it_an_error() {
    let scene = Scene::set().await;
    let error = json!({"type": "error", "text": "<b>You</b> said `no`."});
    scene.fake.answer("/oauth2/complete", AppAnswer::Json(error));
    let complete = |state: String| {
        let target = format!("{}?error=access_denied&state={state}", flow(APP, "complete"));
        Ask::get(target).bearer(&scene.user.token)
    };
    let page = complete(scene.begin(&scene.user).await).with("Accept", "text/html");
    let answer = scene.site().send(&page).await;
    let text = answer.text();
    assert_eq!(answer.status, 500, "{text}");
    for part in
        ["Nothing was connected", "<code>access_denied</code>", "&#60;b&#62;You&#60;/b&#62; said `no`."]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(scene.site().send(&page).await.status, 403, "spent");
    // A program gets the wire's answer.
    let answer = scene.site().send(&complete(scene.begin(&scene.user).await)).await;
    assert_eq!((answer.status, answer.text().trim_end()), (500, "<b>You</b> said `no`."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_14_repeated_and_long_arguments_are_refused_and_consume_nothing() {
    let scene = Scene::set().await;
    let state = scene.begin(&scene.user).await;
    let long = "x".repeat(4_097);
    let many = "&a=b".repeat(2_048);
    for query in [
        format!("code=c&state={state}&state={state}"),
        format!("code=c&state={state}&st%61te=other"),
        format!("code=a&code=b&state={state}"),
        format!("code=a&code=&state={state}"),
        format!("code=c&state={state}&iss=a&iss=a"),
        format!("code=c&state={state}&error=a&error=b"),
        format!("code={long}&state={state}"),
        format!("code=c&state={state}&any={long}"),
        format!("code=c&state={state}{many}"),
    ] {
        let answer = scene.complete(&scene.user, &query).await;
        assert_eq!(answer.status, 400, "{query:.200}: {}", answer.text());
        assert!(answer.text().ends_with(": invalid input\n"), "{}", answer.text());
    }
    let answer = scene.complete(&scene.user, &format!("state={state}&a={}", "x".repeat(100_000))).await;
    assert!(matches!(answer.status, 400 | 414), "{}", answer.status);
    assert!(scene.completions().is_empty());
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={state}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_15_a_token_in_the_address_is_refused() {
    let scene = Scene::set().await;
    let state = scene.begin(&scene.user).await;
    for query in [
        format!("access_token=planted&state={state}"),
        format!("code=c&state={state}&access_token=planted&token_type=bearer"),
        format!("code=c&state={state}&access%5Ftoken="),
    ] {
        let answer = scene.complete(&scene.user, &query).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(!answer.whole().contains("planted"), "{}", answer.text());
    }
    // Nor is such a callback kept for later.
    let target = format!("{}?access_token=planted&state={state}", flow(APP, "complete"));
    let answer = Browser::new(scene.site()).open(&target, From::Elsewhere).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (400, None));
    assert!(scene.completions().is_empty());
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={state}")).await.status, 200);
}
