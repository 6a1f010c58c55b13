//! Live events, as Mattermost's clients hear them.
//!
//! A client that came with a token is greeted at once; one without has a moment to send its
//! `authentication_challenge`. Whether the session still is, is asked whenever some session ends, and now and
//! then, for one may simply expire. A client that does not take its events in time is let go.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tessera_types::AccessToken;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::caller::Carried;
use super::error::ApiError;
use super::users::same_site;
use super::{SERVER_VERSION, Site};
use crate::platform::standalone::{Heard, Listener, News, Place, Refusal};
use crate::platform::{Credential, Freshness, Platform as _};

/// How long a client may take to say who it is.
const CHALLENGE: Duration = Duration::from_secs(10);
/// How often it is pinged, and its session looked at.
const PING: Duration = Duration::from_secs(30);
/// How long one message may take to be written.
const WRITE: Duration = Duration::from_secs(15);
/// The largest message of a client, in bytes.
const LARGEST: usize = 8 * 1024;

/// `GET websocket`.
pub(super) async fn connect(
    State(site): State<Site>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    // A page of another site must not listen with the reader's cookie.
    same_site(&site, &headers)?;
    let token = match Carried::by(&headers) {
        Some(carried) => {
            let credential = carried.credential(&Method::GET, &headers);
            let known = site.resolve(credential, Freshness::Now).await?.is_some();
            known.then(|| carried.token().clone())
        }
        None => None,
    };
    let upgrade = upgrade.map_err(|why| Refusal::not_upgraded(&why.body_text()))?;
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST).max_write_buffer_size(1 << 20);
    Ok(upgrade.on_upgrade(move |socket| Client::serve(site, socket, token)))
}

/// What a client sends.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Action {
    action: String,
    seq: i64,
    data: Map<String, Value>,
}

struct Client {
    site: Site,
    socket: WebSocket,
    token: AccessToken,
    user_id: String,
    seq: u64,
    ping: Interval,
    answered: bool,
}

impl Client {
    async fn serve(site: Site, mut socket: WebSocket, token: Option<AccessToken>) {
        // Before anything is answered: what happens from now on is heard.
        let listener = site.listen();
        let token = match token {
            Some(token) => token,
            None => match timeout(CHALLENGE, challenge(&site, &mut socket)).await.ok().flatten() {
                Some(token) => token,
                None => return close(socket, close_code::POLICY, "not signed in").await,
            },
        };
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let client = Self { site, socket, token, user_id: String::new(), seq: 0, ping, answered: true };
        client.run(listener).await;
    }

    async fn run(mut self, mut listener: Listener) {
        let Some(user_id) = whose(&self.site, &self.token).await else {
            return close(self.socket, close_code::POLICY, "not signed in").await;
        };
        self.user_id = user_id;
        if self.hello().await.is_none() {
            return;
        }
        while self.step(&mut listener).await.is_some() {}
        close(self.socket, close_code::NORMAL, "").await;
    }

    /// One thing that happens; None when it is over.
    async fn step(&mut self, listener: &mut Listener) -> Option<()> {
        tokio::select! {
            heard = listener.next(&self.user_id) => match heard? {
                Heard::News(news) => self.tell(&news).await,
                Heard::Recheck => whose(&self.site, &self.token).await.map(drop),
            },
            message = self.socket.recv() => {
                self.answered = true;
                match message?.ok()? {
                    Message::Text(text) => self.answer(text.as_str()).await,
                    Message::Close(_) => None,
                    _ => Some(()),
                }
            }
            _ = self.ping.tick() => {
                if !std::mem::take(&mut self.answered) {
                    return None;
                }
                whose(&self.site, &self.token).await?;
                send(&mut self.socket, Message::Ping(Vec::new().into())).await
            }
        }
    }

    async fn hello(&mut self) -> Option<()> {
        let data = json!({"server_version": SERVER_VERSION, "connection_id": self.site.fresh_id().ok()?});
        let place = Place { user_id: self.user_id.clone(), ..Place::default() };
        let Value::Object(data) = data else { return None };
        self.event("hello", &data, &place).await
    }

    async fn tell(&mut self, news: &News) -> Option<()> {
        self.event(news.event, &news.data, &news.place).await
    }

    async fn event(&mut self, event: &str, data: &Map<String, Value>, place: &Place) -> Option<()> {
        let broadcast = json!({
            "omit_users": null, "user_id": place.user_id, "channel_id": place.channel_id,
            "team_id": place.team_id, "connection_id": "", "omit_connection_id": "",
        });
        let message = json!({"event": event, "data": data, "broadcast": broadcast, "seq": self.seq});
        self.seq += 1;
        send(&mut self.socket, Message::Text(message.to_string().into())).await
    }

    async fn answer(&mut self, text: &str) -> Option<()> {
        let Ok(action) = serde_json::from_str::<Action>(text) else { return Some(()) };
        let seq = action.seq;
        let reply = match action.action.as_str() {
            "authentication_challenge" => ok(seq),
            "ping" => json!({
                "status": "OK", "seq_reply": seq,
                "data": {"text": "pong", "version": SERVER_VERSION, "server_time": self.site.now_ms(), "node_id": ""},
            }),
            _ => json!({"status": "FAIL", "seq_reply": seq, "error": {
                "id": "api.web_socket_router.bad_action.app_error", "message": "Unknown WebSocket action.",
                "detailed_error": "", "status_code": 400,
            }}),
        };
        send(&mut self.socket, Message::Text(reply.to_string().into())).await
    }
}

fn ok(seq: i64) -> Value {
    json!({"status": "OK", "seq_reply": seq})
}

/// Waits for a challenge with a valid token, and says yes to it.
async fn challenge(site: &Site, socket: &mut WebSocket) -> Option<AccessToken> {
    loop {
        let Message::Text(text) = socket.recv().await?.ok()? else { continue };
        let action: Action = serde_json::from_str(text.as_str()).ok()?;
        if action.action != "authentication_challenge" {
            continue;
        }
        let token = AccessToken::new(action.data.get("token")?.as_str()?);
        whose(site, &token).await?;
        send(socket, Message::Text(ok(action.seq).to_string().into())).await?;
        return Some(token);
    }
}

/// Whose the token is, as long as it is valid.
async fn whose(site: &Site, token: &AccessToken) -> Option<String> {
    let identity = site.resolve(Credential::Bearer(token), Freshness::Now).await;
    identity.ok().flatten().map(|identity| identity.user_id)
}

async fn send(socket: &mut WebSocket, message: Message) -> Option<()> {
    timeout(WRITE, socket.send(message)).await.ok()?.ok()
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    // The client may be gone already, which is what was wanted.
    let _ = send(&mut socket, Message::Close(Some(frame))).await;
}
