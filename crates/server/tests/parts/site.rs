//! A site with people and Apps, over whichever server.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tessera_testkit::fake_app::FakeApp;

use super::wire::{Answer, Ask, Sent, send};

pub(crate) const API: &str = "/plugins/com.mattermost.apps/api/v1";
pub(crate) const PLUGIN: &str = "/plugins/com.mattermost.apps";
pub(crate) const OAUTH2_USER: &str = "/plugins/com.mattermost.apps/api/v1/oauth2/user";
pub(crate) const OAUTH2_APP: &str = "/plugins/com.mattermost.apps/api/v1/oauth2/app";

/// All that Apps of tests may do.
pub(crate) const PERMISSIONS: [&str; 3] = ["act_as_bot", "act_as_user", "remote_oauth2"];

/// Where a server answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
}

/// Somebody who signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Site {
    pub(crate) async fn send(&self, ask: &Ask) -> Answer {
        send(self.address, ask).await
    }

    pub(crate) async fn sign_in(&self, name: &str) -> Person {
        let login = json!({"login_id": name, "password": "tessera-dev"}).to_string();
        let answer = self.send(&Ask::post("/api/v4/users/login", login)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        Person { id, token: answer.header("token").unwrap().to_owned() }
    }

    /// Sends JSON to a route of the framework, as this person or App.
    pub(crate) async fn post(&self, token: &str, route: &str, body: &Value) -> Answer {
        self.send(&Ask::post(format!("{API}{route}"), body.to_string()).bearer(token)).await
    }

    pub(crate) async fn install(&self, admin: &Person, manifest: &Value) {
        let mut listing = manifest.clone();
        listing["Replace"] = json!(true);
        let listed = self.post(&admin.token, "/update-app-listing", &listing).await;
        assert_eq!(listed.status, 200, "{}", listed.text());
        let which = json!({"app_id": manifest["app_id"], "deploy_type": "http"});
        let installed = self.post(&admin.token, "/install-app", &which).await;
        assert_eq!(installed.status, 200, "{}", installed.text());
    }

    /// What the App hears when this person calls it and everything is expanded.
    pub(crate) async fn context(&self, person: &Person, app: &FakeApp, app_id: &str) -> Value {
        let call = json!({
            "path": "/context",
            "context": {"app_id": app_id},
            "expand": {
                "acting_user": "summary", "acting_user_access_token": "all", "app": "all",
                "oauth2_app": "all", "oauth2_user": "all",
            },
        });
        let answer = self.post(&person.token, "/call", &call).await;
        assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
        app.calls_to("/context").last().unwrap().json()["context"].clone()
    }

    /// The tokens with which an App acts: as this person, and as its bot.
    pub(crate) async fn tokens(&self, person: &Person, app: &FakeApp, app_id: &str) -> (String, String) {
        let context = self.context(person, app, app_id).await;
        let text = |name: &str| context[name].as_str().unwrap().to_owned();
        (text("acting_user_access_token"), text("bot_access_token"))
    }

    /// The record that a token's holder stored; empty when there is none.
    pub(crate) async fn record(&self, token: &str) -> String {
        let answer = self.send(&Ask::get(OAUTH2_USER).bearer(token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    }

    pub(crate) async fn store(&self, token: &str, body: &str) {
        let answer = self.send(&Ask::post(OAUTH2_USER, body).bearer(token)).await;
        assert_eq!((answer.status, answer.text()), (200, String::new()));
    }

    pub(crate) async fn store_credentials(&self, token: &str, id: &str, secret: &str) {
        let body = json!({"client_id": id, "client_secret": secret}).to_string();
        let answer = self.send(&Ask::post(OAUTH2_APP, body).bearer(token)).await;
        assert_eq!((answer.status, answer.text()), (200, String::new()));
    }
}

/// Where a flow of this App begins and ends.
pub(crate) fn flow(app_id: &str, end: &str) -> String {
    format!("{PLUGIN}/apps/{app_id}/oauth2/remote/{end}")
}

/// An empty body that says so.
pub(crate) fn empty() -> Sent {
    Sent::Whole(Vec::new())
}
