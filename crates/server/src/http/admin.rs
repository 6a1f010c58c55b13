//! R18 to R23: listing, installing, switching and looking at Apps (apps-framework.md sections 2.12 to 2.15).

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tessera_types::{AppId, DeployType, UpdateAppListing, json};

use super::House;
use super::body::{self, CALL_CAP};
use super::caller::Caller;
use super::errors::WireError;
use super::extract::Segment;
use crate::lifecycle::By;

type Answer = Result<Response, WireError>;

/// Which App, and how it is to run.
#[derive(Default, Deserialize)]
#[serde(default, rename = "App")]
struct Which {
    app_id: AppId,
    deploy_type: String,
}

/// R18.
pub(super) async fn update_listing(State(house): State<House>, caller: Caller, body: Body) -> Answer {
    let update: UpdateAppListing = read(body).await?;
    caller.administrator_or_plugin(&house).await?;
    json_response(&house.lifecycle.list(update, &by(&caller)).await?)
}

/// R19.
pub(super) async fn install(State(house): State<House>, caller: Caller, body: Body) -> Answer {
    let which: Which = read(body).await?;
    caller.user()?;
    caller.administrator_or_plugin(&house).await?;
    let deploy = DeployType::from(which.deploy_type.as_str());
    json_response(&house.lifecycle.install(&which.app_id, &deploy, &by(&caller)).await?)
}

/// R20.
pub(super) async fn uninstall(State(house): State<House>, caller: Caller, body: Body) -> Answer {
    let which: Which = read(body).await?;
    caller.user()?;
    caller.administrator_or_plugin(&house).await?;
    house.lifecycle.uninstall(&which.app_id, &by(&caller)).await?;
    Ok(().into_response())
}

/// R21.
pub(super) async fn enable(State(house): State<House>, caller: Caller, body: Body) -> Answer {
    let which: Which = read(body).await?;
    caller.administrator_or_plugin(&house).await?;
    Ok(house.lifecycle.enable(&which.app_id, &by(&caller)).await?.into_response())
}

/// R22.
pub(super) async fn disable(State(house): State<House>, caller: Caller, body: Body) -> Answer {
    let which: Which = read(body).await?;
    caller.administrator_or_plugin(&house).await?;
    Ok(house.lifecycle.disable(&which.app_id, &by(&caller)).await?.into_response())
}

/// R23.
pub(super) async fn get_app(
    State(house): State<House>,
    caller: Caller,
    Segment(app): Segment<AppId>,
) -> Answer {
    caller.user()?;
    json_response(&match caller.is_administrator(&house).await? {
        true => house.lifecycle.for_administrator(&app, &by(&caller)).await?,
        false => house.lifecycle.for_anyone(&app).await?,
    })
}

fn by(caller: &Caller) -> By<'_> {
    let actor = caller.identity.as_ref().map_or("", |identity| identity.user_id.as_str());
    By { actor, request: &caller.request, deadline: caller.deadline }
}

async fn read<T: DeserializeOwned>(body: Body) -> Result<T, WireError> {
    let bytes = body::read(body, CALL_CAP).await?;
    json::from_slice_stream(&bytes).map_err(|error| WireError::invalid(&error))
}

/// Compact JSON, a newline, and no charset (section 0.4).
pub(super) fn json_response<T: serde::Serialize>(value: &T) -> Answer {
    let mut bytes = json::to_vec(value).map_err(|error| WireError::internal(&error))?;
    bytes.push(b'\n');
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}
