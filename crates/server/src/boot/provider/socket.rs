//! The same at the local socket: by whoever owns the data folder, and audited as nobody of the site.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use bytes::Bytes;
use serde::Deserialize;
use tessera_types::{AppId, routes as wire};
use url::Url;

use super::super::local::{NOBODY, REQUEST, Refused};
use crate::grants::{Act, Grants, Written};
use crate::lifecycle::Lifecycle;
use crate::platform::{Audience, Event, REFRESH_BINDINGS};

/// Its routes.
pub(in crate::boot) fn routes(lifecycle: Arc<Lifecycle>, grants: Arc<Grants>) -> Router {
    Router::new()
        .route("/providers", get(list))
        .route("/apps/{app}/provider", get(read).put(write).delete(remove))
        .with_state(Rooms { lifecycle, grants })
}

#[derive(Clone)]
struct Rooms {
    lifecycle: Arc<Lifecycle>,
    grants: Arc<Grants>,
}

impl Rooms {
    fn redirect_uri(&self, app: &AppId) -> Result<Url, Refused> {
        Ok(Url::parse(&wire::complete_url(self.lifecycle.site_url.as_str(), app))?)
    }

    /// People may connect otherwise than before: every client asks the Apps anew.
    fn tell(&self) {
        self.lifecycle.platform.publish(Event { name: REFRESH_BINDINGS, audience: Audience::Everyone });
    }
}

fn act(app: &AppId) -> Act<'_> {
    Act { actor: NOBODY, app, request: REQUEST, reason: "provider" }
}

fn none(app: &AppId) -> Refused {
    Refused(format!("app {app} has no provider: `tessera apps provider set {app}` gives it one"))
}

async fn list(State(rooms): State<Rooms>) -> Result<Vec<u8>, Refused> {
    Ok(serde_json::to_vec(&rooms.grants.presets())?)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Look {
    check: bool,
}

async fn read(
    State(rooms): State<Rooms>,
    Path(app): Path<AppId>,
    Query(look): Query<Look>,
) -> Result<Vec<u8>, Refused> {
    rooms.lifecycle.apps.installed(&app).await?;
    let found = rooms.grants.provider(&act(&app), &rooms.redirect_uri(&app)?, look.check).await?;
    Ok(serde_json::to_vec(&found.ok_or_else(|| none(&app))?)?)
}

async fn write(State(rooms): State<Rooms>, Path(app): Path<AppId>, body: Bytes) -> Result<Vec<u8>, Refused> {
    rooms.lifecycle.apps.installed(&app).await?;
    let (record, client) = Written::read(&body).map_err(Refused)?.parts();
    let set = rooms.grants.set_provider(&act(&app), record, client, &rooms.redirect_uri(&app)?).await?;
    rooms.tell();
    Ok(serde_json::to_vec(&set)?)
}

async fn remove(State(rooms): State<Rooms>, Path(app): Path<AppId>) -> Result<(), Refused> {
    match rooms.grants.remove_provider(&act(&app)).await? {
        true => rooms.tell(),
        false => return Err(none(&app)),
    }
    Ok(())
}
