//! A team with a channel, somebody in it, and an App with commands of its own.

use serde_json::{Value, json};
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::fake_app::Answer;
use tessera_testkit::fake_mattermost::{Seen, Version};
use tessera_testkit::wire;

pub(crate) struct Scene {
    pub(crate) stage: Attached,
    pub(crate) team: String,
    pub(crate) channel: String,
}

/// Commands of the App, below its own word.
pub(crate) fn commands(bindings: &Value) -> Value {
    json!({"location": "/command", "bindings": [{"location": APP, "label": APP, "bindings": bindings}]})
}

impl Scene {
    /// With an App that has these bindings, each of a top location.
    pub(crate) async fn set(version: Version, bindings: &[Value]) -> Self {
        let stage = Attached::to(version).await;
        let team = stage.mattermost.add_team("dev");
        let channel = stage.mattermost.add_channel(&team, "town-square", "O");
        stage.mattermost.join(&team, &stage.user.id);
        stage.mattermost.join(&channel, &stage.user.id);
        stage.fake.answer("/bindings", Answer::Json(json!({"type": "ok", "data": bindings})));
        stage.fake.answer_with("/send", |call| async move {
            Answer::Json(json!({"type": "ok", "text": format!("got {}", call.json()["values"])}))
        });
        let mut manifest = stage.fake.manifest(APP, &["act_as_bot", "act_as_user", "remote_oauth2"]);
        manifest["requested_locations"] = json!(["/command", "/channel_header", "/post_menu"]);
        stage.site().install(&stage.admin, &manifest).await;
        Self { stage, team, channel }
    }

    pub(crate) async fn types(&self, text: &str) -> Seen {
        self.types_in("", text).await
    }

    /// As a reply.
    pub(crate) async fn types_in(&self, root: &str, text: &str) -> Seen {
        let Self { stage, team, channel } = self;
        stage.mattermost.run_command_in_thread(&stage.user.id, team, channel, root, text).await
    }

    pub(crate) async fn submits(&self, submission: Value) -> wire::Answer {
        self.stage.mattermost.submit_dialog(&self.stage.user.id, &self.channel, submission).await
    }

    /// The dialog before them.
    pub(crate) fn dialog(&self) -> Value {
        self.stage.mattermost.dialog_of(&self.stage.user.id).unwrap().form
    }

    /// What the App was called with last at a path.
    pub(crate) fn called(&self, path: &str) -> Value {
        self.stage.fake.calls_to(path).last().unwrap().json()
    }
}
