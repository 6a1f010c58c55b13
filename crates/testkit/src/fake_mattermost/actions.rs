//! Message actions: buttons and selects of attachments, and of blocks from 11.10 on (C.6).

use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::asked::{Asked, Json, text};
use super::outgoing::Outgoing;
use super::refusal::Refusal;
use super::sessions::Session;
use super::state::{State, fresh};
use super::typed::Seen;
use super::{FakeMattermost, Shared, blocks};

/// What of a post's props stays, whatever an integration answers.
const RETAINED: [&str; 3] = ["from_webhook", "override_username", "override_icon_url"];

/// An action of a post, as it is kept.
struct Action {
    kind: String,
    data_source: String,
    url: String,
    context: Map<String, Value>,
    /// It is only an address to go to.
    opens: bool,
}

fn each_action(post: &mut Value, change: impl Fn(&mut Map<String, Value>)) {
    let attachments = post["props"].get_mut("attachments").and_then(Value::as_array_mut);
    for attachment in attachments.into_iter().flatten() {
        let actions = attachment.get_mut("actions").and_then(Value::as_array_mut);
        for action in actions.into_iter().flatten().filter_map(Value::as_object_mut) {
            change(action);
        }
    }
}

/// Gives a name to actions that have none.
pub(super) fn name_actions(post: &mut Value) {
    each_action(post, |action| {
        if action.get("id").and_then(Value::as_str).unwrap_or_default().is_empty() {
            action.insert("id".to_owned(), json!(fresh()));
        }
    });
}

/// A post as clients see it: where its actions lead, and with what, is not theirs to know.
pub(super) fn without_secrets(post: &Value) -> Value {
    let mut shown = post.clone();
    each_action(&mut shown, |action| {
        if action.remove("integration").is_some() {
            action.insert("cookie".to_owned(), json!(fresh()));
        }
    });
    if shown["props"]["mm_blocks_actions"].is_object() {
        shown["props"]["mm_blocks_actions"] = json!(fresh());
    }
    shown
}

fn of_attachments(post: &Value, id: &str) -> Option<Action> {
    let attachments = post["props"]["attachments"].as_array()?;
    let mut actions = attachments.iter().flat_map(|one| one["actions"].as_array().into_iter().flatten());
    let action = actions.find(|action| action["id"] == id)?;
    let integration = action.get("integration")?;
    // An action that does not say what it is is a button.
    let kind = action["type"].as_str().filter(|kind| !kind.is_empty()).unwrap_or("button");
    Some(Action {
        kind: kind.to_owned(),
        data_source: text(action, "data_source"),
        url: text(integration, "url"),
        context: integration["context"].as_object().cloned().unwrap_or_default(),
        opens: false,
    })
}

fn of_blocks(post: &Value, id: &str) -> Option<Action> {
    let props = &post["props"];
    let action = props["mm_blocks_actions"].get(id)?;
    let block = blocks::kind_of(&props["mm_blocks"], id);
    let kind = if block.as_deref() == Some("static_select") { "select" } else { "button" };
    let mut context = action["context"].as_object().cloned().unwrap_or_default();
    for (name, value) in action["query"].as_object().into_iter().flatten() {
        context.insert(name.clone(), value.clone());
    }
    Some(Action {
        kind: kind.to_owned(),
        data_source: String::new(),
        url: text(action, "url"),
        context,
        opens: action["type"] == "openURL",
    })
}

impl State {
    /// A post that somebody has before them: of a channel, or shown to them alone.
    fn before(&self, user: &str, id: &str) -> Option<Value> {
        let alone = self.ephemeral.iter().find(|one| one["user_id"] == user && one["post"]["id"] == id);
        self.post(id).cloned().or_else(|| alone.map(|one| one["post"].clone()))
    }

    fn action(&self, post: &Value, id: &str) -> Result<Action, Refusal> {
        let letters =
            |byte: u8| byte.is_ascii_alphanumeric() || (self.version.has_blocks() && b"_-".contains(&byte));
        if !id.bytes().all(letters) {
            return Err(Refusal::missing());
        }
        let has_blocks = self.version.has_blocks() && self.settings.is_on("FeatureFlags.MmBlocksEnabled");
        let action = of_attachments(post, id).or_else(|| has_blocks.then(|| of_blocks(post, id)).flatten());
        action.ok_or_else(|| Refusal::new(404, "api.post.do_action.action_id.app_error"))
    }

    fn action_body(
        &self,
        session: &Session,
        post: &Value,
        mut action: Action,
        selected: Option<&str>,
    ) -> Value {
        let channel = text(post, "channel_id");
        let channel = self.channels.get(&channel).cloned().unwrap_or_default();
        let team = self.teams.get(&channel.team_id).map(|team| team.name.clone()).unwrap_or_default();
        let mut source = String::new();
        if let (true, Some(selected)) = (action.kind == "select", selected) {
            action.context.insert("selected_option".to_owned(), json!(selected));
            source = action.data_source;
        }
        let user = self.users.get(&session.user).map(|user| user.name().to_owned());
        let mut body = json!({
            "user_id": session.user, "user_name": user, "channel_id": channel.id, "channel_name": channel.name,
            "team_id": channel.team_id, "team_domain": team, "post_id": post["id"],
            "trigger_id": self.new_trigger(&session.user), "type": action.kind, "data_source": source,
        });
        if !action.context.is_empty() {
            body["context"] = Value::Object(action.context);
        }
        body
    }

    /// What an integration wants to be done with the post.
    fn apply(&mut self, session: &Session, post: &Value, said: &Value) {
        let id = text(post, "id");
        let (channel, root) = (text(post, "channel_id"), text(post, "root_id"));
        if said["update"].is_object() {
            let update = &said["update"];
            let old = post["props"].as_object().cloned().unwrap_or_default();
            let mut props = update["props"].as_object().cloned();
            if let Some(props) = &mut props {
                for name in RETAINED {
                    match old.get(name) {
                        Some(value) => drop(props.insert(name.to_owned(), value.clone())),
                        None => drop(props.remove(name)),
                    }
                }
            }
            let now = self.now();
            let alone = self.ephemeral.iter_mut().map(|one| &mut one["post"]);
            let kept = self.posts.iter_mut().chain(alone).find(|post| post["id"] == id.as_str());
            if let Some(kept) = kept {
                kept["message"] = json!(text(update, "message"));
                kept["props"] = Value::Object(props.unwrap_or(old));
                kept["update_at"] = json!(now);
                name_actions(kept);
                let shown = without_secrets(kept);
                self.publish("post_edited", "", &channel, json!({"post": shown.to_string()}));
            }
        }
        let words = text(said, "ephemeral_text");
        if !words.is_empty() {
            let root = if root.is_empty() { id } else { root };
            let post = self.new_post(&session.user, &channel, &root, &words, json!({}));
            self.whisper(&session.user, post);
        }
    }
}

/// Something to send to an integration, or to go to.
enum Next {
    Send(Box<Outgoing>),
    Go(String),
}

fn integration_failed() -> Refusal {
    Refusal::new(400, "api.post.do_action.action_integration.app_error")
}

/// Sends an action's or a dialog's request; anything but 200 is a failure.
pub(super) async fn deliver(shared: &Shared, request: Outgoing) -> Result<Vec<u8>, Refusal> {
    let answer = request.send().await;
    match answer {
        Ok(answer) if answer.status == 200 => Ok(answer.body),
        Ok(answer) => {
            shared.lock().unwrap().warn(format!("status={}", answer.status));
            Err(integration_failed())
        }
        Err(why) => {
            shared.lock().unwrap().warn(why);
            Err(integration_failed())
        }
    }
}

/// An address of a plugin reaches what is in this process alone, and nothing is.
pub(super) fn check_address(state: &mut State, url: &str) -> Result<(), Refusal> {
    if !url.starts_with("/plugins/") && !url.starts_with("plugins/") {
        return Ok(());
    }
    state.warn(format!("plugin not found: {url}"));
    Err(integration_failed())
}

async fn press(
    shared: &Shared,
    session: &Session,
    id: &str,
    action: &str,
    selected: Option<&str>,
) -> Result<Value, Refusal> {
    let (post, next) = {
        let mut state = shared.lock().unwrap();
        let post = state.before(&session.user, id);
        let post = post.ok_or_else(|| Refusal::new(404, "app.post.get.app_error"))?;
        if !state.may_read(&session.user, &text(&post, "channel_id")) {
            return Err(Refusal::forbidden());
        }
        let action = state.action(&post, action)?;
        if action.opens {
            (post, Next::Go(action.url))
        } else {
            check_address(&mut state, &action.url)?;
            let url = action.url.clone();
            let body = state.action_body(session, &post, action, selected);
            let request = state.action_request(&url, body.to_string(), session);
            (post, Next::Send(Box::new(request)))
        }
    };
    let request = match next {
        Next::Go(url) => return Ok(json!({"goto_location": url})),
        Next::Send(request) => *request,
    };
    let body = deliver(shared, request).await?;
    let said = match body.as_slice() {
        [] => json!({}),
        body => serde_json::from_slice(body).map_err(|_| integration_failed())?,
    };
    shared.lock().unwrap().apply(session, &post, &said);
    Ok(said)
}

/// `POST /posts/{id}/actions/{action}`, as clients send it.
pub(super) async fn route(
    shared: &Shared,
    asked: &Asked,
    id: &str,
    action: &str,
) -> Result<Response, Refusal> {
    let session = shared.lock().unwrap().caller(asked)?;
    let body = asked.json("do_post_action").unwrap_or_default();
    let selected = body["selected_option"].as_str().filter(|option| !option.is_empty());
    let said = press(shared, &session, id, action, selected).await?;
    let mut answer = json!({"status": "OK", "trigger_id": fresh()});
    for name in ["goto_location", "error"] {
        if said[name].is_string() {
            answer[name] = said[name].clone();
        }
    }
    Ok(Json(answer).into_response())
}

impl FakeMattermost {
    /// Somebody presses a button of a post, or chooses something there; gives what the integration answered.
    pub async fn press(&self, user: &str, post: &str, action: &str, selected: Option<&str>) -> Seen {
        let session = self.state().session_of(user);
        match press(&self.state, &session, post, action, selected).await {
            Ok(said) => match said["error"].as_str().filter(|error| !error.is_empty()) {
                Some(error) => Seen::Failed(error.to_owned()),
                None => Seen::Answer(said),
            },
            Err(refusal) => Seen::Failed(refusal.message().to_owned()),
        }
    }
}
