//! An App that hangs, and forty-nine that do not.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::PERMISSIONS;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::stage::{APP, Stage, everywhere, locations};

#[tokio::test(flavor = "multi_thread")]
async fn of_50_apps_one_that_hangs_keeps_nobody_waiting_for_250_ms() {
    let stage = Stage::set(&["/command"]).await;
    let mut others = Vec::new();
    for n in 1..50 {
        let other = FakeApp::start().await;
        other.answer("/bindings", AppAnswer::Json(json!({"type": "ok", "data": everywhere()})));
        stage.site.install(&stage.admin, &other.manifest(&format!("quick-{n}"), &PERMISSIONS)).await;
        others.push(other);
    }
    stage.fake.answer("/bindings", AppAnswer::Hang);
    stage.get("").await;

    let mut took = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        let bindings = stage.get("?test=1").await.json();
        took.push(began.elapsed());
        assert_eq!(bindings["bindings"][0]["bindings"].as_array().map(Vec::len), Some(49));
        assert!(
            bindings["error"].as_str().unwrap().contains("bindingstest: did not answer its bindings in time")
        );
    }
    took.sort();
    let p99 = took[98];
    assert!(p99 < Duration::from_millis(250), "99 in 100 took up to {p99:?}, half up to {:?}", took[50]);
}

#[tokio::test]
async fn a_late_answer_is_shown_from_then_on_and_a_quick_one_ends_it() {
    let stage = Stage::set(&["/command"]).await;
    let go = Arc::new(Notify::new());
    let good = json!({"type": "ok", "data": everywhere()});
    stage.fake.answer("/bindings", AppAnswer::Held(Arc::clone(&go), Box::new(AppAnswer::Json(good.clone()))));
    let problem = format!("{APP}: did not answer its bindings in time");
    assert!(stage.tested().await.1.unwrap().contains(&problem));
    go.notify_one();
    // The next one glances, and is told what the first call brought in the end, once it has.
    let known = async {
        loop {
            let (bindings, _) = stage.tested().await;
            if locations(&bindings) == ["/command"] {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), known).await.expect("the late answer is remembered");
    stage.fake.answer("/bindings", AppAnswer::Json(json!({"type": "ok", "data": []})));
    assert_eq!(stage.tested().await.0, json!(null), "an answer in time counts at once");
}
