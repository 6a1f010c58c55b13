//! The fake Mattermost itself: that it answers as the real one does, version by version and setting by setting.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod actions;
mod bots;
mod commands;
mod csrf;
mod dialogs;
mod door;
mod failures;
mod oauth;
mod permissions;
mod settings;
mod tokens;
mod websocket;

use serde_json::Value;
use tessera_testkit::fake_mattermost::{FakeMattermost, Version};
use tessera_testkit::wire::{Answer, Ask, send};

/// A Mattermost with a team, a channel, somebody in both, and an administrator.
struct Scene {
    mattermost: FakeMattermost,
    team: String,
    channel: String,
    ada: String,
    token: String,
    /// The administrator's.
    root: String,
}

impl Scene {
    async fn of(version: Version) -> Self {
        Self::with(FakeMattermost::start(version).await)
    }

    fn with(mattermost: FakeMattermost) -> Self {
        let team = mattermost.add_team("dev");
        let channel = mattermost.add_channel(&team, "town-square", "O");
        let ada = mattermost.add_user("ada");
        mattermost.join(&team, &ada);
        mattermost.join(&channel, &ada);
        let token = mattermost.session(&ada).token;
        let admin = mattermost.add_admin("root");
        let root = mattermost.session(&admin).token;
        Self { mattermost, team, channel, ada, token, root }
    }

    async fn send(&self, ask: &Ask) -> Answer {
        send(self.mattermost.address(), ask).await
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(&Ask::get(format!("/api/v4{path}")).bearer(token)).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send(&Ask::post(format!("/api/v4{path}"), body.to_string()).bearer(token)).await
    }

    async fn put(&self, token: &str, path: &str, body: Value) -> Answer {
        let ask = Ask::post(format!("/api/v4{path}"), body.to_string()).bearer(token);
        self.send(&Ask { method: "PUT", ..ask }).await
    }

    async fn delete(&self, token: &str, path: &str) -> Answer {
        self.send(&Ask::new("DELETE", format!("/api/v4{path}")).bearer(token)).await
    }
}

/// Status and id of a refusal.
fn refused(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["status_code"], answer.status, "{}", answer.text());
    (answer.status, body["id"].as_str().unwrap().to_owned())
}

fn is(status: u16, id: &str) -> (u16, String) {
    (status, id.to_owned())
}
