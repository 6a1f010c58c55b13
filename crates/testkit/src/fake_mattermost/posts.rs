//! Posts, as they are kept and as clients are shown them.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tessera_types::Post;

use super::asked::{Asked, Json, is_id, text};
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};
use super::{actions, blocks};

/// The longest message, in characters.
const LONGEST: usize = 16_383;
/// What nobody but a webhook or a plugin may say from 12.0 on.
const SENDERS: [&str; 6] = [
    "from_webhook",
    "override_username",
    "override_icon_url",
    "override_icon_emoji",
    "webhook_display_name",
    "from_plugin",
];

impl State {
    /// A post in Mattermost's form, with a place in the list of no channel yet.
    pub(super) fn new_post(
        &self,
        user: &str,
        channel: &str,
        root: &str,
        message: &str,
        props: Value,
    ) -> Value {
        let now = self.now();
        let post = Post {
            id: fresh(),
            create_at: now,
            update_at: now,
            user_id: user.to_owned(),
            channel_id: channel.to_owned(),
            root_id: root.to_owned(),
            message: message.to_owned(),
            ..Post::default()
        };
        let mut post = serde_json::to_value(post).unwrap();
        post["props"] = if props.is_object() { props } else { json!({}) };
        actions::name_actions(&mut post);
        post
    }

    /// Keeps a post, and tells clients.
    pub(super) fn publish_post(&mut self, post: Value) {
        let shown = actions::without_secrets(&post);
        let data = json!({"post": shown.to_string(), "channel_type": "O", "mentions": ""});
        self.publish("posted", "", &text(&post, "channel_id"), data);
        self.posts.push(post);
    }

    /// Shows a post to somebody alone.
    pub(super) fn whisper(&mut self, user: &str, mut post: Value) {
        post["type"] = json!("system_ephemeral");
        let shown = actions::without_secrets(&post);
        let data = json!({"post": shown.to_string()});
        self.publish("ephemeral_message", user, &text(&post, "channel_id"), data);
        self.ephemeral.push(json!({"user_id": user, "post": post}));
    }

    /// A post that was published or shown to somebody.
    pub(super) fn post(&self, id: &str) -> Option<&Value> {
        self.posts.iter().find(|post| post["id"] == id)
    }

    /// What of the props of somebody is kept.
    fn props_of(&self, session: &Session, given: &Value) -> Value {
        let mut props = if given.is_object() { given.clone() } else { json!({}) };
        let Some(members) = props.as_object_mut() else { return props };
        if self.version.strips_senders() {
            members.retain(|name, _| !SENDERS.contains(&name.as_str()));
        }
        if self.users.get(&session.user).is_some_and(|user| user.is_bot()) {
            members.insert("from_bot".to_owned(), json!("true"));
        }
        props
    }
}

pub(super) fn route(state: &mut State, asked: &Asked, path: &[&str]) -> Result<Response, Refusal> {
    let caller = state.caller(asked)?;
    match (asked.method.as_str(), path) {
        ("POST", []) => create(state, asked, &caller),
        ("POST", ["ephemeral"]) => ephemeral(state, asked, &caller),
        (_, [id, ..]) if !is_id(id) => Err(Refusal::bad_path("post_id")),
        ("GET", [id]) => {
            let post = state.post(id).ok_or_else(|| Refusal::new(404, "app.post.get.app_error"))?;
            if !state.may_read(&caller.user, &text(post, "channel_id")) {
                return Err(Refusal::forbidden());
            }
            Ok(Json(actions::without_secrets(post)).into_response())
        }
        ("PUT", [id] | [id, "patch"]) => patch(state, asked, &caller, id),
        ("DELETE", [id]) => {
            let post = state.post(id).ok_or_else(|| Refusal::new(404, "app.post.get.app_error"))?;
            if post["user_id"] != caller.user.as_str() && !state.allows(&caller.user, "manage_system") {
                return Err(Refusal::forbidden());
            }
            state.posts.retain(|post| post["id"] != *id);
            Ok(super::asked::ok())
        }
        _ => Err(Refusal::missing()),
    }
}

fn check(state: &State, message: &str, props: &Value) -> Result<(), Refusal> {
    if message.chars().count() > LONGEST {
        return Err(Refusal::new(400, "model.post.is_valid.message_length.app_error"));
    }
    if state.version.has_blocks() {
        return blocks::check(props)
            .map_err(|_| Refusal::new(400, "model.post.is_valid.mm_blocks.app_error"));
    }
    Ok(())
}

fn create(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    let body = asked.json("post")?;
    let channel = text(&body, "channel_id");
    let public = state.channels.get(&channel).is_some_and(|one| {
        one.kind == "O" && state.allows_in_team(&caller.user, &one.team_id, "create_post_public")
    });
    if !public && !state.allows_in_channel(&caller.user, &channel, "create_post") {
        return Err(Refusal::forbidden());
    }
    let (root, message) = (text(&body, "root_id"), text(&body, "message"));
    let in_channel = |post: &Value| post["channel_id"] == channel.as_str();
    if !root.is_empty() && !state.post(&root).is_some_and(in_channel) {
        return Err(Refusal::new(400, "api.post.create_post.root_id.app_error"));
    }
    check(state, &message, &body["props"])?;
    let props = state.props_of(caller, &body["props"]);
    let post = state.new_post(&caller.user, &channel, &root, &message, props);
    let shown = actions::without_secrets(&post);
    state.publish_post(post);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

fn ephemeral(state: &mut State, asked: &Asked, caller: &Session) -> Result<Response, Refusal> {
    let body = asked.json("body")?;
    let user = text(&body, "user_id");
    if user.is_empty() {
        return Err(Refusal::bad_body("user_id"));
    }
    if !body["post"].is_object() {
        return Err(Refusal::bad_body("post"));
    }
    state.require(caller, "create_post_ephemeral")?;
    let given = &body["post"];
    let (channel, root, message) =
        (text(given, "channel_id"), text(given, "root_id"), text(given, "message"));
    let post = state.new_post(&caller.user, &channel, &root, &message, given["props"].clone());
    let shown = actions::without_secrets(&post);
    state.whisper(&user, post);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

fn patch(state: &mut State, asked: &Asked, caller: &Session, id: &str) -> Result<Response, Refusal> {
    let body = asked.json("post")?;
    let post = state.post(id).ok_or_else(Refusal::forbidden)?.clone();
    let own = post["user_id"] == caller.user.as_str();
    let permission = if own { "edit_post" } else { "edit_others_posts" };
    if !state.allows_in_channel(&caller.user, &text(&post, "channel_id"), permission) {
        return Err(Refusal::forbidden());
    }
    check(state, &text(&body, "message"), &body["props"])?;
    let props = body["props"].is_object().then(|| state.props_of(caller, &body["props"]));
    let now = state.now();
    let kept = state.posts.iter_mut().find(|post| post["id"] == id);
    let kept = kept.ok_or_else(Refusal::forbidden)?;
    if body["message"].is_string() {
        kept["message"] = body["message"].clone();
        kept["edit_at"] = json!(now);
    }
    if let Some(props) = props {
        kept["props"] = props;
    }
    if body["is_pinned"].is_boolean() {
        kept["is_pinned"] = body["is_pinned"].clone();
    }
    kept["update_at"] = json!(now);
    actions::name_actions(kept);
    let shown = actions::without_secrets(kept);
    let channel = text(&post, "channel_id");
    state.publish("post_edited", "", &channel, json!({"post": shown.to_string()}));
    Ok(Json(shown).into_response())
}
