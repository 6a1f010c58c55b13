//! The front page of a development site: the console, or where to sign in.

use axum::extract::State;
use axum::response::Response;

use super::House;
use super::caller::Caller;
use super::pages;
use crate::web::{Home, console};

pub(super) async fn home(State(house): State<House>, caller: Caller) -> Response {
    if caller.identity.is_some() {
        return pages::respond(console::page(&house.settings.site_url));
    }
    let back = format!("{}/", house.settings.site_url.path().trim_end_matches('/'));
    pages::respond(Home::page(&house.platform.sign_in_url(&back)))
}
