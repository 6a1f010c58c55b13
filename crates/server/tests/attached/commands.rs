//! Apps' commands as slash commands of a Mattermost that draws no Apps itself.

use serde_json::{Value, json};
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::browser::From;
use tessera_testkit::fake_app::Answer;
use tessera_testkit::fake_mattermost::{Seen, Version};
use tessera_testkit::site::{API, OAUTH2_USER, flow};
use tessera_testkit::wire::{Ask, send};

const ALL: [&str; 3] = ["act_as_bot", "act_as_user", "remote_oauth2"];

/// A stage with a team, a channel, and an App that has commands.
struct Scene {
    stage: Attached,
    team: String,
    channel: String,
}

fn commands() -> Value {
    let call = |path: &str| json!({"path": path, "expand": {"acting_user_access_token": "all", "oauth2_user": "all"}});
    json!({"type": "ok", "data": [{"location": "/command", "bindings": [{
        "location": "hello", "label": APP, "bindings": [
            {"location": "connect", "label": "connect", "description": "Connect an account", "submit": {"path": "/link"}},
            {"location": "send", "label": "send", "hint": "[text]", "description": "Send it", "form": {
                "submit": call("/send"),
                "fields": [
                    {"name": "message", "type": "text", "label": "message", "position": 1, "is_required": true},
                    {"name": "loud", "type": "bool", "label": "loud"},
                ],
            }},
            {"location": "slow", "label": "slow", "submit": {"path": "/slow"}},
        ],
    }]}]})
}

impl Scene {
    async fn set(version: Version) -> Self {
        let stage = Attached::to(version).await;
        let team = stage.mattermost.add_team("dev");
        let channel = stage.mattermost.add_channel(&team, "town-square", "O");
        stage.mattermost.join(&team, &stage.user.id);
        stage.mattermost.join(&channel, &stage.user.id);
        stage.fake.answer("/bindings", Answer::Json(commands()));
        stage.fake.leads_to_a_provider();
        stage.install(&ALL).await;
        Self { stage, team, channel }
    }

    async fn types(&self, text: &str) -> Seen {
        let Self { stage, team, channel } = self;
        stage.mattermost.run_command(&stage.user.id, team, channel, text).await
    }
}

async fn from_a_command_to_a_token_that_is_used(version: Version) {
    let scene = Scene::set(version).await;
    let (stage, site) = (&scene.stage, scene.stage.site());
    let link = format!("{}{}", stage.door.url(), flow(APP, "connect"));
    stage.fake.answer("/link", Answer::Json(json!({"type": "ok", "text": format!("[Connect]({link})")})));
    stage.fake.answer_with("/oauth2/complete", move |call| async move {
        let token =
            call.json()["context"]["acting_user_access_token"].as_str().unwrap_or_default().to_owned();
        let stored = site.send(&Ask::post(OAUTH2_USER, r#"{"access_token":"kept"}"#).bearer(&token)).await;
        assert_eq!(stored.status, 200, "{}", stored.text());
        Answer::ok()
    });
    stage.fake.answer_with("/send", |call| async move {
        let (values, user) =
            (call.json()["values"].clone(), call.json()["context"]["oauth2"]["user"].clone());
        Answer::Json(json!({"type": "ok", "text": format!("sent {values} with {}", user["access_token"])}))
    });
    let mut manifest = stage.fake.manifest(APP, &ALL);
    manifest["on_oauth2_complete"] =
        json!({"path": "/oauth2/complete", "expand": {"acting_user_access_token": "all"}});
    stage.site().install(&stage.admin, &manifest).await;

    // A slash command, and an answer with a link that its typist alone sees.
    let seen = scene.types("/hello connect").await;
    let Seen::Answer(answer) = &seen else { panic!("{seen:?}") };
    assert_eq!(answer["response_type"], "ephemeral");
    assert_eq!(seen.text(), format!("[Connect]({link})"));
    // The link, signed out; Mattermost's own page; and on to the provider.
    let mut browser = stage.browser();
    let first = browser.open(link.strip_prefix(&stage.door.url()).unwrap(), From::Nowhere).await;
    let (place, page) = stage.follow(&mut browser, first).await;
    assert!(page.text().contains("Sign in to Mattermost"), "{}", page.text());
    stage.sign_in(&mut browser, "ada").await;
    let again = browser.open(&place, From::Here).await;
    let (place, page) = stage.follow(&mut browser, again).await;
    let (_, page) = stage.confirm(&mut browser, &place, &page).await;
    let state = page.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
    let done =
        browser.open(&format!("{}?code=c&state={state}", flow(APP, "complete")), From::Elsewhere).await;
    assert_eq!(done.status, 200, "{}", done.text());
    // The App has what it needs.
    let seen = scene.types(r#"/hello send "good morning" --loud"#).await;
    assert_eq!(seen.text(), r#"sent {"loud":true,"message":"good morning"} with "kept""#);
}

#[tokio::test]
async fn from_a_command_to_a_token_that_is_used_beside_an_old_mattermost() {
    from_a_command_to_a_token_that_is_used(Version::V6_7).await;
}

#[tokio::test]
async fn from_a_command_to_a_token_that_is_used_where_the_original_cannot_run() {
    from_a_command_to_a_token_that_is_used(Version::V12_0).await;
}

#[tokio::test]
async fn each_app_has_one_command_in_each_team_for_as_long_as_both_are_there() {
    let scene = Scene::set(Version::V11_7).await;
    let (stage, team) = (&scene.stage, scene.team.clone());
    let url =
        format!("{}/plugins/com.mattermost.apps/tessera/v1/from-mattermost/commands/{APP}", stage.door.url());
    assert_eq!(stage.mattermost.commands(), [(team.clone(), APP.to_owned(), url.clone())]);
    // Installed over itself: still one. Another team: one more. Disabled, and uninstalled: none.
    stage.install(&ALL).await;
    assert_eq!(stage.mattermost.commands().len(), 1);
    let second = stage.mattermost.add_team("ops");
    stage.install(&ALL).await;
    let mut teams: Vec<String> = stage.mattermost.commands().into_iter().map(|(team, ..)| team).collect();
    teams.sort();
    let mut expected = vec![team, second];
    expected.sort();
    assert_eq!(teams, expected);
    let which = json!({"app_id": APP});
    for (route, count) in [("/disable-app", 0), ("/enable-app", 2), ("/uninstall-app", 0)] {
        let answer = stage.site().post(&stage.admin.token, route, &which).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(stage.mattermost.commands().len(), count, "{route}");
    }
}

#[tokio::test]
async fn what_was_typed_is_answered_in_words() {
    let scene = Scene::set(Version::V11_7).await;
    for (typed, expected) in [
        ("/hello", "`/hello` is followed by one of these:"),
        ("/hello nonsense", "`/hello` knows no `nonsense`."),
        ("/hello send --loud", "`--message` is missing."),
        ("/hello send a b", "This command does not know `b`. It takes `--message`, `--loud`."),
        ("/hello send \"a", "A quote is not closed."),
    ] {
        let text = scene.types(typed).await.text();
        assert!(text.starts_with(expected), "{typed}: {text}");
    }
    // Who has not agreed yet that the App acts for them gets the link.
    let text = scene.types("/hello send x").await.text();
    assert!(
        text.contains("wants to act for you here") && text.contains("/oauth2/mattermost/connect"),
        "{text}"
    );
}

#[tokio::test]
async fn an_app_that_takes_its_time_is_answered_for_later() {
    let scene = Scene::set(Version::V11_7).await;
    let release = std::sync::Arc::new(tokio::sync::Notify::new());
    let late = Answer::Json(json!({"type": "ok", "text": "at last"}));
    scene.stage.fake.answer("/slow", Answer::Held(std::sync::Arc::clone(&release), Box::new(late)));
    assert_eq!(scene.types("/hello slow").await.text(), "Working on it …");
    release.notify_one();
    while scene.stage.mattermost.told_later().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.stage.mattermost.told_later()[0]["text"], "at last");
}

#[tokio::test]
async fn a_command_is_known_by_its_token_and_by_nothing_else() {
    let scene = Scene::set(Version::V11_7).await;
    let (stage, user) = (&scene.stage, scene.stage.user.id.clone());
    let path = format!("/plugins/com.mattermost.apps/tessera/v1/from-mattermost/commands/{APP}");
    let form = |token: &str| format!("token={token}&user_id={user}&team_id={}&text=connect", scene.team);
    let token = stage.mattermost.command_token(&scene.team, APP);
    let right = stage.site().send(&Ask::post(path.clone(), form(&token))).await;
    assert_eq!(right.status, 200, "{}", right.text());
    let calls = stage.fake.calls_to("/link").len();
    for (path, ask) in [
        (path.clone(), form("")),
        (path.clone(), form(&"a".repeat(26))),
        (path.clone(), form(&stage.admin.token)),
        // That of one App opens no other.
        (path.replace(APP, "other"), form(&token)),
        // Somebody who is not there, and a bot.
        (path.clone(), form(&token).replace(&user, &"z".repeat(26))),
        (path.clone(), form(&token).replace(&user, "../users/me")),
    ] {
        let answer = stage.site().send(&Ask::post(path, ask)).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    assert_eq!(stage.fake.calls_to("/link").len(), calls);
    // A bearer does not make one a command of the site's.
    let answer = stage.site().send(&Ask::post(path, form("")).bearer(&stage.admin.token)).await;
    assert_eq!(answer.status, 401);
    // It is kept hashed.
    for name in ["tessera.db", "tessera.db-wal"] {
        let bytes = std::fs::read(stage.server.dir().join(name)).unwrap_or_default();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "{name}");
    }
}

#[tokio::test]
async fn what_mattermost_sends_by_itself_opens_nothing_but_its_own_prefix() {
    let scene = Scene::set(Version::V11_7).await;
    let (stage, admin) = (&scene.stage, scene.stage.admin.token.clone());
    // As if a command's address were one of ours, and Mattermost brought the clicking administrator's session along.
    for route in ["/uninstall-app", "/call", "/oauth2/user"] {
        let ask = Ask::post(format!("{API}{route}"), json!({"app_id": APP}).to_string())
            .bearer(&admin)
            .with("User-Agent", "Mattermost-Bot/1.1");
        for address in [stage.site().address, stage.server.site.address] {
            let answer = send(address, &ask).await;
            assert_eq!(answer.status, 403, "{route}: {}", answer.text());
        }
    }
    assert_eq!(scene.types("/hello connect").await.text(), "");
}
