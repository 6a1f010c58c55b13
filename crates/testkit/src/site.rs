//! A site with people and Apps, over whichever server.

use std::net::SocketAddr;

use crate::fake_app::FakeApp;
use serde_json::{Value, json};

use crate::wire::{Answer, Ask, Sent, send};

/// The path under which the framework answers.
pub const API: &str = "/plugins/com.mattermost.apps/api/v1";
/// The path of all that is the framework's.
pub const PLUGIN: &str = "/plugins/com.mattermost.apps";
/// Where an App stores and reads a person's record.
pub const OAUTH2_USER: &str = "/plugins/com.mattermost.apps/api/v1/oauth2/user";
/// Where an App stores the credentials of its client.
pub const OAUTH2_APP: &str = "/plugins/com.mattermost.apps/api/v1/oauth2/app";

/// All that Apps of tests may do.
pub const PERMISSIONS: [&str; 3] = ["act_as_bot", "act_as_user", "remote_oauth2"];

/// Where a server answers.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// The address of its socket.
    pub address: SocketAddr,
    /// The path that everything is below, such as `/chat`; empty for none. Whoever asks may leave it out.
    pub below: &'static str,
}

/// Somebody who signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The id of the person.
    pub id: String,
    /// The session's token.
    pub token: String,
}

impl Site {
    /// A site at the root of this address.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, below: "" }
    }

    /// Sends a request and reads the answer, which there must be.
    pub async fn send(&self, ask: &Ask) -> Answer {
        if ask.target.starts_with(self.below) {
            return send(self.address, ask).await;
        }
        send(self.address, &Ask { target: format!("{}{}", self.below, ask.target), ..ask.clone() }).await
    }

    /// Signs in one of the people of development.
    pub async fn sign_in(&self, name: &str) -> Person {
        let login = json!({"login_id": name, "password": "tessera-dev"}).to_string();
        let answer = self.send(&Ask::post("/api/v4/users/login", login)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        Person { id, token: answer.header("token").unwrap().to_owned() }
    }

    /// Sends JSON to a route of the framework, as this person or App.
    pub async fn post(&self, token: &str, route: &str, body: &Value) -> Answer {
        self.send(&Ask::post(format!("{API}{route}"), body.to_string()).bearer(token)).await
    }

    /// Lists an App and installs it, in place of one with its id.
    pub async fn install(&self, admin: &Person, manifest: &Value) {
        let mut listing = manifest.clone();
        listing["Replace"] = json!(true);
        let listed = self.post(&admin.token, "/update-app-listing", &listing).await;
        assert_eq!(listed.status, 200, "{}", listed.text());
        let which = json!({"app_id": manifest["app_id"], "deploy_type": "http"});
        let installed = self.post(&admin.token, "/install-app", &which).await;
        assert_eq!(installed.status, 200, "{}", installed.text());
    }

    /// What the App hears when this person calls it and everything is expanded.
    pub async fn context(&self, person: &Person, app: &FakeApp, app_id: &str) -> Value {
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
    pub async fn tokens(&self, person: &Person, app: &FakeApp, app_id: &str) -> (String, String) {
        let context = self.context(person, app, app_id).await;
        let text = |name: &str| context[name].as_str().unwrap().to_owned();
        (text("acting_user_access_token"), text("bot_access_token"))
    }

    /// The record that a token's holder stored; empty when there is none.
    pub async fn record(&self, token: &str) -> String {
        let answer = self.send(&Ask::get(OAUTH2_USER).bearer(token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    }

    /// Stores a record as the holder of a token.
    pub async fn store(&self, token: &str, body: &str) {
        let answer = self.send(&Ask::post(OAUTH2_USER, body).bearer(token)).await;
        assert_eq!((answer.status, answer.text()), (200, String::new()));
    }

    /// Stores the client's id and secret as the holder of a token.
    pub async fn store_credentials(&self, token: &str, id: &str, secret: &str) {
        let body = json!({"client_id": id, "client_secret": secret}).to_string();
        let answer = self.send(&Ask::post(OAUTH2_APP, body).bearer(token)).await;
        assert_eq!((answer.status, answer.text()), (200, String::new()));
    }
}

/// Where a flow of this App begins and ends.
pub fn flow(app_id: &str, end: &str) -> String {
    format!("{PLUGIN}/apps/{app_id}/oauth2/remote/{end}")
}

/// An empty body that says so.
pub fn empty() -> Sent {
    Sent::Whole(Vec::new())
}
