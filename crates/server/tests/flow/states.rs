//! States: how they look, what they are bound to, how long they live (section 15.2, OS-01 to OS-04).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tessera_server::env::{Env, Rng, RngError};
use tessera_testkit::site::{PERMISSIONS, flow};
use tessera_testkit::within::Within;

use crate::scene::{APP, MISMATCH, Scene, said};

fn forbidden() -> (u16, String) {
    (403, "forbidden\n".to_owned())
}

fn mismatch() -> (u16, String) {
    (403, MISMATCH.to_owned())
}

fn is_url_safe(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_so_01_a_state_has_the_documented_form_and_is_kept_as_it_was_issued() {
    let scene = Scene::set().await;
    let state = scene.begin(&scene.user).await;
    let (random, user) = state.split_once('.').unwrap();
    assert!(random.len() == 43 && is_url_safe(random), "{state}");
    assert_eq!(user, scene.user.id);
    assert_eq!(scene.server.connect.digest(&state).len(), 32, "its key has one size");
    // Any other spelling is another state.
    for bent in [state.replace('.', "=."), format!("{}.{user}", random.to_ascii_uppercase())] {
        let answer = scene.complete(&scene.user, &format!("code=c&state={bent}")).await;
        assert_eq!(said(&answer), mismatch(), "{bent}");
    }
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={state}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_so_02_a_state_of_another_form_is_forbidden() {
    let scene = Scene::set().await;
    let user = &scene.user.id;
    for bad in ["invalidformat".to_owned(), format!("a.b.{user}"), format!(".{user}."), user.clone()] {
        let answer = scene.complete(&scene.user, &format!("code=c&state={bad}")).await;
        assert_eq!(said(&answer), forbidden(), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_so_03_an_unknown_state_of_somebody_else_is_forbidden() {
    let scene = Scene::set().await;
    let admin = &scene.admin.id;
    for bad in ["nonexistent.value".to_owned(), format!("nonexistent.{admin}"), "nonexistent.".to_owned()] {
        let answer = scene.complete(&scene.user, &format!("code=c&state={bad}")).await;
        assert_eq!(said(&answer), forbidden(), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_so_04_a_valid_state_of_somebody_else_is_forbidden() {
    let scene = Scene::set().await;
    let state = scene.begin(&scene.user).await;
    let answer = scene.complete(&scene.admin, &format!("code=c&state={state}")).await;
    assert_eq!(said(&answer), forbidden());
    assert!(scene.completions().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_so_05_an_unknown_random_part_is_a_mismatch_and_consumes_nothing() {
    let scene = Scene::set().await;
    let state = scene.begin(&scene.user).await;
    let unknown = format!("{}.{}", "A".repeat(43), scene.user.id);
    let answer = scene.complete(&scene.user, &format!("code=c&state={unknown}")).await;
    assert_eq!(said(&answer), mismatch());
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={state}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_so_06_a_valid_state_is_accepted_once() {
    let scene = Scene::set().await;
    let query = format!("code=c&state={}", scene.begin(&scene.user).await);
    assert_eq!(scene.complete(&scene.user, &query).await.status, 200);
    assert_eq!(said(&scene.complete(&scene.user, &query).await), mismatch());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_so_07_a_record_keeps_its_bytes_under_app_and_user() {
    let scene = Scene::set().await;
    let site = scene.site();
    site.install(&scene.admin, &scene.fake.manifest("other", &PERMISSIONS)).await;
    let bytes = " {\"b\" : 1.50,\n\t\"a\":\"\\u00fc ü <&>\", \"b\":2} ";
    let (token, _) = site.tokens(&scene.user, &scene.fake, APP).await;
    site.store(&token, bytes).await;
    assert_eq!(site.record(&token).await, bytes);
    assert_eq!(scene.record(&scene.admin).await, "", "another person's place");
    let (token, _) = site.tokens(&scene.user, &scene.fake, "other").await;
    assert_eq!(site.record(&token).await, "", "another App's place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_01_states_are_random_opaque_text() {
    let scene = Scene::set_with(|config| {
        config.limits.pending_flows = 0;
        config.limits.connects_per_minute = 0;
    })
    .await;
    let mut seen = BTreeSet::new();
    let mut alphabet = BTreeSet::new();
    for _ in 0..200 {
        let state = scene.begin(&scene.user).await;
        let random = state.split('.').next().unwrap().to_owned();
        assert!(random.len() == 43 && is_url_safe(&random), "{state}");
        alphabet.extend(random.bytes());
        seen.insert(random);
    }
    assert_eq!(seen.len(), 200, "a state came twice");
    // 8,600 characters drawn from 64: that one is missing by chance is as likely as winning a lottery eight times.
    assert_eq!(alphabet.len(), 64);
}

/// Fails on demand, for whoever asks for so many bytes: 16 are the id of a request, 32 are a state.
struct Failing {
    fails: AtomicUsize,
    system: Arc<dyn Rng>,
}

impl Rng for Failing {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        if self.fails.load(Ordering::SeqCst) == buffer.len() {
            Err(RngError)
        } else {
            self.system.fill(buffer)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_01_without_random_bytes_nothing_begins() {
    let rng = Arc::new(Failing { fails: AtomicUsize::new(0), system: Env::system().rng });
    let scene = Scene::on(Within::start_by_chance(Arc::clone(&rng) as _, |_| {}).await).await;
    // A state is 32 bytes.
    rng.fails.store(32, Ordering::SeqCst);
    let answer = scene.connect(&scene.user).await;
    assert_eq!((answer.status, answer.header("location")), (500, None), "{}", answer.text());
    assert!(scene.fake.calls_to("/oauth2/connect").is_empty());
    rng.fails.store(0, Ordering::SeqCst);
    scene.begin(&scene.user).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_02_a_state_of_one_app_is_refused_at_another_and_recorded() {
    let scene = Scene::set().await;
    scene.site().install(&scene.admin, &scene.fake.manifest("other", &PERMISSIONS)).await;
    let query = format!("code=c&state={}", scene.begin(&scene.user).await);
    let answer = scene.open(&scene.user, &format!("{}?{query}", flow("other", "complete"))).await;
    assert_eq!(said(&answer), mismatch());
    assert_eq!(said(&scene.complete(&scene.admin, &query).await), forbidden());
    assert!(scene.completions().is_empty(), "no App was called");
    let entry = |who: &str, app: &str, word: &str| (who.to_owned(), app.to_owned(), word.to_owned());
    assert_eq!(
        scene.refusals(),
        [entry(&scene.user.id, "other", "state-mismatch"), entry(&scene.admin.id, APP, "foreign-state")]
    );
    assert_eq!(scene.complete(&scene.user, &query).await.status, 200);
}
