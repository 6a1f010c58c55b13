//! The way of a device without a browser (RFC 8628): it asks for a code, a person types that in, and meanwhile it polls.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::error::TokenError;
use crate::pages::{DevicePage, json_reply, page};
use crate::params::Params;
use crate::scope::Scope;
use crate::simulator::Simulator;
use crate::token::{form, who};

/// Seconds that a code lives.
const LIFE: i64 = 600;
/// Seconds between two questions, at first.
const INTERVAL: i64 = 5;
/// What a user code is made of: no vowels, so no words (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Those that wait, by user code.
#[derive(Default)]
pub(crate) struct Devices {
    waiting: BTreeMap<String, Device>,
    /// How many of the next questions are called too fast, whenever they come.
    busy: u32,
}

struct Device {
    device_code: String,
    client_id: String,
    scope: Scope,
    expires_at: i64,
    interval: i64,
    /// Asking before this is too soon.
    next_at: i64,
    answer: Option<Answer>,
}

enum Answer {
    No,
    Yes { account: String },
}

impl Devices {
    /// Calls so many of the next questions too fast.
    pub(crate) fn slow_down(&mut self, times: u32) {
        self.busy = times;
    }

    /// Takes in a person's answer. False when no device waits with this code.
    pub(crate) fn answer(&mut self, user_code: &str, account: &str, approve: bool, now: i64) -> bool {
        let typed: String = user_code.chars().filter(char::is_ascii_alphabetic).collect();
        let device = self.waiting.iter_mut().find(|(code, device)| {
            code.replace('-', "").eq_ignore_ascii_case(&typed)
                && device.expires_at > now
                && device.answer.is_none()
        });
        let Some((_, device)) = device else { return false };
        device.answer = Some(match approve {
            true => Answer::Yes { account: account.to_owned() },
            false => Answer::No,
        });
        true
    }

    /// What a device is told that asks (RFC 8628 §3.5): whose account it may use, and for what.
    pub(crate) fn ask(
        &mut self,
        client_id: &str,
        device_code: &str,
        now: i64,
    ) -> Result<(String, Scope), TokenError> {
        let found = self.waiting.iter_mut().find(|(_, device)| device.device_code == device_code);
        let (user_code, device) = found
            .filter(|(_, device)| device.client_id == client_id)
            .ok_or(TokenError::InvalidGrant("the device code is unknown, used up or another client's"))?;
        if device.expires_at <= now {
            return Err(TokenError::Device("expired_token"));
        }
        let busy = self.busy > 0;
        self.busy = self.busy.saturating_sub(1);
        if busy || now < device.next_at {
            device.interval += INTERVAL;
            device.next_at = now.saturating_add(device.interval);
            return Err(TokenError::Device("slow_down"));
        }
        device.next_at = now.saturating_add(device.interval);
        let user_code = user_code.clone();
        match &device.answer {
            None => return Err(TokenError::Device("authorization_pending")),
            Some(Answer::No) => return Err(TokenError::Device("access_denied")),
            Some(Answer::Yes { .. }) => {}
        }
        match self.waiting.remove(&user_code) {
            Some(Device { answer: Some(Answer::Yes { account }), scope, .. }) => Ok((account, scope)),
            _ => Err(TokenError::Device("authorization_pending")),
        }
    }
}

/// `POST /device_authorization` (RFC 8628 §3.1).
pub(crate) async fn begin(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    begun(&simulator, &headers, &body).unwrap_or_else(IntoResponse::into_response)
}

fn begun(simulator: &Simulator, headers: &HeaderMap, body: &[u8]) -> Result<Response, TokenError> {
    let (now, issuer) = (simulator.now(), simulator.issuer(headers));
    let (device_code, user_code) = (simulator.secret("device-"), user_code(simulator.seed()));
    let params = form(headers, body)?;
    let mut provider = simulator.lock();
    let client_id = who(headers, &params, &mut provider, &issuer, now)?;
    let scope = params.get("scope")?.and_then(Scope::parse);
    let scope = scope.ok_or(TokenError::InvalidScope("scope is missing or malformed"))?;
    provider.devices.waiting.retain(|_, device| device.expires_at.saturating_add(LIFE) > now);
    let device = Device {
        device_code: device_code.clone(),
        client_id,
        scope,
        expires_at: now.saturating_add(LIFE),
        interval: INTERVAL,
        next_at: now,
        answer: None,
    };
    provider.devices.waiting.insert(user_code.clone(), device);
    provider.grants.note(&device_code);
    let reply = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": format!("{issuer}/device"),
        "verification_uri_complete": format!("{issuer}/device?user_code={user_code}"),
        "expires_in": LIFE,
        "interval": INTERVAL,
    });
    Ok(json_reply(StatusCode::OK, &reply))
}

/// `GET /device`: the page that a person types the code into.
pub(crate) async fn show(RawQuery(query): RawQuery) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let user_code = params.get("user_code").ok().flatten().unwrap_or_default().to_owned();
    page(StatusCode::OK, &DevicePage { user_code, problem: None, done: None }, None)
}

/// `POST /device`: `user_code`, `username`, `password`, `decision`. The password comes with the code, so that no other
/// page can post it, and nobody's session is used.
pub(crate) async fn decide(State(simulator): State<Simulator>, body: Bytes) -> Response {
    let now = simulator.now();
    let params = Params::parse(&body);
    let get = |name| params.get(name).ok().flatten().unwrap_or_default();
    let (user_code, name) = (get("user_code").to_owned(), get("username"));
    let approve = get("decision") == "approve";
    let problem = {
        let mut provider = simulator.lock();
        if !provider.people.password_matches(name, get("password")) {
            Some("That name and password do not belong together.")
        } else if !provider.devices.answer(&user_code, name, approve, now) {
            Some("No device waits with this code. Compare it, or have the device ask for a new one.")
        } else {
            None
        }
    };
    let status = if problem.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    let done = problem.is_none().then_some(if approve { "Approved" } else { "Denied" });
    page(status, &DevicePage { user_code, problem, done }, None)
}

fn user_code(seed: [u8; 32]) -> String {
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    let letters: String = seed.iter().take(8).map(letter).collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}
