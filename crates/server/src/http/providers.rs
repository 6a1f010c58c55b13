//! Provider records: whose accounts an App's people connect, and how. For people with `manage_system` alone: no token of an
//! App reads or writes one (OS-50).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use tessera_types::{AppId, ClientSecret, json, routes};
use url::Url;

use super::House;
use super::admin::json_response;
use super::body::{self, RECORD_CAP};
use super::caller::Caller;
use super::connect::visitor;
use super::errors::WireError;
use super::extract::{Asked, Segment};
use crate::grants::{Act, NewClient, ProviderRecord};
use crate::platform::{Audience, Event, REFRESH_BINDINGS};

type Answer = Result<Response, WireError>;

/// A line of the catalogue.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    display_name: &'a str,
    /// False: the community's, unverified.
    verified: bool,
    /// What an administrator fills in, with what it is.
    values: Vec<Value<'a>>,
}

#[derive(Serialize)]
struct Value<'a> {
    name: &'a str,
    about: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'a str>,
}

/// The providers that there are.
pub(super) async fn list(State(house): State<House>, caller: Caller) -> Answer {
    administrator(&house, &caller).await?;
    let lines = house.grants.presets();
    let lines = lines.iter().map(|preset| Line {
        name: &preset.name,
        display_name: &preset.display_name,
        verified: preset.verified,
        values: preset
            .values
            .iter()
            .map(|(name, about, default)| Value { name, about, default: default.as_deref() })
            .collect(),
    });
    json_response(&lines.collect::<Vec<_>>())
}

/// Whether the provider is asked about client and metadata.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Look {
    check: bool,
}

/// An App's record.
pub(super) async fn get(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    Asked(look): Asked<Look>,
) -> Answer {
    administrator(&house, &caller).await?;
    house.lifecycle.apps.installed(&app).await?;
    let record =
        house.grants.provider(&act(&caller, &app)?, &redirect_uri(&house, &app)?, look.check).await?;
    json_response(&record.ok_or_else(|| none(&app))?)
}

/// What is written: a record, and with it the App's client at the provider. Without one the client stays as it is.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    preset: String,
    descriptor: String,
    values: BTreeMap<String, String>,
    scopes: Vec<String>,
    key_id: String,
    bot_scopes: Vec<String>,
    client_id: String,
    client_secret: String,
}

/// Writes an App's record.
pub(super) async fn put(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    body: Body,
) -> Answer {
    let bytes = body::read(body, RECORD_CAP).await?;
    administrator(&house, &caller).await?;
    house.lifecycle.apps.installed(&app).await?;
    let Written { preset, descriptor, values, scopes, key_id, bot_scopes, client_id, client_secret } =
        json::from_slice_strict(&bytes).map_err(|error| {
            WireError::invalid(&format_args!("the provider record is not valid: {error}"))
        })?;
    let record = ProviderRecord { preset, descriptor, values, scopes, key_id, bot_scopes };
    let client = match client_id.is_empty() && client_secret.is_empty() {
        true => None,
        false => Some(NewClient { id: client_id, secret: ClientSecret::new(client_secret) }),
    };
    let act = act(&caller, &app)?;
    let set = house.grants.set_provider(&act, record, client, &redirect_uri(&house, &app)?).await?;
    house.platform.publish(Event { name: REFRESH_BINDINGS, audience: Audience::Everyone });
    json_response(&set)
}

/// Where an administrator goes.
#[derive(Serialize)]
struct Lead {
    url: String,
}

/// Where an administrator goes, in a browser of theirs, to find out whether the provider looks at proof keys.
pub(super) async fn probe(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
) -> Answer {
    administrator(&house, &caller).await?;
    let visitor = visitor(&caller).ok_or_else(|| WireError::unauthorized("user ID is required"))?;
    let url = house.connect.probe(&app, &visitor).await?.ok_or_else(|| none(&app))?;
    json_response(&Lead { url })
}

/// Takes an App's record away.
pub(super) async fn remove(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
) -> Answer {
    administrator(&house, &caller).await?;
    match house.grants.remove_provider(&act(&caller, &app)?).await? {
        true => {
            house.platform.publish(Event { name: REFRESH_BINDINGS, audience: Audience::Everyone });
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        false => Err(none(&app)),
    }
}

async fn administrator(house: &House, caller: &Caller) -> Result<(), WireError> {
    let who = caller.user()?;
    if who.app.is_some() || who.is_bot {
        let text = "a provider record is for people to read and write, not for an App's token: forbidden";
        return Err(WireError::new(StatusCode::FORBIDDEN, text));
    }
    caller.administrator(house).await
}

fn none(app: &AppId) -> WireError {
    WireError::new(StatusCode::NOT_FOUND, format!("app {app} has no provider record: not found"))
}

fn redirect_uri(house: &House, app: &AppId) -> Result<Url, WireError> {
    let text = routes::complete_url(house.settings.site_url.as_str(), app);
    Url::parse(&text).map_err(|error| WireError::internal(&error))
}

fn act<'a>(caller: &'a Caller, app: &'a AppId) -> Result<Act<'a>, WireError> {
    Ok(Act { actor: &caller.user()?.user_id, app, request: &caller.request, reason: "provider" })
}
