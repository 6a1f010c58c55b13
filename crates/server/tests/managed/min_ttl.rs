//! For how long a token lives that is given out: the real server, a provider whose clock is another one, and a clock that
//! the test moves.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tessera_server::env::Clock as _;
use tessera_simulator::{Counted, Simulator};
use tessera_testkit::cast::Cast;
use tessera_testkit::managed::{APP, CLIENT, Managed, SECRET};
use tessera_testkit::site::flow;
use tessera_testkit::wire::{Answer, Ask};
use tessera_testkit::within::TestClock;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const SEEDS: [u64; 3] = [35, 0x5eed, 0xdecade];
const ROUNDS: usize = 50;
/// Longer than any token lives here, and than any pause after a failure.
const LONG: i64 = 10_000;
/// Seconds of its life that a token has when it is made, and may have lost when it is given on.
const MOMENTS: i64 = 5;

/// Numbers that are the same in every run (Marsaglia's xorshift).
struct Chance(u64);

impl Chance {
    /// Between the two, both included.
    fn between(&mut self, least: i64, most: i64) -> i64 {
        for (left, shift) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left { self.0 << shift } else { self.0 >> shift };
        }
        least + i64::try_from(self.0 >> 1).unwrap() % (most - least + 1)
    }

    fn one_in(&mut self, many: i64) -> bool {
        self.between(1, many) == 1
    }
}

/// A managed App whose provider has the time that `clock` makes of the server's, in Unix ms.
async fn with_clock(clock: impl Fn(i64) -> i64 + Send + Sync + 'static) -> Managed {
    let cast = Cast::with(|_| {}).await;
    let complete = format!("http://localhost:{}{}", cast.site.address.port(), flow(APP, "complete"));
    let servers = Arc::clone(&cast.server.clock);
    let simulator = Simulator::builder()
        .client(CLIENT, SECRET, [complete])
        .clock(Arc::new(move || clock(servers.now_ms()).div_euclid(1_000)))
        .build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let provider = simulator.start(listener).unwrap();
    cast.site
        .install(&cast.admin, &cast.fake.manifest(APP, &["remote_oauth2", "act_as_user", "act_as_bot"]))
        .await;
    let stage = Managed { cast, provider };
    let set = stage.set_provider(&stage.record("")).await;
    assert_eq!(set.status, 200, "{}", set.text());
    // Whole seconds from here on, as the provider counts them.
    stage.cast.server.clock.advance_ms(1_000 - now(&stage).rem_euclid(1_000));
    stage.connect().await;
    stage
}

fn now(stage: &Managed) -> i64 {
    stage.cast.server.clock.now_ms()
}

/// A token, and for how many seconds more it lives.
fn given(stage: &Managed, answer: &Answer) -> (String, i64) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = answer.json();
    let expiry = OffsetDateTime::parse(record["expiry"].as_str().unwrap(), &Rfc3339).unwrap();
    let left = expiry.unix_timestamp() - now(stage) / 1_000;
    (record["access_token"].as_str().unwrap().to_owned(), left)
}

/// Asks in one of the two ways.
async fn ask(stage: &Managed, asked: Option<i64>, by_header: bool) -> Answer {
    match asked {
        None => stage.ask("").await,
        Some(seconds) if by_header => {
            let ask =
                Ask::get("/plugins/com.mattermost.apps/api/v1/oauth2/user").bearer(&stage.token().await);
            stage.cast.site.send(&ask.with("tessera-min-ttl", seconds.to_string())).await
        }
        Some(seconds) => stage.ask(&format!("?min_ttl={seconds}")).await,
    }
}

/// One token of some life, some time later, asked for in some way, the provider being there or not.
async fn round(stage: &Managed, chance: &mut Chance) {
    let life = chance.between(2, 7_200);
    let off = i32::try_from(chance.between(-900, 900)).unwrap();
    stage.provider.change_behaviour(|behaviour| {
        behaviour.token_life = Duration::from_secs(life.unsigned_abs());
        behaviour.clock_off = off;
    });
    stage.later(LONG);
    let (fresh, whole) = given(stage, &ask(stage, None, false).await);
    assert_eq!(whole, life, "the answer tells the token's end");

    let is_away = chance.one_in(3);
    stage.provider.change_behaviour(|behaviour| behaviour.html_502 = Counted::always(is_away));
    let age = chance.between(0, life + life / 4);
    stage.later(age);
    let asked = (!chance.one_in(4)).then(|| match chance.between(0, life + life / 4) {
        // What a token has for its first moments alone may be had or not.
        asked if (life - MOMENTS..life).contains(&asked) => (life - MOMENTS - 1).max(0),
        asked => asked,
    });
    let answer = ask(stage, asked, chance.one_in(2)).await;
    let what = format!("life {life}, age {age}, asked {asked:?}, away {is_away}: {}", answer.text());

    let left = life - age;
    let (lives, enough) = (left > 0, left > 0 && left >= asked.unwrap_or(0));
    let wanted = match asked {
        Some(asked) if !enough && asked >= life => 422,
        Some(_) if !enough && is_away => 503,
        None if !lives && is_away => 503,
        _ => 200,
    };
    assert_eq!(answer.status, wanted, "{what}");
    if wanted == 200 {
        let (token, left) = given(stage, &answer);
        assert!(left >= asked.unwrap_or(0).max(1), "{what}");
        assert!(stage.works(&token).await, "the provider takes it: {what}");
        assert!(!is_away || token == fresh, "{what}");
    } else {
        assert!(!answer.text().contains(&fresh), "{what}");
        let wait = answer.header("retry-after").map(|wait| wait.parse::<u32>().unwrap());
        assert_eq!(wait.is_some_and(|wait| wait > 0), wanted == 503, "{what}");
    }

    // The provider is back, and the token as fresh as it can be: nothing is due when the next round begins.
    stage.provider.change_behaviour(|behaviour| behaviour.html_502 = Counted::always(false));
    stage.later(LONG);
    assert_eq!(given(stage, &ask(stage, None, false).await).1, life);
}

#[tokio::test]
async fn os_35_no_read_returns_a_token_that_has_ended_or_has_less_life_than_was_asked_for() {
    for seed in SEEDS {
        let mut chance = Chance(seed);
        let skew = chance.between(-7_200, 7_200) * 1_000;
        let stage = with_clock(move |now| now + skew).await;
        for _ in 0..ROUNDS {
            round(&stage, &mut chance).await;
        }
    }
}

#[tokio::test]
async fn a_provider_that_is_slow_is_asked_once_for_what_it_cannot_give() {
    // While the provider answers, time passes at the server.
    let passing = Arc::new(OnceLock::<Arc<TestClock>>::new());
    let clock = Arc::clone(&passing);
    let stage = with_clock(move |now| {
        if let Some(servers) = clock.get() {
            servers.advance_ms(6_000);
        }
        now
    })
    .await;
    stage.later(60);
    let _ = passing.set(Arc::clone(&stage.cast.server.clock));
    let before = stage.provider.refreshes();
    let told = stage.ask("?min_ttl=3595").await;
    assert_eq!(told.status, 422, "{}", told.text());
    assert_eq!(stage.provider.refreshes() - before, 1);
    assert_eq!(stage.ask("?min_ttl=3000").await.status, 200);
}

#[tokio::test]
async fn what_is_no_number_of_seconds_is_refused() {
    let stage = Managed::with("").await;
    stage.connect().await;
    for wrong in ["", "x", "-1", "1.5", "31622401", "99999999999999999999"] {
        let answer = stage.ask(&format!("?min_ttl={wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
        assert!(answer.text().contains("whole number of seconds"), "{}", answer.text());
    }
}
