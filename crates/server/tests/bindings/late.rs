//! An App that is late, and then is not.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tessera_testkit::fake_app::Answer as AppAnswer;
use tokio::sync::Notify;

use crate::stage::{APP, Stage, everywhere, locations};

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
