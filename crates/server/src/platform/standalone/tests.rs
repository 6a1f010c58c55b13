use tessera_types::{AppId, Password};

use super::fixture::{Fixture, PASSWORD};
use super::*;
use crate::platform::{Audience, CsrfProof, REFRESH_BINDINGS};

fn hello() -> AppId {
    AppId::new("hello-oauth2").unwrap()
}

fn refused<T>(outcome: Result<T, Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(no)) => no,
        Err(Error::Failed(error)) => panic!("{error}"),
        Ok(_) => panic!("it was allowed"),
    }
}

#[tokio::test]
async fn the_first_start_makes_people_team_and_channels_and_the_second_leaves_them() {
    let fixture = Fixture::new().await;
    let (admin, user) = (fixture.user("sysadmin").await, fixture.user("user-1").await);
    assert_eq!(admin.roles, "system_user system_admin");
    assert_eq!((user.roles.as_str(), user.email.as_str()), ("system_user", "user-1@example.com"));
    let again = Standalone::open(
        &fixture.store,
        Arc::clone(&fixture.vault),
        fixture.env.clone(),
        Settings::new(Url::parse("http://localhost:8065").unwrap(), Password::new("another")),
    )
    .await
    .unwrap();
    assert!(again.sign_in("user-1", &Password::new(PASSWORD)).await.is_ok());
    assert!(again.sign_in("user-1", &Password::new("another")).await.is_err());
    let teams = again.read_teams_of(Eyes::Of(&user.id), &user.id).await.unwrap();
    assert_eq!(teams.iter().map(|team| team.name.as_str()).collect::<Vec<_>>(), ["tessera"]);
    let channels = again.read_channels_of(Eyes::Of(&user.id), &user.id, &teams[0].id).await.unwrap();
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["off-topic", "town-square"]);
}

#[tokio::test]
async fn signing_in_takes_name_or_address_and_the_right_password() {
    let fixture = Fixture::new().await;
    for login in ["user-1", "USER-1", " user-1@Example.com "] {
        let signed_in = fixture.site.sign_in(login, &Password::new(PASSWORD)).await.unwrap();
        assert_eq!(signed_in.user.username, "user-1");
        assert_eq!(signed_in.token.expose().len(), 26);
        let identity = fixture.whose(&signed_in.token).await.unwrap();
        assert_eq!((identity.username.as_str(), identity.is_bot, identity.app), ("user-1", false, None));
    }
    let no = refused(fixture.site.sign_in("user-1", &Password::new("wrong")).await);
    assert_eq!(no, refused(fixture.site.sign_in("nobody", &Password::new(PASSWORD)).await));
    assert_eq!(no.message, "Enter a valid email or username and/or password.");
    for (login, password) in [("", PASSWORD), ("user-1", "")] {
        assert_eq!(refused(fixture.site.sign_in(login, &Password::new(password)).await), no);
    }
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down_per_account_and_a_wait_helps() {
    let fixture = Fixture::new().await;
    let wrong = Password::new("wrong");
    for login in ["user-1", "user-1@example.com", "user-1", "user-1", "user-1"] {
        assert_eq!(refused(fixture.site.sign_in(login, &wrong).await).kind, RefusalKind::Unauthorized);
    }
    // Now even the right one has to wait, whichever way the account is named.
    for login in ["user-1", "user-1@example.com"] {
        let no = refused(fixture.site.sign_in(login, &Password::new(PASSWORD)).await);
        assert!(matches!(no.kind, RefusalKind::TooMany(_)), "{no:?}");
    }
    fixture.sign_in("user-2").await;
    fixture.clock.advance(1_000);
    fixture.sign_in("user-1").await;
    for _ in 0..4 {
        assert_eq!(refused(fixture.site.sign_in("user-1", &wrong).await).kind, RefusalKind::Unauthorized);
    }
}

#[tokio::test]
async fn sessions_end_by_time_and_by_signing_out() {
    let fixture = Fixture::new().await;
    let (first, second) = (fixture.sign_in("user-1").await, fixture.sign_in("user-1").await);
    assert!(fixture.whose(&first).await.is_some());
    fixture.site.sign_out(&first).await.unwrap();
    assert!(fixture.whose(&first).await.is_none());
    let life = 30 * 24 * 60 * 60 * 1_000;
    fixture.clock.advance(life - 1);
    assert!(fixture.whose(&second).await.is_some());
    fixture.clock.advance(1);
    assert!(fixture.whose(&second).await.is_none());
    assert_eq!(fixture.site.sweep().await.unwrap(), 1);
}

#[tokio::test]
async fn cookies_that_change_something_need_their_proof() {
    let fixture = Fixture::new().await;
    let signed_in = fixture.site.sign_in("user-1", &Password::new(PASSWORD)).await.unwrap();
    let other = fixture.site.sign_in("user-1", &Password::new(PASSWORD)).await.unwrap();
    let try_with = |proof| {
        let credential = Credential::Cookie { token: &signed_in.token, proof };
        fixture.site.resolve(credential, Freshness::Now)
    };
    assert!(try_with(CsrfProof::Safe).await.unwrap().is_some());
    assert!(try_with(CsrfProof::Token(&signed_in.csrf)).await.unwrap().is_some());
    assert!(try_with(CsrfProof::XmlHttpRequest).await.unwrap().is_some());
    for proof in [CsrfProof::Missing, CsrfProof::Token(""), CsrfProof::Token(&other.csrf)] {
        assert!(try_with(proof).await.unwrap().is_none());
    }
    let mut strict = Settings::new(Url::parse("http://localhost:8065").unwrap(), Password::new(PASSWORD));
    strict.strict_csrf = true;
    let (store, vault, env) = (&fixture.store, Arc::clone(&fixture.vault), fixture.env.clone());
    let strict = Standalone::open(store, vault, env, strict).await.unwrap();
    let credential = Credential::Cookie { token: &signed_in.token, proof: CsrfProof::XmlHttpRequest };
    assert!(strict.resolve(credential, Freshness::Now).await.unwrap().is_none());
}

#[tokio::test]
async fn texts_that_are_no_tokens_belong_to_nobody() {
    let fixture = Fixture::new().await;
    let session = fixture.sign_in("user-1").await;
    let user = fixture.user("user-1").await;
    for text in ["", "x", &user.id, &session.expose().to_uppercase(), &format!("{} ", session.expose())] {
        assert!(fixture.whose(&AccessToken::new(text)).await.is_none(), "{text:?}");
    }
}

#[tokio::test]
async fn os_37_deactivation_ends_sessions_and_app_tokens_for_good() {
    let fixture = Fixture::new().await;
    let user = fixture.user("user-1").await;
    let (session, token) =
        (fixture.sign_in("user-1").await, fixture.app_token("hello-oauth2", &user.id).await);
    let identity = fixture.whose(&token).await.unwrap();
    assert_eq!((identity.user_id.as_str(), identity.app), (user.id.as_str(), Some(hello())));

    fixture.site.set_user_active(&user.id, false).await.unwrap();
    assert!(fixture.whose(&session).await.is_none() && fixture.whose(&token).await.is_none());
    let refusal = fixture.site.app_token(&hello(), &user.id).await.unwrap();
    assert!(matches!(refusal, AppToken::Refused(_)));
    let no = refused(fixture.site.sign_in("user-1", &Password::new(PASSWORD)).await);
    assert_eq!(no.id, "api.user.login.inactive.app_error");
    assert!(
        refused(fixture.site.read_team(Eyes::Of(&user.id), &user.id).await).kind == RefusalKind::Unauthorized
    );

    fixture.site.set_user_active(&user.id, true).await.unwrap();
    assert!(fixture.whose(&session).await.is_none() && fixture.whose(&token).await.is_none());
    let again = fixture.app_token("hello-oauth2", &user.id).await;
    assert!(fixture.whose(&again).await.is_some());
}

#[tokio::test]
async fn a_revoked_app_token_is_not_handed_out_again() {
    let fixture = Fixture::new().await;
    let user = fixture.user("user-1").await;
    let token = fixture.app_token("hello-oauth2", &user.id).await;
    fixture.site.sign_out(&token).await.unwrap();
    assert!(fixture.whose(&token).await.is_none());
    assert_ne!(fixture.app_token("hello-oauth2", &user.id).await.expose(), token.expose());
    let builtin = fixture.site.app_token(&AppId::new("apps").unwrap(), &user.id).await.unwrap();
    let AppToken::Refused(reason) = builtin else { panic!("{builtin:?}") };
    assert_eq!(reason, "builtin app 'apps' can't have app specific session");
}

#[tokio::test]
async fn rights_follow_the_roles_of_the_moment() {
    let fixture = Fixture::new().await;
    let (admin, user) = (fixture.user("sysadmin").await, fixture.user("user-1").await);
    let may = |id: String| {
        let site = Arc::clone(&fixture.site);
        async move { site.may(&id, Right::ManageSystem, Freshness::Cached).await.unwrap() }
    };
    assert!(may(admin.id.clone()).await);
    assert!(!may(user.id.clone()).await && !may("nobody".to_owned()).await);
    fixture.site.set_roles(&user.id, "system_admin system_user").await.unwrap();
    assert!(may(user.id.clone()).await);
    fixture.site.set_roles(&admin.id, "system_user").await.unwrap();
    assert!(!may(admin.id.clone()).await);
    fixture.site.set_user_active(&user.id, false).await.unwrap();
    assert!(!may(user.id).await);
    let no = refused(fixture.site.set_roles(&admin.id, "king").await);
    assert_eq!(no.kind, RefusalKind::Invalid);
}

#[tokio::test]
async fn bots_are_found_renamed_reactivated_and_step_aside_for_people() {
    let fixture = Fixture::new().await;
    let site = &fixture.site;
    let bot = site.ensure_bot(&AppId::new("Hello-OAuth2").unwrap(), "Hello").await.unwrap();
    assert_eq!(bot.username, "hello-oauth2");
    let user = fixture.user("hello-oauth2").await;
    assert_eq!((user.first_name.as_str(), user.is_bot), ("Hello", true));
    assert_eq!(user.bot_description, "Bot account for `Hello` App.");

    site.set_bot_active(&bot.user_id, false).await.unwrap();
    let again = site.ensure_bot(&hello(), "Hello again").await.unwrap();
    assert_eq!(again.user_id, bot.user_id);
    let user = fixture.user("hello-oauth2").await;
    assert_eq!((user.first_name.as_str(), user.delete_at), ("Hello again", 0));
    let token = fixture.app_token("hello-oauth2", &bot.user_id).await;
    let identity = fixture.whose(&token).await.unwrap();
    assert_eq!((identity.display_name.as_str(), identity.is_bot), ("Hello again", true));

    let aside = site.ensure_bot(&AppId::new("user-1").unwrap(), "One").await.unwrap();
    assert_eq!(aside.username, "user-1-app");
    assert!(
        refused(site.sign_in("user-1-app", &Password::new(PASSWORD)).await).kind == RefusalKind::Unauthorized
    );
}

#[tokio::test]
async fn entities_are_read_with_the_readers_eyes() {
    let fixture = Fixture::new().await;
    let site = &fixture.site;
    let (admin, user) = (fixture.user("sysadmin").await, fixture.user("user-1").await);
    let team = site.read_team_named(Eyes::Unrestricted, "tessera").await.unwrap();
    let channel = site.read_channel_named(Eyes::Unrestricted, &team.id, "town-square").await.unwrap();
    let bot = site.ensure_bot(&hello(), "Hello").await.unwrap().user_id;
    let text = |error: platform::Error| error.to_string();
    use crate::platform;

    let platform: &dyn Platform = site.as_ref();
    assert!(platform.channel(Eyes::Of(&user.id), &channel.id).await.is_ok());
    let no = ": You do not have the appropriate permissions.";
    assert_eq!(text(platform.channel(Eyes::Of(&bot), &channel.id).await.unwrap_err()), no);
    assert_eq!(text(platform.team(Eyes::Of(&bot), &team.id).await.unwrap_err()), no);
    assert_eq!(text(platform.team_member(Eyes::Of(&bot), &team.id, &user.id).await.unwrap_err()), no);
    assert_eq!(
        text(platform.channel(Eyes::Of(&user.id), &team.id).await.unwrap_err()),
        ": Unable to find the existing channel."
    );
    assert_eq!(
        text(platform.user(Eyes::Of(&user.id), &team.id).await.unwrap_err()),
        ": Unable to find the user."
    );
    assert_eq!(
        text(platform.channel_member(Eyes::Of(&user.id), &channel.id, &bot).await.unwrap_err()),
        ": No channel member found for that user ID and channel ID."
    );
    assert_eq!(
        text(platform.team_member(Eyes::Of(&user.id), &team.id, &bot).await.unwrap_err()),
        ": No team member found for that user ID and team ID."
    );
    assert_eq!(
        text(platform.post(Eyes::Of(&user.id), &team.id).await.unwrap_err()),
        ": Unable to get the post."
    );
    assert_eq!(
        text(platform.team(Eyes::Of(&user.id), "x").await.unwrap_err()),
        ": Invalid or missing team_id parameter in request URL."
    );
    // The team's address is for administrators.
    assert_eq!(platform.team(Eyes::Of(&user.id), &team.id).await.unwrap().email, "");
    assert_eq!(platform.team(Eyes::Of(&admin.id), &team.id).await.unwrap().email, "sysadmin@example.com");
    // Once in the team, the bot sees what the team sees.
    site.join_team(Eyes::Of(&user.id), &team.id, &bot).await.unwrap();
    assert!(platform.channel(Eyes::Of(&bot), &channel.id).await.is_ok());
    let direct = site.direct_channel(&user.id, [&user.id, &admin.id]).await.unwrap();
    assert_eq!(text(platform.channel(Eyes::Of(&bot), &direct.id).await.unwrap_err()), no);
    assert_eq!(platform.channel(Eyes::Unrestricted, &direct.id).await.unwrap().kind, "D");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_people_have_one_direct_channel_however_often_it_is_asked_for() {
    let fixture = Fixture::new().await;
    let (a, b) = (fixture.user("user-1").await.id, fixture.user("user-2").await.id);
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let (site, a, b) = (Arc::clone(&fixture.site), a.clone(), b.clone());
            let ask = move |pair: [String; 2]| async move {
                site.direct_channel(&pair[0], [&pair[0], &pair[1]]).await.unwrap().id
            };
            tokio::spawn(ask(if n % 2 == 0 { [a, b] } else { [b, a] }))
        })
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
    let id = ids.pop_first().unwrap();
    let page = Page::default();
    assert_eq!(fixture.site.read_channel_members(Eyes::Of(&a), &id, page).await.unwrap().len(), 2);
}

#[tokio::test]
async fn posts_are_from_their_author_and_told_to_the_channel() {
    let fixture = Fixture::new().await;
    let site = &fixture.site;
    let (user, admin) = (fixture.user("user-1").await, fixture.user("sysadmin").await);
    let bot = site.ensure_bot(&hello(), "Hello").await.unwrap().user_id;
    let direct = site.direct_channel(&bot, [&bot, &user.id]).await.unwrap();
    let draft = |root: &str, message: &str| Draft {
        channel_id: direct.id.clone(),
        root_id: root.to_owned(),
        message: message.to_owned(),
        ..Draft::default()
    };
    let mut ear = site.listen();
    let root = site.create_post(&bot, draft("", "hello")).await.unwrap();
    assert_eq!(root.props.as_ref().unwrap().get(), r#"{"from_bot":"true"}"#);
    fixture.clock.advance(5);
    let reply = site.create_post(&user.id, draft(&root.id, "hi")).await.unwrap();

    let Some(Heard::News(news)) = ear.next(&user.id).await else { panic!() };
    assert_eq!((news.event, news.place.channel_id.as_str()), ("posted", direct.id.as_str()));
    assert!(news.data["post"].as_str().unwrap().contains(&root.id));
    // An outsider hears what comes next for everybody, and nothing of the direct channel.
    let mut outside = site.listen();
    site.create_post(&user.id, draft("", "secret")).await.unwrap();
    site.publish(Event { name: REFRESH_BINDINGS, audience: Audience::User(user.id.clone()) });
    site.publish(Event { name: REFRESH_BINDINGS, audience: Audience::Everyone });
    let Some(Heard::News(news)) = outside.next(&admin.id).await else { panic!() };
    assert_eq!((news.event, news.place.user_id.as_str()), (REFRESH_BINDINGS, ""));

    let read = site.read_post(Eyes::Of(&user.id), &root.id).await.unwrap();
    assert_eq!((read.reply_count, read.last_reply_at), (1, reply.create_at));
    assert_eq!(site.read_channel(Eyes::Of(&user.id), &direct.id).await.unwrap().total_msg_count, 3);
    let other = fixture.user("user-2").await.id;
    assert_eq!(refused(site.read_post(Eyes::Of(&other), &root.id).await).kind, RefusalKind::Forbidden);
    assert_eq!(refused(site.create_post(&other, draft("", "x")).await).kind, RefusalKind::Forbidden);
    // A thread is one level deep and stays in its channel.
    assert_eq!(
        refused(site.create_post(&user.id, draft(&reply.id, "x")).await).message,
        "Invalid RootId parameter."
    );
    assert_eq!(
        refused(site.create_post(&user.id, draft(&user.id, "x")).await).message,
        "Invalid RootId parameter."
    );
    let long = "é".repeat(16_384);
    assert_eq!(refused(site.create_post(&user.id, draft("", &long)).await).kind, RefusalKind::Invalid);
}

#[tokio::test]
async fn a_listener_that_is_too_slow_loses_its_place_and_nobody_waits() {
    let fixture = Fixture::new().await;
    let mut ear = fixture.site.listen();
    for _ in 0..2_000 {
        fixture.site.publish(Event { name: REFRESH_BINDINGS, audience: Audience::Everyone });
    }
    assert!(ear.next("anyone").await.is_none());
}

#[tokio::test]
async fn origins_are_the_sites_own_or_the_asked_hosts() {
    let fixture = Fixture::at("https://chat.example.com/sub").await;
    let own = |origin, host| fixture.site.is_own_origin(origin, host);
    assert!(own("https://chat.example.com", None));
    assert!(own("https://chat.example.com:443", Some("other")));
    assert!(own("https://localhost:8065", Some("localhost:8065")));
    for foreign in
        ["null", "", "https://evil.example", "http://chat.example.com", "https://chat.example.com.evil"]
    {
        assert!(!own(foreign, Some("chat.example.com")), "{foreign}");
    }
    assert_eq!(fixture.site.sign_in_url("/sub/a?b"), "/sub/login?return_to=/sub/a%3Fb");
    let signed_in = fixture.site.sign_in("user-1", &Password::new(PASSWORD)).await.unwrap();
    let [token, user, csrf] = fixture.site.cookies(&signed_in);
    assert_eq!(
        token,
        format!(
            "MMAUTHTOKEN={}; HttpOnly; SameSite=Lax; Secure; Path=/sub; Max-Age=2592000",
            signed_in.token.expose()
        )
    );
    assert!(!user.contains("HttpOnly") && !csrf.contains("HttpOnly"));
}

/// Nothing that opens a door is to be found in what is stored.
#[tokio::test]
async fn os_39_tokens_and_passwords_are_not_stored_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let config = crate::store::StoreConfig::Sqlite { dir: dir.path().to_owned() };
    let store = crate::store::Store::open(&config).await.unwrap();
    let fixture = Fixture::over(store, "http://localhost:8065").await;
    let user = fixture.user("user-1").await;
    let session = fixture.sign_in("user-1").await;
    let token = fixture.app_token("hello-oauth2", &user.id).await;
    let mut files = 0;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        for secret in [session.expose(), token.expose(), PASSWORD] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    assert!(files >= 2);
}
