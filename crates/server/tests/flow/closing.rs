//! Once a state is spent its work is done to the end: a closed tab does not cancel it, and a stop waits for it.

use std::sync::Arc;

use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::{OAUTH2_USER, flow};
use tessera_testkit::wire::{Ask, try_send};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::scene::{APP, Scene, said};

const RECORD: &str = r#"{"access_token":"at-1"}"#;

/// When it is told to, the App stores what it got for the code, and says that all is well.
fn stores_when_told(scene: &Scene) -> Arc<Notify> {
    let told = Arc::new(Notify::new());
    let (waits, address) = (Arc::clone(&told), scene.site().address);
    scene.fake.answer_with("/oauth2/complete", move |call| {
        let waits = Arc::clone(&waits);
        async move {
            waits.notified().await;
            let token = call.json()["context"]["acting_user_access_token"].as_str().unwrap().to_owned();
            match try_send(address, &Ask::post(OAUTH2_USER, RECORD).bearer(&token)).await {
                Some(stored) if stored.status == 200 => AppAnswer::ok(),
                stored => panic!("not stored: {stored:?}"),
            }
        }
    });
    told
}

/// Asks to complete, and gives the connection with nothing read from it.
async fn ask_to_complete(scene: &Scene) -> TcpStream {
    let state = scene.begin(&scene.user).await;
    let request = format!(
        "GET {}?code=c&state={state} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {}\r\n\r\n",
        flow(APP, "complete"),
        scene.site().address.port(),
        scene.user.token
    );
    let mut stream = TcpStream::connect(scene.site().address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    scene.fake.next_call("/oauth2/complete").await;
    stream
}

fn completed(scene: &Scene) -> usize {
    scene.server.audit().iter().filter(|entry| entry["act"] == "flow_completed").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_goes_away_does_not_cancel_the_apps_work() {
    let scene = Scene::set().await;
    let told = stores_when_told(&scene);
    drop(ask_to_complete(&scene).await);
    // Others come and go: the server has seen by now that the browser left.
    for _ in 0..20 {
        assert_eq!(scene.site().send(&Ask::get("/healthz")).await.status, 200);
    }
    assert_eq!(completed(&scene), 0);
    told.notify_one();
    scene.server.connect.drained().await;
    assert_eq!(completed(&scene), 1);
    assert_eq!(scene.record(&scene.user).await, RECORD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_the_app_finish_what_it_was_called_for() {
    let mut scene = Scene::set().await;
    let told = stores_when_told(&scene);
    drop(ask_to_complete(&scene).await);
    let mut serving = scene.server.stop();
    // Whoever sends requests here is told at once to send no more.
    while scene.site().send(&Ask::get("/readyz")).await.status == 200 {
        assert!(!serving.is_finished());
    }
    let ready = scene.site().send(&Ask::get("/readyz")).await;
    assert_eq!(said(&ready), (503, "not ready: stopping\n".to_owned()));
    assert_eq!(scene.site().send(&Ask::get("/healthz")).await.status, 200);
    // The App's own requests are served until it is done, and only then does the server end.
    let answer = scene.site().send(&Ask::get(OAUTH2_USER).bearer(&scene.user.token)).await;
    assert_eq!(answer.status, 401, "{:?}", said(&answer));
    assert!(!serving.is_finished());
    told.notify_one();
    (&mut serving).await.unwrap();
    assert_eq!(completed(&scene), 1);
    let stored = scene.server.audit().iter().filter(|entry| entry["act"] == "connection_stored").count();
    assert_eq!(stored, 1);
    assert!(TcpStream::connect(scene.site().address).await.is_err(), "nobody listens any more");
}
