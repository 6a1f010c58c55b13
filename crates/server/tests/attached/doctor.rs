//! `tessera doctor` by the binary itself: each thing that can be set wrong is named, with what to do.

use std::process::Command;

use serde_json::{Value, json};
use tessera_testkit::attached::Attached;
use tessera_testkit::fake_mattermost::{FakeMattermost, Version};

/// What it says, and its exit code.
async fn doctor(stage: &Attached, token: &str) -> (i32, Vec<Value>) {
    let (url, internal) = (stage.door.url(), stage.mattermost.url());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
    command
        .args(["doctor", "--json"])
        .env("TESSERA_MATTERMOST__URL", &url)
        .env("TESSERA_MATTERMOST__INTERNAL_URL", internal)
        .env("TESSERA_MATTERMOST__TOKEN", token);
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
        assert!(findings.iter().any(|finding| finding["about"] == "proxy path"));
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
    // And where they cannot, the flag must be gone.
    let stage = Attached::to(Version::V12_0).await;
    let token = stage.mattermost.service_token();
    stage.mattermost.set("FeatureFlags.AppsEnabled", true);
    let (code, findings) = doctor(&stage, &token).await;
    assert_eq!(complaints(&findings), [("FeatureFlags.AppsEnabled".to_owned(), "bad".to_owned())]);
    assert_eq!(code, 1);
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
