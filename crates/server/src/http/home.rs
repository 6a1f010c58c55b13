//! The front page of a development site: what there is to connect, and where to sign in.

use axum::extract::State;
use axum::response::Response;
use tessera_types::{AppId, routes};

use super::House;
use super::caller::Caller;
use super::errors::WireError;
use super::pages;
use crate::grants::REMOTE_OAUTH2;
use crate::web::{Home, HomeApp};

pub(super) async fn home(State(house): State<House>, caller: Caller) -> Result<Response, WireError> {
    let sign_in =
        house.platform.sign_in_url(&format!("{}/", house.settings.site_url.path().trim_end_matches('/')));
    let Some(who) = &caller.identity else {
        return Ok(pages::respond(Home::page(None, &[], &sign_in)));
    };
    let connections = house.grants.of_user(&who.user_id).await?;
    let mut lines = Vec::new();
    for app in house.lifecycle.apps.all().await? {
        if app.disabled || !app.is_granted(REMOTE_OAUTH2) {
            continue;
        }
        let id = AppId::unchecked(app.manifest.app_id.as_str());
        lines.push(HomeApp {
            name: app.manifest.display_name.clone(),
            connected: connections.iter().any(|connection| connection.app == id.as_str()),
            connect: routes::connect_url(house.settings.site_url.as_str(), &id),
            id: id.as_str().to_owned(),
        });
    }
    Ok(pages::respond(Home::page(Some(&who.username), &lines, &sign_in)))
}
