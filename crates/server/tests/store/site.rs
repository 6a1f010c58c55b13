//! The contracts of App tokens and of the standalone site.

use tessera_server::store::site::{ChannelRow, Member, NewPerson, PersonRow, PostRow, SessionRow};
use tessera_server::store::{AppTokenRow, Store};

use crate::fixture::in_parallel;

fn token(digest: u8, app: &str, user: &str, expires_at: i64) -> AppTokenRow {
    AppTokenRow {
        digest: [digest; 32],
        id: format!("id-{digest}"),
        app: app.into(),
        user: user.into(),
        generation: 7,
        sealed: vec![0, digest, 255],
        roles: "system_user".into(),
        props: "{}".into(),
        csrf: "csrf".into(),
        created_at: 1,
        expires_at,
    }
}

fn person(id: &str, name: &str) -> PersonRow {
    PersonRow {
        id: id.into(),
        username: name.into(),
        email: format!("{name}@example.com"),
        display_name: name.into(),
        roles: "system_user".into(),
        is_bot: false,
        delete_at: 0,
        generation: 1,
        doc: "{}".into(),
    }
}

fn channel(id: &str, name: &str) -> ChannelRow {
    ChannelRow {
        id: id.into(),
        team: String::new(),
        name: name.into(),
        last_post_at: 0,
        messages: 0,
        root_posts: 0,
        doc: "{}".into(),
    }
}

async fn add(store: &Store, id: &str, name: &str, password: Option<&str>) -> bool {
    let new = NewPerson { row: person(id, name), password: password.map(str::to_owned) };
    store.site.people.add(new).await.unwrap()
}

pub(crate) async fn of_many_new_app_tokens_one_is_current(store: &Store) {
    for round in 0..2_u8 {
        let before = store.app_tokens.current("hello", "user").await.unwrap().map(|row| row.digest);
        let won = in_parallel(16, |index| {
            let tokens = store.app_tokens.clone();
            let row = token(100 * round + index as u8, "hello", "user", 10);
            async move { tokens.make_current(row, before).await.unwrap() }
        })
        .await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let winner = 100 * round + won.iter().position(|won| *won).unwrap() as u8;
        let current = store.app_tokens.current("hello", "user").await.unwrap().unwrap();
        assert_eq!(current, token(winner, "hello", "user", 10));
        // The one before stays what it was, and the losers are nowhere.
        assert_eq!(store.app_tokens.of_user("user", 0).await.unwrap().len(), usize::from(round) + 1);
    }
    assert!(!store.app_tokens.make_current(token(200, "hello", "user", 10), Some([8; 32])).await.unwrap());
    assert!(store.app_tokens.make_current(token(201, "hello", "other", 10), None).await.unwrap());
}

pub(crate) async fn app_tokens_are_extended_while_they_live(store: &Store) {
    let tokens = &store.app_tokens;
    assert!(tokens.make_current(token(1, "hello", "user", 100), None).await.unwrap());
    assert_eq!(tokens.find(&[1; 32]).await.unwrap().unwrap().expires_at, 100);
    assert!(tokens.extend(&[1; 32], 200, 99).await.unwrap());
    assert_eq!(tokens.find(&[1; 32]).await.unwrap().unwrap().expires_at, 200);
    assert!(!tokens.extend(&[1; 32], 150, 99).await.unwrap(), "it lasts longer already");
    assert!(!tokens.extend(&[1; 32], 300, 200).await.unwrap(), "it has expired");
    assert!(!tokens.extend(&[2; 32], 300, 99).await.unwrap(), "there is none");
    assert_eq!(tokens.sweep(199, 10).await.unwrap(), 0);
    assert_eq!(tokens.sweep(200, 10).await.unwrap(), 1);
    assert_eq!(tokens.current("hello", "user").await.unwrap(), None);
}

pub(crate) async fn app_tokens_end_by_app_by_user_and_one_by_one(store: &Store) {
    let tokens = &store.app_tokens;
    let rows = [("foo", "a"), ("foo", "b"), ("foobar", "a"), ("foo_b", "a"), ("FOO", "b")];
    for (digest, (app, user)) in (1..).zip(rows) {
        assert!(tokens.make_current(token(digest, app, user, 10), None).await.unwrap());
        assert!(tokens.find(&[digest; 32]).await.unwrap().is_some());
    }
    assert_eq!(tokens.delete_app("foo").await.unwrap(), 2);
    for (digest, there) in [(1, false), (2, false), (3, true), (4, true), (5, true)] {
        assert_eq!(tokens.find(&[digest; 32]).await.unwrap().is_some(), there, "{digest}");
    }
    assert!(tokens.delete(&[3; 32]).await.unwrap() && !tokens.delete(&[3; 32]).await.unwrap());
    assert_eq!(tokens.delete_user("a").await.unwrap(), 1);
    assert!(tokens.find(&[4; 32]).await.unwrap().is_none());
    assert_eq!(tokens.of_user("b", 9).await.unwrap(), [token(5, "FOO", "b", 10)]);
    assert!(tokens.of_user("b", 10).await.unwrap().is_empty());
}

pub(crate) async fn people_have_names_and_addresses_of_their_own(store: &Store) {
    let people = &store.site.people;
    assert!(people.get("1").await.unwrap().is_none());
    assert!(add(store, "1", "ann", Some("hash of ann")).await);
    assert!(people.get("1").await.unwrap().is_some(), "that there was nobody is forgotten");
    assert!(!add(store, "2", "ann", Some("hash of another")).await);
    assert!(!add(store, "1", "bob", Some("hash of bob")).await);
    assert!(add(store, "3", "bot", None).await);
    for login in ["ann", "ann@example.com"] {
        let (row, hash) = people.by_login(login).await.unwrap().unwrap();
        assert_eq!((row, hash.as_deref()), (person("1", "ann"), Some("hash of ann")));
    }
    assert_eq!(people.by_login("bot").await.unwrap().unwrap().1, None);
    assert!(people.by_login("bob").await.unwrap().is_none());

    let next = PersonRow { delete_at: 5, generation: 2, roles: "none".into(), ..person("1", "ann") };
    assert!(people.put(next.clone()).await.unwrap());
    assert!(!people.put(next.clone()).await.unwrap(), "somebody else was faster");
    assert_eq!(*people.get("1").await.unwrap().unwrap(), next);
    assert_eq!(people.by_name("ann").await.unwrap(), Some(next));
}

pub(crate) async fn sessions_end_by_token_by_person_and_by_time(store: &Store) {
    let sessions = &store.site.sessions;
    let session = |digest: u8, user: &str| SessionRow {
        digest: [digest; 32],
        id: format!("id-{digest}"),
        user: user.into(),
        csrf: "csrf".into(),
        created_at: 1,
        expires_at: i64::from(digest) * 10,
    };
    for (digest, user) in [(1, "a"), (2, "a"), (3, "a"), (4, "b")] {
        sessions.add(session(digest, user)).await.unwrap();
        assert_eq!(*sessions.find(&[digest; 32]).await.unwrap().unwrap(), session(digest, user));
    }
    assert!(sessions.delete(&[3; 32]).await.unwrap() && !sessions.delete(&[3; 32]).await.unwrap());
    assert_eq!(sessions.sweep(10, 10).await.unwrap(), 1);
    assert_eq!(sessions.delete_user("a").await.unwrap(), 1);
    assert!(
        sessions.find(&[2; 32]).await.unwrap().is_none() && sessions.find(&[3; 32]).await.unwrap().is_none()
    );
    assert!(sessions.find(&[4; 32]).await.unwrap().is_some());
}

pub(crate) async fn of_many_channels_of_one_name_one_is_made(store: &Store) {
    assert!(add(store, "1", "ann", None).await && add(store, "2", "bob", None).await);
    let made = in_parallel(16, |index| {
        let rooms = store.site.rooms.clone();
        let id = format!("c{index}");
        let members = ["1", "2"].map(|user| Member { of: id.clone(), user: user.into(), doc: id.clone() });
        async move { rooms.add_channel(channel(&id, "1__2"), members.into()).await.unwrap().id }
    })
    .await;
    assert!(made.iter().all(|id| *id == made[0]));
    let rooms = &store.site.rooms;
    assert_eq!(rooms.users_in_channel(&made[0]).await.unwrap(), ["1", "2"]);
    assert_eq!(rooms.members_of_channel(&made[0], 1, 5).await.unwrap(), [made[0].as_str()]);
    assert_eq!(rooms.channels_of("1", "team").await.unwrap(), [channel(&made[0], "1__2")]);
    assert_eq!(rooms.channel_members_of("2", "team").await.unwrap(), [made[0].as_str()]);

    assert!(rooms.add_team("t", "tessera", "team").await.unwrap());
    assert!(!rooms.add_team("t2", "tessera", "other").await.unwrap());
    for doc in ["first", "second"] {
        rooms.join_team(Member { of: "t".into(), user: "1".into(), doc: doc.into() }).await.unwrap();
    }
    assert_eq!(rooms.team_member("t", "1").await.unwrap().as_deref(), Some("first"));
    assert_eq!(rooms.teams_of("1").await.unwrap(), ["team"]);
    assert!(rooms.teams_of("2").await.unwrap().is_empty());
}

pub(crate) async fn posts_are_counted_in_channel_and_thread(store: &Store) {
    store.site.rooms.add_channel(channel("c", "name"), Vec::new()).await.unwrap();
    let post = |id: &str, root: &str, create_at: i64| PostRow {
        id: id.into(),
        channel: "c".into(),
        root: root.into(),
        create_at,
        doc: format!("\"{id}\""),
        replies: 0,
        last_reply_at: 0,
    };
    for row in [post("1", "", 10), post("2", "1", 30), post("3", "1", 20)] {
        store.site.posts.add(row).await.unwrap();
    }
    let root = store.site.posts.get("1").await.unwrap().unwrap();
    assert_eq!(root, PostRow { replies: 2, last_reply_at: 30, ..post("1", "", 10) });
    let counted = store.site.rooms.channel("c").await.unwrap().unwrap();
    assert_eq!(counted, ChannelRow { last_post_at: 30, messages: 3, root_posts: 1, ..channel("c", "name") });
    let list = async |since, skip, limit| {
        let rows = store.site.posts.of_channel("c", since, skip, limit).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>().concat()
    };
    assert_eq!(list(0, 0, 10).await, "231");
    assert_eq!(list(10, 0, 10).await, "23");
    assert_eq!(list(0, 1, 1).await, "3");
}
