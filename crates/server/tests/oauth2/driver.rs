//! The driver's client, made from the context of a real call, against the real server.

use serde_json::{Value, json};
use tessera_driver::client::Stored;
use tessera_driver::{AccessToken, Client, DeployType, Error, Manifest, UpdateAppListing};
use tessera_testkit::site::Person;
use tessera_types::{CallRequest, Context, OAuth2App, json as go};

use crate::stage::Stage;

/// The context of a call by this person, as an App reads it.
async fn context(stage: &Stage, person: &Person) -> Context {
    stage.hears(person, json!({"acting_user": "summary", "acting_user_access_token": "all"})).await;
    let call = stage.fake.calls_to("/hear").pop().unwrap();
    let creq: CallRequest = go::from_slice_stream(&call.body).unwrap();
    creq.context
}

#[tokio::test]
async fn the_drivers_client_stores_reads_and_forgets_for_the_acting_user() {
    let stage = Stage::set().await;
    let client = Client::as_acting_user(&context(&stage, &stage.user).await);
    assert!(matches!(client.oauth2_user_record().await.unwrap(), Stored::Nothing));
    assert_eq!(client.get_oauth2_user::<Value>().await.unwrap(), None);

    let record = json!({"access_token": "at-1", "token_type": "Bearer", "n": 12_345_678_901_234_567_890_u64});
    client.store_oauth2_user(&record).await.unwrap();
    assert_eq!(client.get_oauth2_user::<Value>().await.unwrap(), Some(record.clone()));
    let Stored::Value(raw) = client.oauth2_user_record().await.unwrap() else { panic!("no value") };
    assert_eq!(serde_json::from_str::<Value>(raw.get()).unwrap(), record);
    let wrong = client.get_oauth2_user::<String>().await.unwrap_err();
    assert!(matches!(wrong, Error::Decode(_)) && !wrong.to_string().contains("at-1"), "{wrong}");

    client.disconnect_oauth2_user().await.unwrap();
    assert!(matches!(client.oauth2_user_record().await.unwrap(), Stored::Null));
    assert_eq!(client.get_oauth2_user::<Value>().await.unwrap(), None);
}

#[tokio::test]
async fn the_drivers_client_tells_why_it_was_refused() {
    let stage = Stage::set().await;
    let client = Client::as_acting_user(&context(&stage, &stage.user).await);
    let large = client.store_oauth2_user(&"x".repeat(8191)).await.unwrap_err();
    assert!(large.is_too_large(), "{large}");
    assert_eq!(large.text(), Some("size limit of 8Kb exceeded"));
    let app = OAuth2App { client_id: "planted".into(), ..OAuth2App::default() };
    let refused = client.store_oauth2_app(&app).await.unwrap_err();
    assert!(refused.is_unauthorized());
    assert_eq!(
        refused.text(),
        Some("access to this operation is limited to users with permission: manage_system: unauthorized")
    );
    let admins = Client::as_acting_user(&context(&stage, &stage.admin).await);
    admins.store_oauth2_app(&app).await.unwrap();
    let heard = stage.hears(&stage.user, json!({"oauth2_app": "all"})).await;
    assert_eq!(heard["oauth2"]["client_id"], "planted");
}

#[tokio::test]
async fn the_drivers_client_of_the_bot_has_the_bots_own_record() {
    let stage = Stage::set().await;
    let context = context(&stage, &stage.user).await;
    let (user, bot) = (Client::as_acting_user(&context), Client::as_bot(&context));
    user.store_oauth2_user(&"the user's").await.unwrap();
    assert_eq!(bot.get_oauth2_user::<String>().await.unwrap(), None);
    bot.store_oauth2_user(&"the bot's").await.unwrap();
    assert_eq!(user.get_oauth2_user::<String>().await.unwrap().as_deref(), Some("the user's"));
    assert_eq!(bot.get_oauth2_user::<String>().await.unwrap().as_deref(), Some("the bot's"));
}

#[tokio::test]
async fn the_drivers_client_of_an_administrator_lists_installs_switches_and_removes_an_app() {
    let stage = Stage::set().await;
    let admin = Client::new(context(&stage, &stage.admin).await.mattermost_site_url, {
        AccessToken::new(stage.admin.token.clone())
    });
    let manifest: Manifest =
        go::from_slice_strict(stage.fake.manifest("another", &["act_as_bot"]).to_string().as_bytes())
            .unwrap();
    let listing = UpdateAppListing { manifest, replace: true, ..UpdateAppListing::default() };
    assert_eq!(admin.update_app_listing(&listing).await.unwrap().app_id, "another");
    let line = async || {
        let mut lines = admin.get_listed_apps("another", false).await.unwrap();
        assert_eq!(lines.len(), 1);
        lines.remove(0)
    };
    assert!(!line().await.installed);
    let app = admin.install_app("another", &DeployType::Http).await.unwrap();
    assert_eq!((app.bot_username.as_str(), app.webhook_secret.is_empty()), ("another", false));
    assert_eq!(admin.get_app("another").await.unwrap().bot_user_id, app.bot_user_id);
    assert!(line().await.enabled);
    let name = line().await.manifest.display_name;
    assert_eq!(admin.disable_app("another").await.unwrap(), format!("Disabled {name}"));
    let disabled = line().await;
    assert!(disabled.installed && !disabled.enabled && disabled.labels[0].name == "Disabled");
    assert_eq!(admin.enable_app("another").await.unwrap(), format!("Enabled {name}"));
    admin.uninstall_app("another").await.unwrap();
    assert!(!line().await.installed);
    let gone = admin.get_app("another").await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");
}
