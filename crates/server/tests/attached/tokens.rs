//! Tokens with which Apps act: of their bots, and for people.

use serde_json::json;
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::fake_mattermost::{Failure, Version};
use tessera_testkit::site::Person;
use tessera_testkit::wire::{Answer, Ask};

use crate::followed::{agree, agree_as};

const ALL: [&str; 3] = ["act_as_bot", "act_as_user", "remote_oauth2"];

#[tokio::test]
async fn an_app_has_one_bot_and_one_token_for_it_until_mattermost_takes_that_away() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&ALL).await;
    agree(&stage).await;
    let (first, bot) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    let (second, again) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_eq!((first, bot.clone()), (second, again));
    // Installed again over itself: the same account, and still one token.
    stage.install(&ALL).await;
    let (_, again) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_eq!(again, bot);
    assert_eq!(stage.mattermost.count("POST", "/api/v4/bots"), 1 + 1, "made once, and enabled once");
    // An administrator revokes it at Mattermost: the next call brings a new one.
    stage.mattermost.revoke(&bot);
    stage.server.clock.advance_ms(10_000);
    let (_, fresh) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_ne!(fresh, bot);
}

#[tokio::test]
async fn a_bot_s_name_that_a_person_has_gets_an_ending() {
    let stage = Attached::set_up(Version::V11_7, |mattermost| drop(mattermost.add_user(APP)), |_| {}).await;
    stage.install(&["act_as_bot"]).await;
    let call = json!({"path": "/hello", "context": {"app_id": APP}});
    let answer = stage.site().post(&stage.user.token, "/call", &call).await;
    assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
    let token = stage.fake.calls_to("/hello").last().unwrap().json()["context"]["bot_access_token"].clone();
    let ask = Ask::get("/api/v4/users/me").bearer(token.as_str().unwrap());
    assert_eq!(stage.site().send(&ask).await.json()["username"], "hello-app");
}

#[tokio::test]
async fn os_44_what_an_app_acts_with_is_nowhere_in_clear() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&ALL).await;
    agree(&stage).await;
    let (token, bot) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    let refresh = stage.mattermost.refresh_tokens();
    let secrets = stage.mattermost.client_secrets();
    assert!(!refresh.is_empty() && !secrets.is_empty());
    let wanted: Vec<&String> = [&token, &bot].into_iter().chain(&refresh).chain(&secrets).collect();
    let mut looked = 0;
    for entry in std::fs::read_dir(stage.server.dir()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        looked += bytes.len();
        for secret in &wanted {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds a secret in clear", path.display());
        }
    }
    assert!(looked > 10_000);
}

#[tokio::test]
async fn a_token_with_which_an_app_acts_is_refreshed_before_it_ends() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&ALL).await;
    agree(&stage).await;
    let (first, _) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    // All but the last half minute of its thirty days.
    stage.server.clock.advance_ms((2_592_000 - 30) * 1_000);
    let (second, _) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_ne!(first, second);
    assert_eq!(stage.mattermost.count("POST", "/oauth/access_token"), 2);
    // The App brings it along, and it is known whose it is.
    stage.site().store(&second, r#"{"access_token":"x"}"#).await;
}

/// What a call comes to that needs a token with which its App acts for the person.
async fn acting(stage: &Attached, token: &str) -> Answer {
    let call = json!({
        "path": "/hello", "context": {"app_id": APP}, "expand": {"acting_user_access_token": "all"},
    });
    stage.site().post(token, "/call", &call).await
}

fn wants_agreement(answer: &Answer) {
    assert!(answer.text().contains("wants to act for you here"), "{}", answer.text());
}

#[tokio::test]
async fn a_token_that_mattermost_ended_is_not_handed_out_and_its_person_agrees_anew() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&ALL).await;
    agree(&stage).await;
    let (first, _) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    // Signed out everywhere, which ends the App's token too; and back again.
    stage.mattermost.end_sessions(&stage.user.id);
    let back = stage.mattermost.session(&stage.user.id).token;
    stage.server.clock.advance_ms(10_000);
    wants_agreement(&acting(&stage, &back).await);
    let user = Person { id: stage.user.id.clone(), token: back };
    agree_as(&stage, &user).await;
    let (second, _) = stage.site().tokens(&user, &stage.fake, APP).await;
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_refresh_that_mattermost_refuses_asks_for_a_new_agreement() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&ALL).await;
    agree(&stage).await;
    stage.site().tokens(&stage.user, &stage.fake, APP).await;
    let refused = Failure::Refused(404, "api.oauth.get_access_token.refresh_token.app_error");
    stage.mattermost.fail_next("/oauth/access_token", refused);
    stage.server.clock.advance_ms((2_592_000 - 30) * 1_000);
    wants_agreement(&acting(&stage, &stage.user.token).await);
    agree(&stage).await;
    assert_eq!(acting(&stage, &stage.user.token).await.json()["type"], "ok");
}

#[tokio::test]
async fn a_client_that_an_administrator_changed_or_removed_at_mattermost_is_taken_up_again() {
    for removed in [false, true] {
        let stage = Attached::to(Version::V11_7).await;
        stage.install(&ALL).await;
        agree(&stage).await;
        stage.site().tokens(&stage.user, &stage.fake, APP).await;
        let client = stage.mattermost.oauth_apps()[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v4/oauth/apps/{client}");
        let ask =
            if removed { Ask::new("DELETE", path) } else { Ask::post(format!("{path}/regen_secret"), "") };
        let token = stage.mattermost.service_token();
        let done = stage.site().send(&ask.bearer(&token)).await;
        assert_eq!(done.status, 200, "{}", done.text());
        stage.server.clock.advance_ms((2_592_000 - 30) * 1_000);
        let answer = acting(&stage, &stage.user.token).await;
        if removed {
            wants_agreement(&answer);
            agree(&stage).await;
        } else {
            assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
        }
        assert_eq!(acting(&stage, &stage.user.token).await.json()["type"], "ok");
        assert_eq!(stage.mattermost.oauth_apps().len(), 1);
    }
}

#[tokio::test]
async fn what_mattermost_has_switched_off_is_named_with_its_setting() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&ALL).await;
    let key = "ServiceSettings.EnableOAuthServiceProvider";
    stage.mattermost.set(key, false);
    let call = json!({
        "path": "/hello", "context": {"app_id": APP}, "expand": {"acting_user_access_token": "+all"},
    });
    let answer = stage.site().post(&stage.user.token, "/call", &call).await;
    assert!(answer.text().contains(key), "{}", answer.text());
    // Without tokens of people's own the service itself is nobody; Apps' bots keep theirs.
    stage.mattermost.set("ServiceSettings.EnableUserAccessTokens", false);
    let disabled = stage.site().post(&stage.admin.token, "/disable-app", &json!({"app_id": APP})).await;
    assert_eq!(disabled.status, 502, "{}", disabled.text());
}

#[tokio::test]
async fn uninstalling_takes_everything_of_the_app_out_of_mattermost_but_its_account() {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&ALL).await;
    agree(&stage).await;
    let (token, bot) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    let gone = stage.site().post(&stage.admin.token, "/uninstall-app", &json!({"app_id": APP})).await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    assert!(stage.mattermost.oauth_apps().is_empty());
    for token in [token, bot] {
        let me = stage.site().send(&Ask::get("/api/v4/users/me").bearer(&token)).await;
        assert_eq!(me.status, 401);
    }
}

#[tokio::test]
async fn a_bot_s_token_is_replaced_in_time_and_the_one_before_goes_on_for_an_hour() {
    const DAY: i64 = 86_400_000;
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_bot"]).await;
    let bot = async || {
        let call = json!({"path": "/hello", "context": {"app_id": APP}});
        stage.site().post(&stage.user.token, "/call", &call).await;
        let call = stage.fake.calls_to("/hello").pop().unwrap().json();
        call["context"]["bot_access_token"].as_str().unwrap().to_owned()
    };
    let first = bot().await;
    stage.server.clock.advance_ms(29 * DAY);
    assert_eq!(bot().await, first);
    stage.server.clock.advance_ms(DAY);
    // It cannot be replaced just now: the old one is better than none.
    stage.mattermost.deny("system_admin", "create_user_access_token");
    assert_eq!(bot().await, first);
    stage.mattermost.grant("system_admin", "create_user_access_token");
    let second = bot().await;
    assert_ne!(second, first);
    for (minutes, lives) in [(0, true), (59, true), (2, false)] {
        stage.server.clock.advance_ms(minutes * 60_000);
        stage.server.upkeep.sweep().await.unwrap();
        assert_eq!(stage.mattermost.holder(&first).is_some(), lives, "{minutes}");
    }
    assert_eq!(bot().await, second);
}

#[tokio::test]
async fn where_the_operator_says_so_apps_act_by_tokens_that_an_administrator_makes() {
    let stage =
        Attached::set_up(Version::V11_7, |_| {}, |config| config.mattermost.danger_admin_tokens = true).await;
    stage.install(&ALL).await;
    // Nobody is asked, and no client is registered for it.
    let (token, bot) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_eq!(stage.mattermost.holder(&token).as_ref(), Some(&stage.user.id));
    assert_eq!(stage.site().tokens(&stage.user, &stage.fake, APP).await.0, token);
    assert!(stage.mattermost.oauth_apps().is_empty());
    stage.site().store(&token, r#"{"access_token":"x"}"#).await;
    let disabled = stage.site().post(&stage.admin.token, "/disable-app", &json!({"app_id": APP})).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text());
    for token in [token, bot] {
        assert_eq!(stage.mattermost.holder(&token), None);
    }
}
