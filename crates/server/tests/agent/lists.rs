//! R08 to R10, R24, and the admin routes as the original's tests drive them.

use serde_json::{Value, json};
use tessera_testkit::site::API;
use tessera_testkit::wire::Ask;

use crate::stage::{APP, Stage};

#[tokio::test]
async fn c_ad_01_an_app_is_listed_and_installed() {
    let stage = Stage::set().await;
    let mut listing = stage.manifest();
    listing["Replace"] = json!(true);
    listing["add_deploys"] = json!(["http"]);
    let listed = stage.admin("/update-app-listing", &listing).await;
    assert_eq!((listed.status, &listed.json()["app_id"]), (200, &json!(APP)));
    let installed = stage.admin("/install-app", &Stage::which()).await;
    assert_eq!(installed.status, 200);
    let record = installed.json();
    assert_eq!((&record["app_id"], &record["deploy_type"]), (&json!(APP), &json!("http")));
    assert_eq!(record["bot_user_id"].as_str().unwrap().len(), 26);
    assert_eq!(record["granted_permissions"], json!(["act_as_bot"]));
}

#[tokio::test]
async fn c_ad_01_deployments_are_added_to_an_earlier_listing() {
    let stage = Stage::set().await;
    let mut listing = stage.manifest();
    listing["add_deploys"] = json!(["http"]);
    assert_eq!(stage.admin("/update-app-listing", &listing).await.status, 200);
    assert_eq!(stage.admin("/install-app", &Stage::which()).await.status, 200);
}

#[tokio::test]
async fn c_ad_02_an_app_is_switched_off_and_on_and_uninstalled() {
    let stage = Stage::set().await;
    stage.install().await;
    for (route, text) in [
        ("/disable-app", "Disabled Hello, OAuth2!"),
        ("/enable-app", "Enabled Hello, OAuth2!"),
        ("/uninstall-app", ""),
    ] {
        let answer = stage.admin(route, &json!({"app_id": APP})).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, text), "{route}");
    }
    let ask = Ask::get(format!("{API}/apps/{APP}")).bearer(&stage.admin.token);
    assert_eq!(stage.site.send(&ask).await.status, 404);
}

#[tokio::test]
async fn c_rb_01_installing_under_a_new_name_renames_the_bot() {
    let stage = Stage::set().await;
    stage.install().await;
    let name = async || {
        let ask = Ask::get(format!("/api/v4/users/username/{APP}")).bearer(&stage.user.token);
        stage.site.send(&ask).await.json()["first_name"].clone()
    };
    assert_eq!(name().await, "Hello, OAuth2!");
    assert_eq!(stage.admin("/uninstall-app", &json!({"app_id": APP})).await.status, 200);
    let mut renamed = stage.manifest();
    renamed["display_name"] = json!("Renamed");
    stage.site.install(&stage.admin, &renamed).await;
    assert_eq!(name().await, "Renamed");
}

#[tokio::test]
async fn user_agents_learn_the_version_and_which_users_are_bots_of_apps() {
    let stage = Stage::set().await;
    assert_eq!(stage.anyone("/bot-ids").await, json!([]));
    stage.install().await;
    let record = stage.record().await;
    assert_eq!(stage.admin("/disable-app", &json!({"app_id": APP})).await.status, 200);
    assert_eq!(stage.anyone("/bot-ids").await, json!([record["bot_user_id"]]), "disabled or not");
    assert_eq!(stage.anyone("/oauth-app-ids").await, json!([record["mattermost_oauth2"]["id"]]));
    let answer = stage.site.send(&Ask::post(format!("{API}/ping"), "not even JSON")).await;
    assert_eq!(answer.json(), json!({"version": "1.2.2"}));
    assert_eq!(stage.site.send(&Ask::get(format!("{API}/ping"))).await.status, 405);
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|line| line["manifest"]["app_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_marketplace_lists_what_fits_by_name() {
    let stage = Stage::set().await;
    let list = async |id: &str, name: &str, deploy: (&str, Value)| {
        let mut manifest = stage.manifest();
        manifest.as_object_mut().unwrap().remove("http");
        manifest[deploy.0] = deploy.1;
        for (member, text) in [("app_id", id), ("display_name", name), ("icon", "a//i.png")] {
            manifest[member] = json!(text);
        }
        manifest["description"] = json!(format!("Greets {id}"));
        manifest["Replace"] = json!(true);
        assert_eq!(stage.admin("/update-app-listing", &manifest).await.status, 200);
    };
    list("zzz", "alpha", ("http", json!({"root_url": stage.fake.root_url()}))).await;
    list("aaa", "Beta", ("http", json!({"root_url": stage.fake.root_url()}))).await;
    list("ppp", "Gamma", ("plugin", json!({"plugin_id": "p"}))).await;
    stage.install().await;
    assert_eq!(stage.admin("/disable-app", &json!({"app_id": APP})).await.status, 200);

    let all = stage.anyone("/marketplace").await;
    assert_eq!(ids(&all), ["zzz", "aaa", APP], "by display name, plugins left out");
    assert_eq!(ids(&stage.anyone("/marketplace?include_plugins=T").await), ["zzz", "aaa", "ppp", APP]);
    assert_eq!(ids(&stage.anyone("/marketplace?filter=%20ZZZ%20").await), ["zzz"]);
    assert_eq!(ids(&stage.anyone("/marketplace?filter=greets%20A").await), ["aaa"]);
    assert_eq!(stage.anyone("/marketplace?filter=nothing+like+it").await, json!([]));
    let port = stage.site.address.port();
    let icon = format!("http://localhost:{port}/plugins/com.mattermost.apps/apps/zzz/static/a/i.png");
    let first = &all[0];
    assert_eq!(
        (&first["icon_url"], &first["installed"], &first["enabled"]),
        (&json!(icon), &json!(false), &json!(false))
    );
    assert_eq!(first.get("labels"), None);
    let disabled =
        json!([{"name": "Disabled", "description": "This app is disabled.", "url": "", "color": ""}]);
    assert_eq!(
        (&all[2]["labels"], &all[2]["installed"], &all[2]["enabled"]),
        (&disabled, &json!(true), &json!(false))
    );
}
