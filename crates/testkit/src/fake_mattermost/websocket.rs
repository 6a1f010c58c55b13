//! The websocket of clients (C.10): who it is, `hello`, and what they are told.

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Shared;
use super::asked::{Asked, text};
use super::state::{Event, State, fresh};

/// Answers an upgrade. Whoever is not known by it may still say who they are.
pub(super) fn answer(shared: &Shared, asked: &Asked, upgrade: WebSocketUpgrade) -> Response {
    let (user, events) = {
        let state = shared.lock().unwrap();
        let session = state.visitor(asked, true).ok().flatten();
        (session.map(|session| session.user), state.events.subscribe())
    };
    let shared = Shared::clone(shared);
    upgrade.on_upgrade(move |socket| async move {
        // A client that goes away is nothing to worry about.
        let _ = Client { shared, socket, user: None, sent: 0 }.converse(user, events).await;
    })
}

struct Client {
    shared: Shared,
    socket: WebSocket,
    user: Option<String>,
    sent: u64,
}

impl Client {
    async fn converse(
        mut self,
        known: Option<String>,
        mut events: broadcast::Receiver<Event>,
    ) -> Result<(), axum::Error> {
        if let Some(user) = known {
            self.greet(user).await?;
        }
        loop {
            tokio::select! {
                heard = self.socket.recv() => match heard {
                    Some(Ok(Message::Text(words))) => self.hear(words.as_str()).await?,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                },
                event = events.recv() => match event {
                    Ok(event) => self.tell(event).await?,
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        }
    }

    async fn greet(&mut self, user: String) -> Result<(), axum::Error> {
        let version = self.shared.lock().unwrap().version;
        let hello = json!({
            "event": "hello", "data": {"connection_id": fresh(), "server_version": format!("{version}.fake")},
            "broadcast": {"omit_users": null, "user_id": user, "channel_id": "", "team_id": ""},
        });
        self.user = Some(user);
        self.send(hello).await
    }

    async fn send(&mut self, mut frame: Value) -> Result<(), axum::Error> {
        frame["seq"] = json!(self.sent);
        self.sent += 1;
        self.socket.send(Message::text(frame.to_string())).await
    }

    async fn hear(&mut self, words: &str) -> Result<(), axum::Error> {
        let asked: Value = serde_json::from_str(words).unwrap_or_default();
        let reply = json!({"status": "OK", "seq_reply": asked["seq"]});
        if asked["action"] == "authentication_challenge" {
            let session = self.shared.lock().unwrap().of_token(&text(&asked["data"], "token"));
            let Some(session) = session else {
                return self.socket.send(Message::Close(None)).await;
            };
            self.greet(session.user).await?;
        }
        self.socket.send(Message::text(reply.to_string())).await
    }

    async fn tell(&mut self, event: Event) -> Result<(), axum::Error> {
        let Some(user) = self.user.clone() else { return Ok(()) };
        let concerned = concerns(&self.shared.lock().unwrap(), &event, &user);
        if concerned { self.send(event.frame).await } else { Ok(()) }
    }
}

/// One person, the members of a channel, or everybody.
fn concerns(state: &State, event: &Event, user: &str) -> bool {
    match (event.user.as_str(), event.channel.as_str()) {
        ("", "") => true,
        ("", channel) => state.is_member(channel, user),
        (one, _) => one == user,
    }
}
