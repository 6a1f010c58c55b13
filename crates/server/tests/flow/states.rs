//! States: how they look, what they are bound to, how long they live (section 15.2, OS-01 to OS-04).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tessera_server::env::{Env, Rng, RngError};
use tessera_testkit::browser::{Browser, From, form_token};
use tessera_testkit::site::{PERMISSIONS, flow};
use tessera_testkit::wire::Answer;
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

/// Fails when it is told to: at the so-manieth draw of 32 bytes from then on, and at all that follow. A state is 32
/// bytes, and so are the cookie of its flow and the ticket of a parked callback; ids of requests are 16.
struct Failing {
    good: AtomicUsize,
    system: Arc<dyn Rng>,
}

const NEVER: usize = usize::MAX;

impl Rng for Failing {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        let left = |good: usize| if good == NEVER { Some(NEVER) } else { good.checked_sub(1) };
        if buffer.len() == 32 && self.good.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            return Err(RngError);
        }
        self.system.fill(buffer)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_01_without_random_bytes_nothing_begins() {
    let rng = Arc::new(Failing { good: AtomicUsize::new(NEVER), system: Env::system().rng });
    let scene = Scene::on(Within::start_by_chance(Arc::clone(&rng) as _, |_| {}).await).await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    let page = browser.open(&flow(APP, "connect"), From::Elsewhere).await;
    let token = form_token(&page);
    let stopped = |answer: &Answer| {
        assert_eq!((answer.status, answer.header("location")), (500, None), "{}", answer.text());
        assert_eq!(answer.header("set-cookie"), None);
        assert!(answer.text().contains("internal error"), "{}", answer.text());
    };
    rng.good.store(0, Ordering::SeqCst);
    stopped(&scene.connect(&scene.user).await);
    // In a browser the state comes first and then its cookie: either may fail.
    for good in [0, 1] {
        rng.good.store(good, Ordering::SeqCst);
        stopped(&browser.open(&flow(APP, "connect"), From::Here).await);
        rng.good.store(good, Ordering::SeqCst);
        stopped(&browser.submit(&flow(APP, "connect"), &[("token", &token)]).await);
    }
    assert!(scene.fake.calls_to("/oauth2/connect").is_empty() && browser.flows().is_empty());
    rng.good.store(NEVER, Ordering::SeqCst);
    let state = scene.begin(&scene.user).await;
    rng.good.store(0, Ordering::SeqCst);
    let callback = format!("{}?code=c&state={state}", flow(APP, "complete"));
    stopped(&Browser::new(scene.site()).open(&callback, From::Elsewhere).await);
    assert_eq!(scene.complete(&scene.user, &format!("code=c&state={state}")).await.status, 200);
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
