//! `/quirks`: the switches as a page and as JSON, for this machine alone.
//!
//! A page from elsewhere must not flip them: the peer and the name in `Host` must be loopback's (a name that was
//! rebound to 127.0.0.1 is not), forms carry a token, and JSON has a content type that no form can have.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, HOST, LOCATION};
use http::{Extensions, HeaderMap, StatusCode};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use crate::behaviour::SWITCHES;
use crate::named::SwitchError;
use crate::pages::{QuirksPage, SwitchLine, json_reply, page};
use crate::params::Params;
use crate::simulator::Simulator;
use crate::token::is_of;

/// `GET /quirks`.
pub(crate) async fn show(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    if !is_near(&headers, &extensions) {
        return too_far();
    }
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") { as_page(&simulator, None) } else { as_json(&simulator) }
}

/// `POST /quirks`: an object of switches, or the page's form (`control`, `name`, `value`, `set`).
pub(crate) async fn change(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Bytes,
) -> Response {
    if !is_near(&headers, &extensions) {
        return too_far();
    }
    if is_of(&headers, "application/json") {
        let object = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let changed = simulator.lock().behaviour.set_json(&object);
        return match changed {
            Ok(()) => as_json(&simulator),
            Err(error) => json_reply(StatusCode::BAD_REQUEST, &json!({ "error": error.to_string() })),
        };
    }
    let params = Params::parse(&body);
    let get = |name| params.get(name).ok().flatten().unwrap_or_default();
    if !bool::from(get("control").as_bytes().ct_eq(simulator.control().as_bytes())) {
        let why =
            json!({ "error": "the form is not of this page: send application/json, or reload the page" });
        return json_reply(StatusCode::FORBIDDEN, &why);
    }
    let typed = match (get("set"), get("value")) {
        ("off", _) => format!("{}=off", get("name")),
        (_, "") => get("name").to_owned(),
        (_, value) => format!("{}={value}", get("name")),
    };
    let changed = simulator.lock().behaviour.set(&typed);
    match changed {
        Ok(()) => (StatusCode::SEE_OTHER, [(LOCATION, format!("/quirks#{}", get("name")))]).into_response(),
        Err(error) => as_page(&simulator, Some(&error)),
    }
}

fn as_json(simulator: &Simulator) -> Response {
    json_reply(StatusCode::OK, &simulator.behaviour().members().into())
}

fn as_page(simulator: &Simulator, problem: Option<&SwitchError>) -> Response {
    let in_force: BTreeMap<_, _> = simulator.behaviour().in_force_as_typed().into_iter().collect();
    let line =
        |switch: &'static crate::Switch| SwitchLine { switch, now: in_force.get(switch.name).cloned() };
    let page_of = QuirksPage {
        control: simulator.control().to_owned(),
        switches: SWITCHES.iter().map(line).collect(),
        problem: problem.map(ToString::to_string),
    };
    page(if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK }, &page_of, None)
}

fn is_near(headers: &HeaderMap, extensions: &Extensions) -> bool {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |ip: IpAddr| ip.to_canonical().is_loopback();
    let named = name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback);
    named && peer.is_some_and(|ConnectInfo(peer)| is_loopback(peer.ip()))
}

fn too_far() -> Response {
    let why = "switches are flipped from the machine itself, under a loopback name, on a simulator that was started \
               with Simulator::start";
    json_reply(StatusCode::FORBIDDEN, &json!({ "error": why }))
}
