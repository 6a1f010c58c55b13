//! `tessera doctor` by the binary itself: each thing that can be set wrong is named, with what to do.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::fake_mattermost::{Failure, FakeMattermost, Version};
use tessera_testkit::wire::{Ask, Sent};

/// What it says, and its exit code.
async fn doctor(stage: &Attached, token: &str) -> (i32, Vec<Value>) {
    doctor_with(stage, token, &[]).await
}

/// The same with more of the environment. What the service itself stands on is as it should be.
async fn doctor_with(stage: &Attached, token: &str, more: &[(&str, &str)]) -> (i32, Vec<Value>) {
    let (url, internal) = (stage.door.url(), stage.mattermost.url());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
    command
        .args(["doctor", "--json"])
        .env("TESSERA_MATTERMOST__URL", &url)
        .env("TESSERA_MATTERMOST__INTERNAL_URL", internal)
        .env("TESSERA_MATTERMOST__TOKEN", token)
        .env("TESSERA_STORE__DIR", stage.server.dir())
        .env("TESSERA_VAULT__ROOT_KEY_FILE", stage.server.dir().join("root.key"))
        .envs(more.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), said["findings"].as_array().unwrap().clone())
}

/// The findings that are not good: what each is about, and its state.
fn complaints(findings: &[Value]) -> Vec<(String, String)> {
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let not_good = findings.iter().filter(|finding| finding["state"] != "good");
    not_good
        .map(|finding| {
            assert!(!text(finding, "mend").is_empty(), "{finding}");
            (text(finding, "about"), text(finding, "state"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mattermost_in_which_all_is_well_has_nothing_to_mend() {
    let stages = [
        Attached::to(Version::V6_7).await,
        Attached::to(Version::V12_0).await,
        Attached::below(Version::V12_0, "/chat").await,
    ];
    for stage in stages {
        let token = stage.mattermost.service_token();
        let (code, findings) = doctor(&stage, &token).await;
        assert_eq!((code, complaints(&findings)), (0, vec![]), "{findings:?}");
        for about in ["proxy path", "callbacks", "clocks", "database", "root key", "providers"] {
            assert!(findings.iter().any(|finding| finding["about"] == about), "{about}: {findings:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_setting_that_is_wrong_is_named_with_what_to_do() {
    let stage = Attached::to(Version::V6_7).await;
    let token = stage.mattermost.service_token();
    for (key, wrong, right, state) in [
        ("ServiceSettings.SiteURL", json!("https://elsewhere.example.com"), json!(stage.door.url()), "bad"),
        ("ServiceSettings.SiteURL", json!(""), json!(stage.door.url()), "bad"),
        ("ServiceSettings.EnableOAuthServiceProvider", json!(false), json!(true), "bad"),
        ("ServiceSettings.EnableBotAccountCreation", json!(false), json!(true), "bad"),
        ("ServiceSettings.EnableCommands", json!(false), json!(true), "warning"),
        ("ServiceSettings.AllowedUntrustedInternalConnections", json!(""), json!("127.0.0.1"), "bad"),
        (
            "ServiceSettings.AllowedUntrustedInternalConnections",
            json!("10.0.0.0/8 x"),
            json!("127.0.0.0/8"),
            "bad",
        ),
        ("ServiceSettings.ExperimentalStrictCSRFEnforcement", json!(true), json!(false), "warning"),
        ("ServiceSettings.OutgoingIntegrationRequestsTimeout", json!(2), json!(30), "warning"),
        ("RateLimitSettings.Enable", json!(true), json!(false), "warning"),
        ("FeatureFlags.AppsEnabled", json!(false), json!(true), "warning"),
    ] {
        stage.mattermost.set(key, wrong);
        let (code, findings) = doctor(&stage, &token).await;
        assert_eq!(complaints(&findings), [(key.to_owned(), state.to_owned())]);
        assert_eq!(code, i32::from(state == "bad"), "{key}");
        stage.mattermost.set(key, right);
    }
    // Where native Apps can be drawn, the web client also looks at the state of a plugin that is not there.
    let stage = Attached::to(Version::V11_7).await;
    let token = stage.mattermost.service_token();
    stage.mattermost.set("FeatureFlags.AppsEnabled", true);
    let (_, findings) = doctor(&stage, &token).await;
    assert_eq!(complaints(&findings), [("PluginSettings.PluginStates".to_owned(), "warning".to_owned())]);
    let states = json!({"com.mattermost.apps": {"Enable": true}});
    stage.mattermost.set("PluginSettings.PluginStates", states);
    stage.mattermost.set("PluginSettings.Enable", false);
    let (_, findings) = doctor(&stage, &token).await;
    assert_eq!(complaints(&findings), [("PluginSettings.Enable".to_owned(), "warning".to_owned())]);
    // And where they cannot, the flag must be gone.
    let stage = Attached::to(Version::V12_0).await;
    let token = stage.mattermost.service_token();
    stage.mattermost.set("FeatureFlags.AppsEnabled", true);
    let (code, findings) = doctor(&stage, &token).await;
    assert_eq!(complaints(&findings), [("FeatureFlags.AppsEnabled".to_owned(), "bad".to_owned())]);
    assert_eq!(code, 1);
    stage.mattermost.set("FeatureFlags.AppsEnabled", false);
    let key = "ServiceSettings.MaximumPersonalAccessTokenLifetimeDays";
    stage.mattermost.set(key, 30);
    stage.mattermost.set_clock_skew(60_000);
    let (_, findings) = doctor(&stage, &token).await;
    let expected = ["clocks", key].map(|about| (about.to_owned(), "warning".to_owned()));
    assert_eq!(complaints(&findings), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_mattermost_reaches_the_service_is_tried_and_leaves_nothing_behind() {
    let stage = Attached::to(Version::V11_7).await;
    stage.mattermost.set("FeatureFlags.AppsEnabled", true);
    stage.mattermost.set("PluginSettings.PluginStates", json!({"com.mattermost.apps": {"Enable": true}}));
    let token = stage.mattermost.service_token();
    let team = stage.mattermost.add_team("dev");
    stage.mattermost.add_channel(&team, "town-square", "O");
    let (code, findings) = doctor(&stage, &token).await;
    assert_eq!((code, complaints(&findings)), (0, vec![]), "{findings:?}");
    let found = findings.iter().find(|finding| finding["about"] == "callbacks").unwrap();
    assert!(found["found"].as_str().unwrap().starts_with("Mattermost reaches http"), "{found}");
    assert_eq!(stage.mattermost.count("POST", "/api/v4/commands/execute"), 1);
    assert!(stage.mattermost.commands().is_empty());
    // It is said, too, when it cannot be reached, and the command is gone all the same.
    let unreached = Failure::Refused(500, "api.command.execute_command.failed.app_error");
    stage.mattermost.fail_next("/api/v4/commands/execute", unreached);
    let (code, findings) = doctor(&stage, &token).await;
    assert_eq!((code, complaints(&findings)), (1, vec![("callbacks".to_owned(), "bad".to_owned())]));
    assert!(stage.mattermost.commands().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_itself_stands_on_is_looked_at() {
    let stage = Attached::to(Version::V6_7).await;
    let token = stage.mattermost.service_token();
    let aside = tempfile::tempdir().unwrap();
    let at = |name: &str| aside.path().join(name).display().to_string();
    // Another key than that of the data.
    let made = Command::new(env!("CARGO_BIN_EXE_tessera")).args(["keys", "generate"]).output().unwrap();
    std::fs::write(aside.path().join("other.key"), made.stdout).unwrap();
    std::fs::set_permissions(aside.path().join("other.key"), Permissions::from_mode(0o600)).unwrap();
    let other = at("other.key");
    let (code, findings) = doctor_with(&stage, &token, &[("TESSERA_VAULT__ROOT_KEY_FILE", &other)]).await;
    assert_eq!((code, complaints(&findings)), (1, vec![("root key".to_owned(), "bad".to_owned())]));
    // One that is not there, of data that is.
    let none = at("none.key");
    let (code, findings) = doctor_with(&stage, &token, &[("TESSERA_VAULT__ROOT_KEY_FILE", &none)]).await;
    assert_eq!((code, complaints(&findings)), (1, vec![("root key".to_owned(), "bad".to_owned())]));
    // Before the first start: nothing is made by looking.
    let new = at("new");
    let more = [("TESSERA_STORE__DIR", new.as_str()), ("TESSERA_VAULT__ROOT_KEY_FILE", "")];
    let (code, findings) = doctor_with(&stage, &token, &more).await;
    let expected = ["root key", "providers"].map(|about| (about.to_owned(), "warning".to_owned()));
    assert_eq!((code, complaints(&findings)), (0, expected.to_vec()));
    assert!(!aside.path().join("new").exists());
    // A file that is no database.
    std::fs::create_dir(&new).unwrap();
    std::fs::write(
        aside.path().join("new/tessera.db"),
        "no database, and long enough to be none by its head",
    )
    .unwrap();
    let (code, findings) = doctor_with(&stage, &token, &[("TESSERA_STORE__DIR", &new)]).await;
    let bad = complaints(&findings).into_iter().filter(|(_, state)| state == "bad");
    assert_eq!((code, bad.map(|(about, _)| about).collect::<Vec<_>>()), (1, vec!["database".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_of_a_managed_app_is_asked() {
    let stage = Attached::to(Version::V6_7).await;
    stage.install(&["act_as_user", "remote_oauth2"]).await;
    let descriptor = "name = 'away'\ndisplay_name = 'Away'\nauthorize_url = 'https://127.0.0.1:1/a'\n\
                      token_url = 'https://127.0.0.1:1/t'\nclient_auth = 'post'\n";
    let record = json!({"descriptor": descriptor, "client_id": "x", "client_secret": "y"}).to_string();
    let path = format!("/plugins/com.mattermost.apps/tessera/v1/apps/{APP}/provider");
    let ask = Ask::new("PUT", path).body(Sent::Whole(record.into_bytes())).bearer(&stage.admin.token);
    let set = stage.site().send(&ask).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let token = stage.mattermost.service_token();
    let (code, findings) = doctor(&stage, &token).await;
    assert_eq!(
        (code, complaints(&findings)),
        (0, vec![(format!("provider of {APP}"), "warning".to_owned())])
    );
    assert!(serde_json::to_string(&findings).unwrap().contains("(unreachable)"), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_nobody_or_may_too_little_is_named_with_what_it_lacks() {
    let stage = Attached::to(Version::V11_7).await;
    let bad = |findings: &[Value]| {
        let complaints = complaints(findings).into_iter().filter(|(_, state)| state == "bad");
        complaints.map(|(about, _)| about).collect::<Vec<_>>()
    };
    let (code, findings) = doctor(&stage, &"a".repeat(26)).await;
    assert_eq!((code, bad(&findings)), (1, vec!["mattermost.token".to_owned()]));
    // Somebody who may nothing of it: each permission is named.
    let (_, findings) = doctor(&stage, &stage.user.token).await;
    let text = serde_json::to_string(&findings).unwrap();
    for permission in
        ["manage_system", "create_bot", "manage_others_bots", "create_user_access_token", "manage_oauth"]
    {
        assert!(text.contains(&format!("lacks the permission {permission}")), "{text}");
    }
    // A fresh Mattermost 11 lets no administrator register clients.
    let fresh = FakeMattermost::start(Version::V11_7).await;
    fresh.set_site_url(&fresh.url());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
    command
        .args(["doctor"])
        .env("TESSERA_MATTERMOST__URL", fresh.url())
        .env("TESSERA_MATTERMOST__TOKEN", fresh.service_token());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("lacks the permission manage_oauth"), "{text}");
    assert!(text.contains("mmctl permissions add system_admin manage_oauth"), "{text}");
    // People's own tokens are off, and the service's is one.
    let token = stage.mattermost.service_token();
    stage.mattermost.set("ServiceSettings.EnableUserAccessTokens", false);
    let (code, findings) = doctor(&stage, &token).await;
    assert_eq!((code, bad(&findings)), (1, vec!["mattermost.token".to_owned()]));
    assert!(serde_json::to_string(&findings).unwrap().contains("ServiceSettings.EnableUserAccessTokens"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_the_proxy_does_not_lead_to_the_service_is_named() {
    let stage = Attached::set_up(Version::V11_7, |_| {}, |_| {}).await;
    let token = stage.mattermost.service_token();
    // As if there were no proxy: Mattermost itself answers there.
    stage.mattermost.set_site_url(&stage.mattermost.url());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
    command
        .args(["doctor"])
        .env("TESSERA_MATTERMOST__URL", stage.mattermost.url())
        .env("TESSERA_MATTERMOST__TOKEN", token);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("BAD   proxy path") && text.contains("/plugins/com.mattermost.apps/ to the service"),
        "{text}"
    );
    assert!(text.lines().last().unwrap().ends_with("1 to mend"), "{text}");
}
