use super::*;
use crate::platform::standalone::fixture::Fixture;

const MINUTE: i64 = 60_000;

fn app(id: &str) -> AppId {
    AppId::new(id).unwrap()
}

fn tokens(fixture: &Fixture) -> Tokens {
    Tokens::new(fixture.store.app_tokens.clone(), Arc::clone(&fixture.vault), fixture.env.clone())
}

async fn hand_out(tokens: &Tokens, app: &AppId, user: &str) -> AccessToken {
    let client = Some(("client-id", "Hello, OAuth2!"));
    tokens.hand_out(&Holder { app, user, roles: "system_user", client }).await.unwrap()
}

async fn only(tokens: &Tokens, user: &str) -> AppSession {
    let mut sessions = tokens.of_user(user).await.unwrap();
    assert_eq!(sessions.len(), 1);
    sessions.remove(0)
}

#[tokio::test]
async fn c_ss_01_a_token_with_ten_minutes_left_is_handed_out_as_it_is() {
    let fixture = Fixture::new().await;
    let (tokens, hello) = (tokens(&fixture), app("hello"));
    let first = hand_out(&tokens, &hello, "user").await;
    let before = only(&tokens, "user").await;
    fixture.clock.advance(5 * MINUTE - 1);
    assert_eq!(hand_out(&tokens, &hello, "user").await.expose(), first.expose());
    assert_eq!(only(&tokens, "user").await, before);
}

#[tokio::test]
async fn c_ss_02_a_token_with_four_minutes_left_is_extended() {
    let fixture = Fixture::new().await;
    let (tokens, hello) = (tokens(&fixture), app("hello"));
    let first = hand_out(&tokens, &hello, "user").await;
    let before = only(&tokens, "user").await;
    // In memory before it is extended: the memory must not keep the old end.
    assert!(tokens.find(&first).await.unwrap().is_some());
    fixture.clock.advance(6 * MINUTE);
    assert_eq!(hand_out(&tokens, &hello, "user").await.expose(), first.expose());
    let after = only(&tokens, "user").await;
    assert_eq!(after.expires_at, fixture.env.now_ms() + LIFE_MS);
    assert_eq!(AppSession { expires_at: before.expires_at, ..after }, before);
    fixture.clock.advance(9 * MINUTE);
    assert!(tokens.find(&first).await.unwrap().is_some());
    fixture.clock.advance(MINUTE);
    assert!(tokens.find(&first).await.unwrap().is_none());
}

#[tokio::test]
async fn c_ss_03_without_one_a_token_is_made_with_all_its_properties() {
    let fixture = Fixture::new().await;
    let (tokens, hello) = (tokens(&fixture), app("hello"));
    let token = hand_out(&tokens, &hello, "user").await;
    assert_eq!(token.expose().len(), 26);
    let session = only(&tokens, "user").await;
    assert_eq!((session.roles.as_str(), session.is_oauth), ("system_user", true));
    assert_eq!(session.expires_at, fixture.env.now_ms() + 10 * MINUTE);
    assert_eq!(session.props["csrf"].len(), 26);
    assert_ne!(session.props["csrf"], token.expose());
    let mut props = session.props;
    props.remove("csrf");
    let expected = [
        ("browser", "OAuth2"),
        ("mattermost_app_id", "hello"),
        ("oauth_app_id", "client-id"),
        ("os", "OAuth2"),
        ("platform", "Hello, OAuth2!"),
    ];
    assert_eq!(props, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());

    let holder = Holder { app: &hello, user: "other", roles: "system_user", client: None };
    tokens.hand_out(&holder).await.unwrap();
    let session = only(&tokens, "other").await;
    assert!(!session.props.contains_key("platform") && !session.props.contains_key("oauth_app_id"));
}

#[tokio::test]
async fn c_ss_04_the_sessions_of_a_user_are_listed_underscores_or_not() {
    let fixture = Fixture::new().await;
    let tokens = tokens(&fixture);
    for id in ["with_under_scores", "plain"] {
        hand_out(&tokens, &app(id), "user").await;
    }
    hand_out(&tokens, &app("plain"), "other").await;
    let sessions = tokens.of_user("user").await.unwrap();
    let apps: Vec<&str> = sessions.iter().map(|session| session.app.as_str()).collect();
    assert_eq!(apps, ["plain", "with_under_scores"]);
    fixture.clock.advance(LIFE_MS);
    assert!(tokens.of_user("user").await.unwrap().is_empty());
}

#[tokio::test]
async fn c_ss_05_revoking_an_app_ends_its_tokens_at_once_and_no_others() {
    let fixture = Fixture::new().await;
    let tokens = tokens(&fixture);
    let mine = [hand_out(&tokens, &app("foo"), "a").await, hand_out(&tokens, &app("foo"), "b").await];
    let mut others = Vec::new();
    for id in ["foobar", "foo_bar", "fo.o"] {
        others.push(hand_out(&tokens, &app(id), "a").await);
    }
    for token in mine.iter().chain(&others) {
        assert!(tokens.find(token).await.unwrap().is_some());
    }
    assert_eq!(tokens.revoke_app(&app("foo")).await.unwrap(), 2);
    for token in &mine {
        assert!(tokens.cached(token).is_none());
        assert!(tokens.find(token).await.unwrap().is_none());
    }
    for token in &others {
        assert!(tokens.find(token).await.unwrap().is_some());
    }
    let again = hand_out(&tokens, &app("foo"), "a").await;
    assert_ne!(again.expose(), mine[0].expose());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_given_the_same_token() {
    let fixture = Fixture::new().await;
    let tokens = Arc::new(tokens(&fixture));
    for round in 0..20 {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let tokens = Arc::clone(&tokens);
                tokio::spawn(async move { hand_out(&tokens, &app("hello"), "user").await })
            })
            .collect();
        let mut given = std::collections::BTreeSet::new();
        for task in tasks {
            let token = task.await.unwrap();
            assert!(tokens.find(&token).await.unwrap().is_some(), "a token that was handed out works");
            given.insert(token.expose().to_owned());
        }
        assert_eq!(given.len(), 1, "round {round}");
        // Odd rounds extend, even rounds start from an expired one.
        fixture.clock.advance(if round % 2 == 0 { 7 * MINUTE } else { LIFE_MS });
    }
}

#[tokio::test]
async fn a_destroyed_key_leaves_the_old_token_working_and_gives_a_new_one() {
    let fixture = Fixture::new().await;
    let (tokens, hello) = (tokens(&fixture), app("hello"));
    let first = hand_out(&tokens, &hello, "user").await;
    fixture.vault.shred("hello", "user").await.unwrap();
    let second = hand_out(&tokens, &hello, "user").await;
    assert_ne!(first.expose(), second.expose());
    assert!(tokens.find(&first).await.unwrap().is_some());
    assert_eq!(hand_out(&tokens, &hello, "user").await.expose(), second.expose());
}

#[tokio::test]
async fn what_expired_is_swept_away() {
    let fixture = Fixture::new().await;
    let tokens = tokens(&fixture);
    hand_out(&tokens, &app("one"), "user").await;
    fixture.clock.advance(LIFE_MS - 1);
    hand_out(&tokens, &app("two"), "user").await;
    assert_eq!(tokens.sweep().await.unwrap(), 0);
    fixture.clock.advance(1);
    assert_eq!(tokens.sweep().await.unwrap(), 1);
    assert_eq!(only(&tokens, "user").await.app, app("two"));
}
