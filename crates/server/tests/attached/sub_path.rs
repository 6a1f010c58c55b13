//! A Mattermost whose site has a path: all that people, Apps and Mattermost itself open lies below it.

use serde_json::json;
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::browser::{From, set_cookies};
use tessera_testkit::fake_app::Answer;
use tessera_testkit::fake_mattermost::{Seen, Version};
use tessera_testkit::site::{OAUTH2_USER, flow};
use tessera_testkit::wire::{Ask, send};

const BELOW: &str = "/chat";

/// An App that leads to a provider by a command, and stores what it was given.
async fn stage() -> Attached {
    let stage = Attached::below(Version::V11_7, BELOW).await;
    let bindings = json!({"type": "ok", "data": [{"location": "/command", "bindings": [{
        "location": "hello", "label": APP, "bindings": [
            {"location": "connect", "label": "connect", "submit": {"path": "/link"}},
            {"location": "send", "label": "send", "submit": {"path": "/form"}},
        ],
    }]}]});
    stage.fake.answer("/bindings", Answer::Json(bindings));
    let link = format!("{}{}", stage.door.url(), flow(APP, "connect"));
    stage.fake.answer("/link", Answer::Json(json!({"type": "ok", "text": format!("[Connect]({link})")})));
    let form = json!({"title": "Send", "submit": {"path": "/sent"}, "fields": [{"name": "message", "type": "text"}]});
    stage.fake.answer("/form", Answer::Json(json!({"type": "form", "form": form})));
    stage.fake.leads_to("https://provider.example/a?state={state}");
    let site = stage.site();
    stage.fake.answer_with("/oauth2/complete", move |call| async move {
        let token =
            call.json()["context"]["acting_user_access_token"].as_str().unwrap_or_default().to_owned();
        let stored = site.send(&Ask::post(OAUTH2_USER, r#"{"access_token":"kept"}"#).bearer(&token)).await;
        assert_eq!(stored.status, 200, "{}", stored.text());
        Answer::ok()
    });
    let mut manifest = stage.fake.manifest(APP, &["act_as_bot", "act_as_user", "remote_oauth2"]);
    manifest["on_oauth2_complete"] =
        json!({"path": "/oauth2/complete", "expand": {"acting_user_access_token": "all"}});
    stage.site().install(&stage.admin, &manifest).await;
    stage
}

#[tokio::test]
async fn a_person_connects_below_a_path() {
    let stage = stage().await;
    let connect = format!("{BELOW}{}", flow(APP, "connect"));
    let mut browser = stage.browser();
    let first = browser.open(&connect, From::Nowhere).await;
    let (place, page) = stage.follow(&mut browser, first).await;
    assert!(
        place.starts_with(&format!("{BELOW}/plugins/com.mattermost.apps/tessera/v1/sign-in?")),
        "{place}"
    );
    assert!(page.text().contains(&format!("{}/login", stage.door.url())), "{}", page.text());
    stage.sign_in(&mut browser, "ada").await;
    let again = browser.open(&place, From::Here).await;
    let (place, page) = stage.follow(&mut browser, again).await;
    assert_eq!(place, connect);
    // The trip to Mattermost's own provider, and on.
    let (place, page) = stage.confirm(&mut browser, &place, &page).await;
    assert_eq!((place.as_str(), page.status), (connect.as_str(), 307), "{}", page.text());
    let state = page.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
    let cookies = set_cookies(&page);
    assert!(
        cookies.iter().any(|cookie| cookie.contains("tessera-flow-") && cookie.contains("Path=/;")),
        "{cookies:?}"
    );
    let complete = format!("{BELOW}{}?code=c&state={state}", flow(APP, "complete"));
    let done = browser.open(&complete, From::Elsewhere).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.text().contains(&format!("{}/plugins/", stage.door.url())), "{}", done.text());

    let (token, bot) = stage.site().tokens(&stage.user, &stage.fake, APP).await;
    assert_eq!(stage.site().record(&token).await, r#"{"access_token":"kept"}"#);
    // What the App was told of the site is where it finds Mattermost.
    let context = stage.site().context(&stage.user, &stage.fake, APP).await;
    assert_eq!(context["mattermost_site_url"], stage.door.url());
    let me = stage.site().send(&Ask::get("/api/v4/users/me").bearer(&bot)).await;
    assert_eq!(me.json()["username"], APP);
    // Beside the path there is nothing of ours, whoever asks the service itself.
    let beside = Ask::get(flow(APP, "connect")).bearer(&stage.user.token);
    assert_eq!(send(stage.server.site.address, &beside).await.status, 404);
}

#[tokio::test]
async fn whoever_is_somebody_else_is_signed_out_below_a_path() {
    let stage = stage().await;
    let mut browser = stage.browser();
    stage.sign_in(&mut browser, "root").await;
    let page = browser.open(&format!("{BELOW}{}?from=window", flow(APP, "connect")), From::Here).await;
    let token =
        page.text().split("name=\"token\" value=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
    let sign_out = format!("{BELOW}/plugins/com.mattermost.apps/tessera/v1/sign-out");
    let gone = browser.submit(&sign_out, &[("token", &token), ("app", APP)]).await;
    assert!(
        set_cookies(&gone)
            .iter()
            .any(|cookie| cookie.starts_with("MMAUTHTOKEN=;") && cookie.contains("Path=/chat"))
    );
    let (place, _) = stage.follow(&mut browser, gone).await;
    assert!(place.contains("/tessera/v1/sign-in?return_to=%2Fchat%2Fplugins%2F"), "{place}");
}

#[tokio::test]
async fn commands_and_dialogs_come_below_a_path() {
    let stage = stage().await;
    let team = stage.mattermost.add_team("dev");
    let channel = stage.mattermost.add_channel(&team, "town-square", "O");
    stage.mattermost.join(&team, &stage.user.id);
    stage.mattermost.join(&channel, &stage.user.id);
    let which = json!({"app_id": APP});
    for route in ["/disable-app", "/enable-app"] {
        assert_eq!(stage.site().post(&stage.admin.token, route, &which).await.status, 200);
    }
    let types = |text: &'static str| stage.mattermost.run_command(&stage.user.id, &team, &channel, text);
    let seen = types("/hello connect").await;
    assert!(matches!(seen, Seen::Answer(_)), "{seen:?}");
    assert_eq!(seen.text(), format!("[Connect]({}{})", stage.door.url(), flow(APP, "connect")));
    types("/hello send").await;
    let dialog = stage.mattermost.dialog_of(&stage.user.id).unwrap();
    let url =
        format!("{}/plugins/com.mattermost.apps/tessera/v1/from-mattermost/dialogs/{APP}", stage.door.url());
    assert_eq!(dialog.url, url);
    stage.fake.answer("/sent", Answer::Json(json!({"type": "ok", "text": "sent"})));
    let sent = stage.mattermost.submit_dialog(&stage.user.id, &channel, json!({"message": "hello"})).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    assert_eq!(stage.fake.calls_to("/sent").len(), 1);
}
