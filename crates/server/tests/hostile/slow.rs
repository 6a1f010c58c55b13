//! Whoever takes too long is not waited for. This is the one test that takes the 30 real seconds of the wire's
//! deadline, with everything that is slow at once.

use std::time::Duration;

use serde_json::json;
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::{OAUTH2_USER, PERMISSIONS, flow};
use tessera_testkit::wire::{Ask, Sent};
use tokio::time::{Instant, timeout};

use crate::apps::Scene;
use crate::form;

const DEADLINE: Duration = Duration::from_secs(30);
/// For the machine, beyond the deadline.
const SLACK: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apps_and_clients_that_are_slow_are_not_waited_for_beyond_the_deadline() {
    let scene = Scene::set().await;
    let site = scene.site();
    let user = &scene.user;
    let state = scene.begin(user).await;
    let (token, _) = site.tokens(user, &scene.fake, "hello").await;
    for path in ["/slow", "/oauth2/connect", "/oauth2/complete", "/ping"] {
        scene.fake.answer(path, AppAnswer::Hang);
    }
    let mut sleepy = scene.fake.manifest("sleepy", &PERMISSIONS);
    sleepy["Replace"] = json!(true);
    assert_eq!(site.post(&scene.admin.token, "/update-app-listing", &sleepy).await.status, 200);

    let began = Instant::now();
    let query = format!("code=c&state={state}");
    let connect = Ask::get(flow("hello", "connect")).bearer(&user.token);
    let stalled = Ask::new("POST", OAUTH2_USER).body(Sent::Stalled(b"{\"a\":".to_vec())).bearer(&token);
    let install = json!({"app_id": "sleepy", "deploy_type": "http"});
    let all = async {
        tokio::join!(
            scene.call("/slow"),
            site.send(&connect),
            scene.complete(user, &query),
            site.send(&stalled),
            async {
                let answer = site.post(&scene.admin.token, "/install-app", &install).await;
                (answer, began.elapsed())
            },
            // Meanwhile everybody else is served.
            async {
                scene.fake.next_call("/slow").await;
                scene.fake.next_call("/oauth2/complete").await;
                scene.stands("the beginning of slow calls").await;
                assert!(began.elapsed() < DEADLINE, "served only after the slow ones");
            }
        )
    };
    let (call, connect, complete, stalled, (install, pinged), ()) =
        timeout(DEADLINE + SLACK, all).await.unwrap();
    assert!(began.elapsed() >= DEADLINE - Duration::from_secs(1), "{:?}", began.elapsed());

    let late = "context deadline exceeded";
    assert_eq!(call["type"], "error", "{call}");
    assert!(call["text"].as_str().unwrap().contains(late), "{call}");
    for (name, answer) in [("connect", &connect), ("complete", &complete)] {
        assert_eq!(answer.status, 500, "{name}: {}", answer.text());
        assert!(answer.text().contains(late), "{name}: {}", answer.text());
        form::check(answer, name);
    }
    let text = "the body was cut off, or did not arrive in time: invalid input\n";
    assert_eq!((stalled.status, stalled.text().as_str()), (400, text));
    // A ping has two seconds (section 7.3).
    assert_eq!(install.status, 500);
    assert!(install.text().contains("/ping path is not accessible") && install.text().contains(late));
    assert!(pinged < DEADLINE / 2, "{pinged:?}");
    form::check(&install, "install");

    let again = scene.complete(user, &query).await;
    assert_eq!((again.status, again.text().as_str()), (403, "state mismatch: forbidden\n"));
    scene.fake.leads_to_a_provider();
    scene.begin(user).await;
    scene.stands("slow Apps").await;
}
