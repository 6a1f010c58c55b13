//! Pings, ids and the marketplace (section 2.9).

use serde_json::{Value, json};
use tessera_testkit::site::API;
use tessera_testkit::wire::Ask;

use crate::stage::Stage;

#[tokio::test]
async fn a_ping_tells_the_version() {
    let stage = Stage::set().await;
    let ping = stage.site.send(&Ask::post(format!("{API}/ping"), "whatever")).await;
    assert_eq!((ping.status, ping.json()), (200, json!({"version": "1.2.2"})));
    assert_eq!(stage.open("/ping").await.status, 405);
}

#[tokio::test]
async fn ids_of_bots_and_clients_of_all_installed_apps() {
    let stage = Stage::set().await;
    for route in ["/bot-ids", "/oauth-app-ids"] {
        assert_eq!(stage.open(route).await.text(), "[]");
    }
    let mut records = Vec::new();
    for id in ["one", "two"] {
        stage.site.install(&stage.admin, &stage.fake.manifest(id, &["act_as_bot"])).await;
        let target = format!("{API}/apps/{id}");
        records.push(stage.site.send(&Ask::get(target).bearer(&stage.admin.token)).await.json());
    }
    // Disabled ones count.
    stage.administer("/disable-app", "two").await;
    let expect = |pick: fn(&Value) -> &Value| {
        let mut ids: Vec<String> =
            records.iter().map(|record| pick(record).as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    let bots = expect(|record| &record["bot_user_id"]);
    let clients = expect(|record| &record["mattermost_oauth2"]["id"]);
    for (route, expected) in [("/bot-ids", bots), ("/oauth-app-ids", clients)] {
        let answer = stage.open(route).await;
        assert!(!answer.text().ends_with('\n'));
        let mut ids: Vec<String> = serde_json::from_slice(&answer.body).unwrap();
        ids.sort();
        assert_eq!(ids, expected, "{route}");
    }
}

async fn listed(stage: &Stage, query: &str) -> Vec<String> {
    let answer = stage.open(&format!("/marketplace{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let lines = answer.json();
    lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["manifest"]["app_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_marketplace_lists_filters_and_sorts() {
    let stage = Stage::set().await;
    for (id, name, description) in [("zzz", "alpha", "Makes TEA"), ("aaa", "Beta", ""), ("mmm", "Gamma", "")]
    {
        let mut listing = stage.fake.manifest(id, &["act_as_bot"]);
        listing["display_name"] = json!(name);
        listing["description"] = json!(description);
        listing["Replace"] = json!(true);
        if id == "mmm" {
            listing.as_object_mut().unwrap().remove("http");
            listing["plugin"] = json!({"plugin_id": "com.example.gamma"});
        }
        let answer = stage.site.post(&stage.admin.token, "/update-app-listing", &listing).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for (query, expected) in [
        ("", vec!["zzz", "aaa"]),
        ("?include_plugins=true", vec!["zzz", "aaa", "mmm"]),
        ("?include_plugins=yes", vec!["zzz", "aaa"]),
        ("?filter=%20AAA%20", vec!["aaa"]),
        ("?filter=aa", vec![]),
        ("?filter=tea", vec!["zzz"]),
        ("?filter=ET&include_plugins=1", vec!["aaa"]),
    ] {
        assert_eq!(listed(&stage, query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn the_marketplace_says_how_an_app_stands() {
    let stage = Stage::set().await;
    let icon = tessera_testkit::fake_app::Answer::Raw(http::StatusCode::OK, "image/png", "png".into());
    stage.fake.answer("/static/i.png", icon);
    let mut manifest = stage.fake.manifest("one", &["act_as_bot"]);
    manifest["icon"] = json!("i.png");
    stage.site.install(&stage.admin, &manifest).await;
    let line = stage.open("/marketplace").await.json()[0].clone();
    assert_eq!((&line["installed"], &line["enabled"]), (&json!(true), &json!(true)), "{line}");
    let icon = line["icon_url"].as_str().unwrap();
    assert!(icon.ends_with("/plugins/com.mattermost.apps/apps/one/static/i.png"), "{icon}");
    assert!(line.get("labels").is_none());
    stage.administer("/disable-app", "one").await;
    let line = stage.open("/marketplace").await.json()[0].clone();
    assert_eq!((&line["installed"], &line["enabled"]), (&json!(true), &json!(false)));
    let label = json!([{"name": "Disabled", "description": "This app is disabled.", "url": "", "color": ""}]);
    assert_eq!(line["labels"], label);
}
