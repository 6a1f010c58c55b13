//! Administering Apps over REST (sections 2.12 to 2.15, 15.11).

use serde_json::{Value, json};
use tessera_testkit::wire::Ask;

use crate::stage::Stage;

const APP: &str = "admintest";

#[tokio::test]
async fn c_ad_01_an_app_is_listed_and_installed() {
    let stage = Stage::set().await;
    let mut listing = stage.fake.manifest(APP, &["act_as_bot"]);
    listing["Replace"] = json!(true);
    listing["add_deploys"] = json!(["http"]);
    let listed = stage.site.post(&stage.admin.token, "/update-app-listing", &listing).await;
    assert_eq!((listed.status, &listed.json()["app_id"]), (200, &json!(APP)), "{}", listed.text());
    let app = stage.administer("/install-app", APP).await.json();
    assert_eq!((&app["app_id"], &app["bot_username"]), (&json!(APP), &json!(APP)));
    let bot = app["bot_user_id"].as_str().unwrap();
    let target = format!("/api/v4/users/{bot}");
    let answer = stage.site.send(&Ask::get(target).bearer(&stage.admin.token)).await;
    assert_eq!((answer.status, &answer.json()["is_bot"]), (200, &json!(true)), "{}", answer.text());
}

#[tokio::test]
async fn c_ad_02_an_app_is_disabled_enabled_and_uninstalled() {
    let stage = Stage::set().await;
    stage.site.install(&stage.admin, &stage.fake.manifest(APP, &["act_as_bot"])).await;
    let call = json!({"path": "/send", "context": {"app_id": APP}});
    for (route, answer, works) in [
        ("/disable-app", "Disabled Hello, OAuth2!", false),
        ("/enable-app", "Enabled Hello, OAuth2!", true),
        ("/uninstall-app", "", false),
    ] {
        assert_eq!(stage.administer(route, APP).await.text().trim(), answer, "{route}");
        let called = stage.site.post(&stage.user.token, "/call", &call).await.json();
        assert_eq!(called["type"] == "ok", works, "{route}: {called}");
    }
}

#[tokio::test]
async fn c_rb_01_an_app_installed_again_under_a_new_name_renames_its_bot() {
    let stage = Stage::set().await;
    let mut manifest = stage.fake.manifest(APP, &["act_as_bot"]);
    let mut bots: Vec<Value> = Vec::new();
    for name in ["First Name", "Second Name"] {
        manifest["display_name"] = json!(name);
        stage.site.install(&stage.admin, &manifest).await;
        let target = format!("/api/v4/users/username/{APP}");
        let bot = stage.site.send(&Ask::get(target).bearer(&stage.admin.token)).await.json();
        // A bot's first name is its display name.
        assert_eq!(bot["first_name"], name, "{bot}");
        bots.push(bot["id"].clone());
        stage.administer("/uninstall-app", APP).await;
    }
    assert_eq!(bots[0], bots[1], "the same bot");
}
