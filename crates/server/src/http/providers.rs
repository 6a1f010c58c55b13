//! Provider records: whose accounts an App's people connect, and how. For people with `manage_system` alone: no token of an
//! App reads or writes one (OS-50).

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use tessera_types::{AppId, routes};
use url::Url;

use super::House;
use super::admin::json_response;
use super::body::{self, PROVIDER_CAP};
use super::caller::Caller;
use super::connect::visitor;
use super::errors::WireError;
use super::extract::{Asked, Segment};
use crate::grants::{Act, Written};
use crate::platform::{Audience, Event, REFRESH_BINDINGS};

type Answer = Result<Response, WireError>;

/// The providers that there are.
pub(super) async fn list(State(house): State<House>, caller: Caller) -> Answer {
    administrator(&house, &caller).await?;
    json_response(&house.grants.presets())
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

/// Writes an App's record.
pub(super) async fn put(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
    body: Body,
) -> Answer {
    let bytes = body::read(body, PROVIDER_CAP).await?;
    administrator(&house, &caller).await?;
    house.lifecycle.apps.installed(&app).await?;
    let (record, client) = Written::read(&bytes).map_err(|why| WireError::invalid(&why))?.parts();
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
