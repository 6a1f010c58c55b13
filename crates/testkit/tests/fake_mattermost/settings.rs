//! Settings over REST, versions, and what a setting that is wrong does.

use serde_json::json;
use tessera_testkit::fake_mattermost::{FakeMattermost, Version};
use tessera_testkit::wire::Ask;

use crate::{Scene, is, refused};

#[tokio::test]
async fn clients_are_told_what_their_version_tells() {
    for (version, apps, plugin) in [
        (Version::V6_7, Some("true"), None),
        (Version::V10_0, Some("false"), None),
        (Version::V11_6, Some("false"), Some("false")),
        (Version::V12_0, None, None),
    ] {
        let scene = Scene::of(version).await;
        let config = scene.get(&scene.token, "/config/client?format=old").await.json();
        assert_eq!(config["Version"], version.to_string());
        assert_eq!(config.get("FeatureFlagAppsEnabled").and_then(|flag| flag.as_str()), apps, "{version}");
        assert_eq!(config.get("AppsPluginEnabled").and_then(|flag| flag.as_str()), plugin, "{version}");
        assert_eq!(config["EnableOAuthServiceProvider"], "true");
        assert!(config.get("AllowedUntrustedInternalConnections").is_none());
        // Whoever is signed out is told less.
        let less = scene.send(&Ask::get("/api/v4/config/client?format=old")).await.json();
        assert!(less.get("EnableOAuthServiceProvider").is_none() && less["Version"] == version.to_string());
    }
    let scene = Scene::of(Version::V6_7).await;
    assert_eq!(scene.get(&scene.token, "/config/client").await.status, 501);
    let ping = scene.send(&Ask::get("/api/v4/system/ping")).await;
    assert_eq!(ping.json()["status"], "OK");
    assert!(ping.header("x-version-id").unwrap().starts_with("6.7.0."), "{}", ping.whole());
}

#[tokio::test]
async fn the_native_ui_needs_a_plugin_s_state_from_10_1_on() {
    let mattermost = FakeMattermost::builder(Version::V11_6)
        .env("FeatureFlags.AppsEnabled", true)
        .set("PluginSettings.PluginStates", json!({"com.mattermost.apps": {"Enable": true}}))
        .start()
        .await
        .unwrap();
    let scene = Scene::with(mattermost);
    let config = scene.get(&scene.token, "/config/client?format=old").await.json();
    let on = json!("true");
    assert_eq!((&config["FeatureFlagAppsEnabled"], &config["AppsPluginEnabled"]), (&on, &on));
    let twelve = FakeMattermost::builder(Version::V12_0).env("FeatureFlags.AppsEnabled", true).start().await;
    assert!(twelve.err().unwrap().contains("does not start"));
}

#[tokio::test]
async fn administrators_read_and_patch_what_the_environment_leaves_to_them() {
    let mattermost = FakeMattermost::builder(Version::V11_6)
        .env("ServiceSettings.EnableCommands", true)
        .start()
        .await
        .unwrap();
    let scene = Scene::with(mattermost);
    let patch = json!({"ServiceSettings": {"EnableCommands": false, "EnableOAuthServiceProvider": false}});
    assert_eq!(scene.put(&scene.token, "/config/patch", patch.clone()).await.status, 403);
    let after = scene.put(&scene.root, "/config/patch", patch).await.json();
    assert_eq!(after["ServiceSettings"]["EnableCommands"], true, "the environment has it");
    assert_eq!(after["ServiceSettings"]["EnableOAuthServiceProvider"], false);
    let cleared = json!({"ServiceSettings": {"SiteURL": ""}});
    let refusal = scene.put(&scene.root, "/config/patch", cleared).await;
    assert_eq!(refused(&refusal), is(400, "api.config.update_config.clear_siteurl.app_error"));
    let uploads = json!({"PluginSettings": {"EnableUploads": true}});
    assert_eq!(scene.put(&scene.root, "/config/patch", uploads).await.status, 403);
    let known = json!({"PluginSettings": {"EnableUploads": false}});
    assert_eq!(scene.put(&scene.root, "/config/patch", known).await.status, 200, "it is so already");
}

#[tokio::test]
async fn a_fresh_installation_has_mattermost_s_own_defaults() {
    let mattermost = FakeMattermost::builder(Version::V11_6).fresh().start().await.unwrap();
    let scene = Scene::with(mattermost);
    let config = scene.get(&scene.root, "/config").await.json();
    for (name, value) in [
        ("SiteURL", json!("")),
        ("EnableOAuthServiceProvider", json!(true)),
        ("EnableUserAccessTokens", json!(false)),
        ("EnableBotAccountCreation", json!(false)),
        ("EnableCommands", json!(true)),
        ("AllowedUntrustedInternalConnections", json!("")),
        ("OutgoingIntegrationRequestsTimeout", json!(30)),
        ("ExperimentalStrictCSRFEnforcement", json!(false)),
    ] {
        assert_eq!(config["ServiceSettings"][name], value, "{name}");
    }
    assert_eq!(config["RateLimitSettings"]["PerSec"], 10);
    assert_eq!(config["RateLimitSettings"]["MaxBurst"], 100);
}
